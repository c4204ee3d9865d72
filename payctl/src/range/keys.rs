//! Keys in their order: where the hours begin, and what stands before and behind a key.

use payment_core::{ObjectKey, Timestamp};

/// What the keys of all hours start with.
pub fn days(prefix: &str) -> String {
    format!("{prefix}dt=")
}

/// The hour that a key names, if it starts as the tiers make it.
pub fn hour_of(prefix: &str, key: &str) -> Option<Timestamp> {
    let day = key.strip_prefix(prefix)?.strip_prefix("dt=")?;
    let (date, rest) = day.split_at_checked("0000-00-00".len())?;
    let hour = rest.strip_prefix("/hh=")?.get(..2)?;
    let at = Timestamp::parse(&format!("{date}T{hour}:00:00Z"))?;
    key.starts_with(&ObjectKey::hour_prefix(prefix, at))
        .then_some(at)
}

/// Whether it is the folder of a day, as the tiers make it.
pub fn is_day(prefix: &str, folder: &str) -> bool {
    hour_of(prefix, &format!("{folder}hh=00/")).is_some()
}

/// The first text after all that start with `prefix`; `None` if there is none.
pub fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = (last..=char::MAX).nth(1);
        if let Some(next) = next {
            return Some(chars.into_iter().chain([next]).collect());
        }
    }
    None
}

/// Sorts before `key`, and after every other key that does: what a span is to begin behind that holds `key`.
pub fn last_before(key: &str) -> String {
    let mut chars: Vec<char> = key.chars().collect();
    let Some(last) = chars.pop() else {
        return String::new();
    };
    if let Some(before) = ('\0'..last).next_back() {
        chars.extend([before, LAST]);
    }
    chars.into_iter().collect()
}

/// No key holds it.
const LAST: char = '\u{10FFFF}';
