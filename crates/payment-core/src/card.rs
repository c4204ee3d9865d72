//! Finds card numbers (PAN), so that none is ever stored: a database that holds one is in scope of PCI DSS.
//!
//! A card number is 14, 15, 16 or 19 digits that start as an issuer's do and pass the Luhn check (ISO/IEC 7812-1),
//! written as people and terminals write them:
//!
//! - in one run, also with an expiry date, or an expiry date and a security code, right behind it;
//! - in the groups that cards are printed in, with white space, one mark, or both between them;
//! - as track 1, track 2, or the EMV tags 57 and 5A, in plain text, in hexadecimal, and as a dump of bytes;
//! - in decimal digits of any script, percent-encoded, or with HTML entities.
//!
//! What else has such digits is no card number: numbers that are not whole, phone numbers, valid IBANs, tracking numbers
//! of UPS and USPS, UUIDs and digests. A bare run of 16 digits can't be told from a card number; [`exempt::CardCheck`]
//! is for members that hold those.
//!
//! The pay page has the same rules in `web-tier/assets/card.js`; one table of examples holds both to one answer. The
//! check runs on every text of every payment: it takes linear time, and allocates only where a text has many digits
//! and something to decode.

mod decode;
pub mod exempt;
mod groups;
pub mod iban;
mod identifier;
mod issuer;
mod number;
mod track;

use std::ops::Range;

pub use self::exempt::CardCheck;
use self::groups::Groups;

/// The shortest run that may be part of a number with a point and 14 digits.
const LONG_RUN: usize = 12;

/// Whether a card number stands anywhere in `text`.
pub fn is_in(text: &str) -> bool {
    has_enough_digits(text) && (is_written_in(text) || is_encoded_in(text))
}

/// As [`is_in`], for a number in JSON's notation: `4.111111111111111e15` is one, and no fraction is.
pub fn is_in_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    if digits.iter().all(u8::is_ascii_digit) {
        return issuer::is_in_run(digits);
    }
    number::is_card(text)
}

/// Nearly every text is done here. Looked at without a branch a byte, many bytes are one instruction.
fn has_enough_digits(text: &str) -> bool {
    // A character beyond ASCII may be a digit of another script.
    let may_be_digit = |byte: u8| usize::from(byte.is_ascii_digit()) | usize::from(byte >= 0xc0);
    text.len() >= issuer::DIGITS_MIN
        && text.bytes().map(may_be_digit).sum::<usize>() >= issuer::DIGITS_MIN
}

/// Whether a card number stands in `text` as it is, in ASCII digits.
fn is_written_in(text: &str) -> bool {
    let mut groups = Groups::default();
    runs(text).any(|run| {
        let is_card = run.len() >= LONG_RUN && is_in_run(text, &run);
        is_card || groups.complete_card(text, run)
    })
}

fn is_encoded_in(text: &str) -> bool {
    let views = decode::views(text);
    let all = || std::iter::once(text).chain(views.iter().map(String::as_str));
    views.iter().any(|view| is_written_in(view))
        || all().any(|view| track::in_hex(view).is_some_and(|track| is_written_in(&track)))
        || all().any(|view| track::dumped(view).is_some_and(|bytes| is_dumped_in(&bytes)))
}

/// A dump has digits of everything: only a track or a tag is looked for.
fn is_dumped_in(bytes: &str) -> bool {
    runs(bytes).any(|run| track::is_at(bytes, &run) || track::is_value(bytes, &run))
        || track::in_hex(bytes).is_some_and(|track| is_written_in(&track))
}

fn is_in_run(text: &str, run: &Range<usize>) -> bool {
    if track::is_at(text, run) {
        return true;
    }
    if let Some(number) = number::around(text, run) {
        return number::is_card(number) || number::is_card_with_more(number);
    }
    issuer::is_in_run(&text.as_bytes()[run.clone()]) && !identifier::covers(text, run)
}

/// Where ASCII digits stand side by side.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + bytes[at..].iter().position(u8::is_ascii_digit)?;
        at = digits_end(bytes, start);
        Some(start..at)
    })
}

/// Returns where the digits that start at `start` end.
fn digits_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes[start..].iter();
    start + rest.take_while(|byte| byte.is_ascii_digit()).count()
}

/// Returns where the digits that end at `end` start.
fn digits_start(bytes: &[u8], end: usize) -> usize {
    let before = bytes[..end].iter().rev();
    end - before.take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests;
