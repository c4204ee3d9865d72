//! What may have the digits of a card number by chance, and is known by its form.

use std::ops::Range;

use super::iban;

/// Digits of a phone number with its country (E.164), at most.
const PHONE_DIGITS_MAX: usize = 15;

/// Hexadecimal text of at least this length, digits and letters mixed, is a digest.
const DIGEST_CHARS_MIN: usize = 32;

/// Hexadecimal digits of a span's id.
const SPAN_CHARS: usize = 16;

/// Whether the digits that start and end here, alone or in groups, belong to an identifier.
pub fn covers(text: &str, digits: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    is_phone_number(text, digits)
        || is_in_digest(bytes, digits)
        || is_in_uuid(bytes, digits)
        || is_tracked_by_ups(bytes, digits)
        || is_tracked_by_usps(bytes, digits)
        || iban::covers(bytes, digits)
}

/// `1Z` and 16 digits. Letters may stand among these, but then no run is as long as a card number.
fn is_tracked_by_ups(bytes: &[u8], digits: &Range<usize>) -> bool {
    let (before, number) = (&bytes[..digits.start], &bytes[digits.clone()]);
    let mark = before.len().checked_sub(2).map(|at| before.split_at(at));
    number.len() == 16
        && number.iter().all(u8::is_ascii_digit)
        && mark.is_some_and(|(before, mark)| {
            mark.eq_ignore_ascii_case(b"1Z")
                && !before.last().is_some_and(u8::is_ascii_alphanumeric)
        })
}

/// 22 digits from 91 to 95 on, in groups of four: those from the second to the fifth could be a card's.
fn is_tracked_by_usps(bytes: &[u8], digits: &Range<usize>) -> bool {
    const GROUP: usize = 5;
    const CHARS: usize = 27;
    let label = digits
        .start
        .checked_sub(GROUP)
        .and_then(|start| bytes.get(start..start + CHARS));
    let groups = label
        .into_iter()
        .flat_map(|label| label.split(|byte| b" -".contains(byte)));
    let groups: Vec<_> = groups.collect();
    let number = groups.concat();
    groups
        .iter()
        .map(|group| group.len())
        .eq([4, 4, 4, 4, 4, 2])
        && number.iter().all(u8::is_ascii_digit)
        && matches!(number[..], [b'9', b'1'..=b'5', ..])
        && weighted(&number).is_multiple_of(10)
}

/// The sum of the digits, each second one before the last three times.
fn weighted(digits: &[u8]) -> u32 {
    let values = digits.iter().rev().map(|digit| u32::from(digit - b'0'));
    let weights = [1, 3].into_iter().cycle();
    values
        .zip(weights)
        .map(|(value, weight)| value * weight)
        .sum()
}

/// `+` right before the digits, and no letter or digit before that: in a form, a `+` is a space.
fn is_phone_number(text: &str, digits: &Range<usize>) -> bool {
    let count = text[digits.clone()]
        .bytes()
        .filter(u8::is_ascii_digit)
        .count();
    let before = text[..digits.start].strip_suffix('+');
    count <= PHONE_DIGITS_MAX
        && before.is_some_and(|before| {
            !before
                .chars()
                .next_back()
                .is_some_and(char::is_alphanumeric)
        })
}

/// A digest has no spaces: only digits in one run can be part of it. A digest right before the word makes it the
/// second half of a trace's id (W3C Trace Context).
fn is_in_digest(bytes: &[u8], digits: &Range<usize>) -> bool {
    let start = hex_start(bytes, digits.start);
    let after = bytes[digits.start..].iter();
    let end = digits.start + after.take_while(|byte| byte.is_ascii_hexdigit()).count();
    end >= digits.end
        && (is_digest(&bytes[start..end])
            || end - start == SPAN_CHARS
                && bytes[..start].ends_with(b"-")
                && is_digest(&bytes[hex_start(bytes, start - 1)..start - 1]))
}

fn is_digest(word: &[u8]) -> bool {
    word.len() >= DIGEST_CHARS_MIN && word.iter().any(u8::is_ascii_alphabetic)
}

/// Returns where the hexadecimal digits that end at `end` start.
fn hex_start(bytes: &[u8], end: usize) -> usize {
    let before = bytes[..end].iter().rev();
    end - before.take_while(|byte| byte.is_ascii_hexdigit()).count()
}

/// Whether any of the digits belong to a UUID.
fn is_in_uuid(bytes: &[u8], digits: &Range<usize>) -> bool {
    const CHARS: usize = 36;
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let first = digits.start.saturating_sub(CHARS - 1);
    let last = digits.end.min(bytes.len());
    bytes[first..]
        .windows(CHARS)
        .take(last - first)
        .any(|uuid| {
            HYPHENS.iter().all(|at| uuid[*at] == b'-')
                && (0..CHARS).all(|at| uuid[at].is_ascii_hexdigit() || HYPHENS.contains(&at))
        })
}
