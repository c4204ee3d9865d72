//! Finds card numbers (PAN), so that none is ever stored: PCI DSS 3.5.1 asks for more than this project
//! wants to hold.
//!
//! A card number is 13 to 19 digits that start as an issuer's do and pass the Luhn check (ISO/IEC 7812-1).
//! Digits may be grouped by single spaces, hyphens or points. Issuer ranges keep ordinary numbers out:
//! a timestamp in milliseconds starts with 1, which no card network here does. UUIDs and long hexadecimal
//! digests are skipped, since chance alone puts such digits into them.

use std::ops::{Range, RangeInclusive};

const DIGITS: RangeInclusive<usize> = 13..=19;

/// Hexadecimal text of at least this length, digits and letters mixed, is a digest and no card.
const DIGEST_CHARS_MIN: usize = 32;

/// Whether a card number stands anywhere in `text`.
pub fn is_in(text: &str) -> bool {
    if text.len() < *DIGITS.start() {
        return false;
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let groups = Groups::starting_at(text, at);
        if groups.cards().any(|card| !is_in_identifier(text, &card)) {
            return true;
        }
        at = groups.end;
    }
    false
}

/// Runs of digits with one separator between neighbours, as card numbers are printed.
struct Groups<'a> {
    text: &'a str,
    runs: Vec<Range<usize>>,
    end: usize,
}

impl<'a> Groups<'a> {
    fn starting_at(text: &'a str, start: usize) -> Self {
        let mut runs = Vec::new();
        let mut at = start;
        loop {
            let rest = &text[at..];
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            let end = at + length;
            runs.push(at..end);
            let separator = text[end..].chars().next().filter(|c| is_separator(*c));
            let next = end + separator.map_or(0, char::len_utf8);
            if next == end || !text.as_bytes().get(next).is_some_and(u8::is_ascii_digit) {
                return Self { text, runs, end };
            }
            at = next;
        }
    }

    /// Where card numbers stand, of every stretch of neighbouring runs: a date may stand right before one.
    fn cards(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.runs.len()).flat_map(move |first| {
            let mut digits = Vec::with_capacity(*DIGITS.end());
            let start = self.runs[first].start;
            let runs = self.runs[first..].iter();
            let stretches = runs.map_while(move |run| {
                digits.extend(self.text[run.clone()].bytes().map(|b| b - b'0'));
                if digits.len() > *DIGITS.end() {
                    return None;
                }
                let is_card =
                    DIGITS.contains(&digits.len()) && has_issuer(&digits) && passes_luhn(&digits);
                Some(is_card.then_some(start..run.end))
            });
            stretches.flatten()
        })
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '\u{a0}')
}

/// First digits and lengths by network, from the issuers' published ranges.
fn has_issuer(digits: &[u8]) -> bool {
    let first = |n: usize| {
        digits[..n]
            .iter()
            .fold(0_u32, |value, d| value * 10 + u32::from(*d))
    };
    match digits.len() {
        13 => digits[0] == 4,
        14 => matches!(first(3), 300..=305 | 309) || matches!(first(2), 36 | 38 | 39),
        15 => matches!(first(2), 34 | 37),
        16 => is_sixteen_digit_issuer(first(2), first(3), first(4)),
        // Maestro, UnionPay, and Visa's, Discover's and JCB's long forms.
        17..=19 => {
            matches!(first(2), 50 | 56..=69) || digits[0] == 4 || matches!(first(4), 3528..=3589)
        }
        _ => false,
    }
}

