//! Formats numbers and times for people. Templates pass references, code passes values.

use std::borrow::{Borrow, Cow};
use std::fmt::{self, Write as _};
use std::time::Duration;

use askama::filters::{Escaper as _, Html, HtmlSafe};
use payment_core::Timestamp;
use time::OffsetDateTime;
use time::macros::format_description;

/// Formats `1,234,567`.
pub fn count(number: impl Borrow<u64>) -> String {
    let digits = number.borrow().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats `0.4 ms`, `12 ms`, `3.4 s`, `2 min`.
pub fn duration(length: impl Borrow<Duration>) -> String {
    let ms = length.borrow().as_secs_f64() * 1000.0;
    match ms {
        ..10.0 => format!("{ms:.1} ms"),
        ..1_000.0 => format!("{ms:.0} ms"),
        ..100_000.0 => format!("{:.1} s", ms / 1000.0),
        _ => format!("{:.0} min", ms / 60_000.0),
    }
}

/// Formats whole seconds: `0 s`, `12 s`, `2 min`.
pub fn seconds(length: Duration) -> String {
    match length.as_secs() {
        seconds @ ..100 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

/// Formats `812 B`, `1.4 KiB`, `3.0 MiB`.
pub fn bytes(bytes: u64) -> String {
    const KIB: u64 = 1024;
    match bytes {
        0..KIB => format!("{bytes} B"),
        // In tenths, which avoids floating point.
        KIB..1_048_576 => tenths(bytes * 10 / KIB, "KiB"),
        _ => tenths(bytes * 10 / 1_048_576, "MiB"),
    }
}

fn tenths(tenths: u64, unit: &str) -> String {
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// Formats `2026-11-25 19:40:01.123456`, UTC.
pub fn datetime(moment: OffsetDateTime) -> String {
    let format =
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:6]");
    // Every time has all fields of this format.
    moment.format(format).unwrap_or_default()
}

pub fn timestamp(moment: impl Borrow<Timestamp>) -> String {
    datetime(moment.borrow().to_utc())
}

/// Formats `2026-11-25 19:40:01`, UTC, for what is known in whole seconds.
pub fn whole_seconds(moment: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    moment.format(format).unwrap_or_default()
}

/// Formats `19:40:01`, UTC.
pub fn clock(moment: impl Borrow<OffsetDateTime>) -> String {
    let format = format_description!("[hour]:[minute]:[second]");
    moment.borrow().format(format).unwrap_or_default()
}

/// Singular or plural.
pub fn plural(number: impl Borrow<u64>, one: &str, many: &str) -> String {
    let number = *number.borrow();
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Wraps untrusted text as HTML that isolates its text direction.
pub fn foreign<T: AsRef<str> + ?Sized>(text: &T) -> Foreign<'_> {
    Foreign(text.as_ref())
}

#[derive(Clone, Copy, Debug)]
pub struct Foreign<'a>(&'a str);

impl HtmlSafe for Foreign<'_> {}

impl fmt::Display for Foreign<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<bdi>")?;
        Html.write_escaped_str(&mut *formatter, &visible(self.0))?;
        formatter.write_str("</bdi>")
    }
}

/// Escapes invisible characters that change the text direction.
pub fn visible<T: AsRef<str> + ?Sized>(text: &T) -> Cow<'_, str> {
    let text = text.as_ref();
    let is_mark = |sign| matches!(sign, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(is_mark) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() * 2);
    for sign in text.chars() {
        if is_mark(sign) {
            // Writing to a string can't fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(sign));
        } else {
            shown.push(sign);
        }
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_their_unit() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(duration(Duration::from_micros(420)), "0.4 ms");
        assert_eq!(duration(Duration::from_millis(999)), "999 ms");
        assert_eq!(duration(Duration::from_millis(3_400)), "3.4 s");
        assert_eq!(bytes(812), "812 B");
        assert_eq!(bytes(1_434), "1.4 KiB");
        assert_eq!(bytes(3 << 20), "3.0 MiB");
        assert_eq!(plural(1, "row", "rows"), "1 row");
    }

    #[test]
    fn a_name_with_an_override_stays_within_itself_and_shows_it() {
        let name = "Mallory \u{202e}00.01\u{2066}<b>";
        let shown = foreign(name).to_string();
        assert_eq!(shown, r"<bdi>Mallory \u202e00.01\u2066&#60;b&#62;</bdi>");
        assert_eq!(foreign("دفع").to_string(), "<bdi>دفع</bdi>");
        assert_eq!(visible("Zoë"), "Zoë");
    }
}
