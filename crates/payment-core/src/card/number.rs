//! Numbers with a decimal point or an exponent: a card number may hide in a whole one, and never in a fraction.

use std::ops::Range;

use super::{digits_end, digits_start, issuer};
use crate::amount::Decimal;

/// The longest run in which a card number is looked for: with an expiry date and a security code.
const DIGITS_MAX: usize = issuer::DIGITS_MAX + 9;

/// The number with one decimal point, and perhaps an exponent, that this run of digits is a part of.
pub fn around<'a>(text: &'a str, run: &Range<usize>) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let is_point = |at: usize| bytes.get(at) == Some(&b'.');
    let point = if is_point(run.end) && is_digit(run.end + 1) {
        run.end
    } else {
        let point = run.start.checked_sub(1)?;
        (is_point(point) && point > 0 && is_digit(point - 1)).then_some(point)?
    };
    let (start, end) = (digits_start(bytes, point), digits_end(bytes, point + 1));
    // With two points it is a group of a number with points between groups.
    let has_other_points = start > 0 && is_point(start - 1) || is_point(end) && is_digit(end + 1);
    (!has_other_points).then(|| &text[start..exponent_end(bytes, end)])
}

fn exponent_end(bytes: &[u8], mantissa_end: usize) -> usize {
    let rest = &bytes[mantissa_end..];
    let sign = match rest {
        [b'e' | b'E', b'-' | b'+', ..] => 2,
        [b'e' | b'E', ..] => 1,
        _ => return mantissa_end,
    };
    let end = digits_end(bytes, mantissa_end + sign);
    if end == mantissa_end + sign {
        mantissa_end
    } else {
        end
    }
}

/// Whether a number in JSON's notation is whole and a card number.
pub fn is_card(text: &str) -> bool {
    let whole = Decimal::parse(text).and_then(|number| number.whole_digits(DIGITS_MAX));
    whole.is_some_and(|digits| issuer::is_in_run(&digits))
}

/// Whether a card number stands before the point, and a security code or an expiry date behind it. No number that
/// is measured or paid has so many digits before its point.
pub fn is_card_with_more(text: &str) -> bool {
    text.split_once('.').is_some_and(|(card, more)| {
        let is_more = matches!(more.len(), 3 | 4) && more.bytes().all(|b| b.is_ascii_digit());
        is_more && issuer::is_card(card.as_bytes())
    })
}