fn is_sixteen_digit_issuer(two: u32, three: u32, four: u32) -> bool {
    let visa = two / 10 == 4;
    let mastercard = matches!(two, 51..=55) || matches!(four, 2221..=2720);
    let discover = matches!(two, 60 | 64 | 65);
    let unionpay_or_rupay = matches!(two, 62 | 81 | 82);
    let jcb = matches!(four, 3528..=3589);
    let diners = matches!(three, 300..=305 | 309) || matches!(two, 36 | 38 | 39);
    let mir = matches!(four, 2200..=2204);
    let maestro = matches!(two, 50 | 56..=59 | 61 | 63 | 66..=69);
    visa || mastercard || discover || unionpay_or_rupay || jcb || diners || mir || maestro
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([false, true].into_iter().cycle())
        .map(|(digit, double)| {
            let value = u32::from(*digit) * if double { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    // All zeros pass the sum and are no card.
    sum.is_multiple_of(10) && sum > 0
}

/// Whether these digits are part of a UUID or a digest.
fn is_in_identifier(text: &str, digits: &Range<usize>) -> bool {
    let is_part = |b: &u8| b.is_ascii_hexdigit() || *b == b'-';
    let bytes = text.as_bytes();
    let before = bytes[..digits.start].iter().rev();
    let start = digits.start - before.take_while(|b| is_part(b)).count();
    let after = bytes[digits.end..].iter();
    let end = digits.end + after.take_while(|b| is_part(b)).count();
    let word = &text[start..end];
    is_digest(word) || is_in_uuid(word, &(digits.start - start..digits.end - start))
}

/// Whether a UUID covers the digits: as the whole word, or with more before or behind it, as in `order-UUID-1`.
fn is_in_uuid(word: &str, digits: &Range<usize>) -> bool {
    const LENGTHS: [usize; 5] = [8, 4, 4, 4, 12];
    const CHARS: usize = 36;
    let lengths: Vec<_> = word.split('-').map(str::len).collect();
    let mut start = 0;
    lengths.windows(LENGTHS.len()).any(|window| {
        let uuid = start..start + CHARS;
        start += window[0] + 1;
        window == LENGTHS && uuid.start <= digits.start && digits.end <= uuid.end
    })
}

fn is_digest(word: &str) -> bool {
    word.len() >= DIGEST_CHARS_MIN
        && !word.contains('-')
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn p8_card_numbers_are_found_however_they_are_written() {
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111.1111.1111.1111",
            "4111\u{a0}1111\u{a0}1111\u{a0}1111",
            "378282246310005",
            "3782 822463 10005",
            "30569309025904",
            "5555555555554444",
            "2223003122003222",
            "6011111111111117",
            "3530111333300000",
            "6200000000000005",
            "4222222222222",
            "6304000000000000",
            "4000000000000000006",
            "card 4111111111111111, thanks",
            "tx_4111111111111111",
            "a4111111111111111b",
            "2026-11-22 4111 1111 1111 1111",
            "4111 1111 1111 1111 12/29",
            "ä4111111111111111ä",
            "41111111-1111-4111-8111-111111111111-4111-1111-1111-1111",
            "order-41111111-1111-4111-8111-111111111143-4111-1111-1111-1111",
        ] {
            assert!(is_in(card), "{card}");
        }
    }

    #[test]
    fn ordinary_numbers_are_not_card_numbers() {
        for text in [
            "",
            "tx_1747539198353",
            "1747539198353000",
            "1747539198353000000",
            "4111111111111112",
            "411111111111",
            "0000000000000000",
            "41111111111111111111111",
            "4111  1111  1111  1111",
            "2026-11-22T07:30:00.123456Z",
            "+1 800 555 0199",
            "41111111-1111-4111-8111-111111111111",
            "order-41111111-1111-4111-8111-111111111111",
            "face-41111111-1111-4111-8111-111111111111-1",
            "41111111-1111-4111-8111-111111111111:41111111-1111-4111-8111-111111111111",
            "e3b0c44298fc1c149afbf4c8996fb4111111111111111b934ca495991b7852b8",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert!(!is_in(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text in any::<String>()) {
            is_in(&text);
        }

        #[test]
        fn p8_a_visa_number_is_found_wherever_it_stands(
            body in prop::collection::vec(0_u8..10, 14), before in "[a-z ]{0,5}", after in "[a-z ]{0,5}"
        ) {
            let mut digits = vec![4];
            digits.extend(body);
            let check = (0..10).find(|c| passes_luhn(&[digits.as_slice(), &[*c]].concat())).unwrap();
            digits.push(check);
            let card: String = digits.iter().map(|d| char::from(b'0' + d)).collect();
            let text = format!("{before}{card}{after}");
            prop_assert!(is_in(&text));
        }

        #[test]
        fn a_timestamp_of_this_age_passes(millis in 1_500_000_000_000_u64..2_000_000_000_000) {
            let text = format!("tx_{millis}");
            prop_assert!(!is_in(&text));
        }
    }
}
