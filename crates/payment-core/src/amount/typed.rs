//! Amounts as people type them. Programs send JSON, whose notation has no second reading.

use super::Currency;
use crate::digits;

/// What people put between groups of three digits: blanks that may break the line or not, and apostrophes. Commas and
/// points are not among them, since they may be meant as the decimal point.
const GAPS: [char; 7] = [
    ' ', '\u{a0}', '\u{2009}', '\u{202f}', '\'', '\u{2019}', '\u{66c}',
];

/// Why an amount that a person typed can't be read, in words for that person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Enter the amount without separators of thousands, such as 1234.50 or 1234,50.")]
pub struct TypedError;

/// Returns the amount in JSON's notation. Blanks around it and the currency's own sign or code go, digits of every
/// script become ASCII, `1 000 000` loses its gaps, and one comma before at most two digits is a decimal comma. `1,234`,
/// `1.234,50` and, unless the currency has three decimals, `1.234` have two readings, and are left to the person.
///
/// What is no amount at all comes back as it is: the rule of the amount says what is wrong.
pub fn from_typed(text: &str, currency: Currency) -> Result<String, TypedError> {
    let plain = |c| match c {
        '\u{66b}' | '\u{ff0e}' => '.',
        '\u{ff0c}' => ',',
        c => digits::to_ascii(c).unwrap_or(c),
    };
    let text: String = text.trim().chars().map(plain).collect();
    let text = without_gaps(without_currency(&text, currency));
    let has_comma = text.contains(',');
    let number = text
        .split_once(['.', ','])
        .filter(|(whole, fraction)| are_digits(whole) && are_digits(fraction) && text.len() > 1);
    match number {
        Some((_, fraction)) if has_comma && fraction.len() > 2 => Err(TypedError),
        Some((_, fraction)) if fraction.len() == 3 && currency.decimals() < 3 => Err(TypedError),
        None if has_comma => Err(TypedError),
        None => Ok(text),
        Some((whole, "")) => Ok(whole.to_owned()),
        Some(("", fraction)) => Ok(format!("0.{fraction}")),
        Some((whole, fraction)) => Ok(format!("{whole}.{fraction}")),
    }
}

fn without_currency(text: &str, currency: Currency) -> &str {
    let symbol = currency.symbol();
    [symbol.as_str(), currency.code()]
        .into_iter()
        .filter(|mark| !mark.is_empty())
        .find_map(|mark| text.strip_prefix(mark).or_else(|| text.strip_suffix(mark)))
        .map_or(text, str::trim)
}

/// Joins groups of three digits before the point, if the same gap is between all of them.
fn without_gaps(text: &str) -> String {
    let (whole, rest) = text.split_at(text.find(['.', ',']).unwrap_or(text.len()));
    let Some(gap) = whole.chars().find(|c| GAPS.contains(c)) else {
        return text.to_owned();
    };
    let groups: Vec<&str> = whole.split(gap).collect();
    let are_threes = groups[1..].iter().all(|group| group.len() == 3);
    let is_number = groups.iter().all(|group| are_digits(group));
    if are_threes && is_number && (1..=3).contains(&groups[0].len()) {
        groups.concat() + rest
    } else {
        text.to_owned()
    }
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}
