//! Texts in which digits or what stands between them are written as something else, or cannot be seen.

use percent_encoding::percent_decode_str;

use super::groups::is_invisible;
use crate::digits;

/// How often a text is decoded: `%2520` and `&amp;nbsp;` come of forms within forms.
const DEPTH: usize = 3;

/// What a named entity stands for, if it is none of those that matter here: some mark.
const MARK: char = '\u{b7}';

/// The longest entity, without `&` and `;`.
const ENTITY_BYTES_MAX: usize = 14;

/// The text decoded once, twice, and so on, as long as that changes anything.
pub fn views(text: &str) -> Vec<String> {
    let mut views: Vec<String> = Vec::new();
    while views.len() < DEPTH {
        let last = views.last().map_or(text, String::as_str);
        match decoded(last) {
            Some(next) => views.push(next),
            None => break,
        }
    }
    views
}

fn decoded(text: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii() && byte != b'%' && byte != b'&';
    if text.bytes().all(is_plain) {
        return None;
    }
    let percent_decoded = percent_decode_str(text).decode_utf8_lossy();
    let mut out = String::with_capacity(percent_decoded.len());
    let mut rest = &*percent_decoded;
    while let Some(at) = rest.find('&') {
        let (c, length) = entity(&rest[at..]).unwrap_or(('&', 1));
        out.extend(rest[..at].chars().chain([c]).filter_map(shown));
        rest = &rest[at + length..];
    }
    out.extend(rest.chars().filter_map(shown));
    (out != text).then_some(out)
}

/// A digit of any script as one of ASCII. Pages let a browser break a long number at characters that nobody sees.
fn shown(c: char) -> Option<char> {
    (!is_invisible(c)).then(|| digits::to_ascii(c).unwrap_or(c))
}

/// The character of the entity that `text` starts with, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text
        .bytes()
        .take(ENTITY_BYTES_MAX + 2)
        .position(|byte| byte == b';')?;
    let name = &text[1..end];
    let c = match name.strip_prefix('#').filter(|code| !code.contains('+')) {
        Some(code) => char::from_u32(match code.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => code.parse().ok()?,
        })?,
        None if name.len() < 2 || !name.bytes().all(|b| b.is_ascii_alphanumeric()) => return None,
        None if name == "amp" => '&',
        None if matches!(name, "shy" | "zwj" | "zwnj" | "ZeroWidthSpace") => '\u{ad}',
        // nbsp, ensp, thinsp and their like; Tab and NewLine.
        None if name.ends_with("sp") || matches!(name, "Tab" | "NewLine") => ' ',
        None => MARK,
    };
    Some((c, end + 1))
}
