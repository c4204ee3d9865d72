//! What terminals and card processors emit: tracks of the magnetic stripe, and the same in EMV tags and hexadecimal.
//!
//! Track 1 (`%B4111…^NAME^2512…`) needs nothing of its own: its number is a run of digits.

use std::ops::Range;

use super::{digits_end, issuer};

/// Digits of track 2 behind its separator that are always there: expiry YYMM, service code.
const TRACK_TWO_DIGITS: usize = 7;

/// Bytes of a dump that may hold a tag and its number.
const DUMP_BYTES_MIN: usize = 1 + issuer::DIGITS_MIN / 2;

/// Whether the run ends in the number of a track 2, or holds that of tag 5A.
pub fn is_at(text: &str, run: &Range<usize>) -> bool {
    is_track_two(text.as_bytes(), run) || is_tag_5a(text.as_bytes(), run)
}

/// `4761739001010119D15122011758989389F`, or with `=`. As the value of tag 57, tag and length stand right before
/// it, and they may be digits as well.
fn is_track_two(bytes: &[u8], run: &Range<usize>) -> bool {
    if !matches!(bytes.get(run.end), Some(b'D' | b'd' | b'=')) {
        return false;
    }
    let start = run.end + 1;
    let more = &bytes[start..digits_end(bytes, start)];
    let digits = &bytes[run.clone()];
    let ends_in_card = || {
        let lengths = issuer::LENGTHS.iter();
        let starts = lengths.filter_map(|length| digits.len().checked_sub(*length));
        starts.map(|start| &digits[start..]).any(issuer::is_card)
    };
    more.len() >= TRACK_TWO_DIGITS && issuer::is_month(&more[2..4]) && ends_in_card()
}

/// `5A08` and the number, filled up with an `F` to whole bytes.
fn is_tag_5a(bytes: &[u8], run: &Range<usize>) -> bool {
    let digits = &bytes[run.clone()];
    if is_behind(b"5A0A", bytes, run) {
        return issuer::is_card(digits);
    }
    is_behind(b"5A", bytes, run)
        && match digits {
            [b'0', b'7', card @ ..] => card.get(..14).is_some_and(issuer::is_card),
            [b'0', b'8', card @ ..] => issuer::is_card(card.get(..16).unwrap_or(card)),
            _ => false,
        }
}

/// Whether the run is the value of a tag 5A without its length: `5A: 47 61 73 …`. A fingerprint may have both within.
pub fn is_value(bytes: &str, run: &Range<usize>) -> bool {
    let bytes = bytes.as_bytes();
    let is_first = run.start == 2 || is_behind(b"\n5A", bytes, run);
    is_first && is_behind(b"5A", bytes, run) && issuer::is_card(&bytes[run.clone()])
}

fn is_behind(tag: &[u8], bytes: &[u8], run: &Range<usize>) -> bool {
    let start = run.start.checked_sub(tag.len());
    start.is_some_and(|start| bytes[start..run.start].eq_ignore_ascii_case(tag))
}

/// What hexadecimal codes of ASCII in `text` mean, if digits enough for a card number are among them: `3B343131…`.
pub fn in_hex(text: &str) -> Option<String> {
    let threes = text.bytes().filter(|byte| *byte == b'3').count();
    if threes < issuer::DIGITS_MIN {
        return None;
    }
    let words = text.split(|c: char| !c.is_ascii_hexdigit());
    let long = words.filter(|word| word.len() >= 2 * issuer::DIGITS_MIN);
    // A word may start with half a byte of something else.
    let tracks: Vec<_> = long
        .flat_map(|word| [word, &word[1..]])
        .filter(|word| has_digits(word))
        .map(ascii)
        .collect();
    (!tracks.is_empty()).then(|| tracks.join("\n"))
}

/// Whether 14 codes in a row are digits.
fn has_digits(word: &str) -> bool {
    let (codes, _) = word.as_bytes().as_chunks::<2>();
    let digits = codes.split(|[high, low]| *high != b'3' || !low.is_ascii_digit());
    digits
        .map(<[_]>::len)
        .any(|count| count >= issuer::DIGITS_MIN)
}

fn ascii(word: &str) -> String {
    let (codes, _) = word.as_bytes().as_chunks::<2>();
    let byte = |code: &[u8; 2]| {
        let code = std::str::from_utf8(code).ok()?;
        u8::from_str_radix(code, 16).ok()
    };
    let bytes = codes.iter().filter_map(byte);
    bytes
        .map(|byte| {
            if byte.is_ascii() {
                char::from(byte)
            } else {
                char::REPLACEMENT_CHARACTER
            }
        })
        .collect()
}

/// The bytes of a dump, without what stands between them: `57 11 47 61 …`, `5A: 47 61 …`.
pub fn dumped(text: &str) -> Option<String> {
    let is_gap = |c: char| c.is_ascii_whitespace() || matches!(c, ':' | '-' | ',' | '=');
    let is_byte = |word: &&str| word.len() == 2 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let words = || text.split(is_gap).filter(|word| !word.is_empty());
    if text.len() < 3 * DUMP_BYTES_MIN - 1 || words().filter(is_byte).count() < DUMP_BYTES_MIN {
        return None;
    }
    let mut bytes = String::new();
    for word in words() {
        bytes.push_str(if is_byte(&word) { word } else { "\n" });
    }
    Some(bytes)
}
