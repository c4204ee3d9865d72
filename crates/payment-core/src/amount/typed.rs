//! Amounts as people type them. Programs send JSON, whose notation has no second reading.

use crate::digits;

/// Why an amount that a person typed can't be read, in words for that person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Enter the amount without separators of thousands, such as 1234.50 or 1234,50.")]
pub struct TypedError;

/// The amount in JSON's notation. Blanks around it go, digits of every script become ASCII, and one comma before one
/// or two digits is a decimal comma. `1,234` and `1.234,50` have two readings, and are left to the person.
///
/// What is no amount at all comes back as it is: the rule of the amount says what is wrong.
pub fn from_typed(text: &str) -> Result<String, TypedError> {
    let plain = |c| match c {
        '\u{66b}' | '\u{ff0e}' => '.',
        '\u{ff0c}' => ',',
        c => digits::to_ascii(c).unwrap_or(c),
    };
    let text: String = text.trim().chars().map(plain).collect();
    let Some((whole, fraction)) = text.split_once(',') else {
        return Ok(text);
    };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if are_digits(whole) && are_digits(fraction) && fraction.len() <= 2 {
        return Ok(format!("{whole}.{fraction}"));
    }
    Err(TypedError)
}
