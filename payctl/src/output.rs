//! What a command prints.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde::Serialize;

pub fn say(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

/// A line on stderr. Much of what goes wrong is told in the words of a server.
pub fn warn(text: &str) {
    // Nothing is left to do where stderr is closed.
    let _ = writeln!(io::stderr(), "payctl: {}", lines(text).trim_end());
}

/// One value as a line of JSON. What a terminal would obey is escaped as JSON does it.
pub fn say_json(value: &impl Serialize) -> io::Result<()> {
    let line = serde_json::to_string(value)?;
    let mut text = String::with_capacity(line.len() + 1);
    for c in line.chars() {
        if is_obeyed(c) {
            // All of them are of the basic plane. Writing to a String can't fail.
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text.push('\n');
    say(&text)
}

/// Names and counts, one a line, the counts under each other.
pub fn counts(counts: &[(&str, u64)]) -> String {
    let mut text = String::new();
    for (name, count) in counts {
        // Writing to a String can't fail.
        let _ = writeln!(text, "{name:<32} {:>15}", grouped(*count));
    }
    text
}

/// Cells in columns, each as wide as its widest.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `1,000,000`
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// [`safe`], line by line.
pub fn lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(safe).collect();
    lines.join("\n") + "\n"
}

/// Text that someone else chose, without what a terminal would obey or show in another order.
pub fn safe(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Control characters, all of Unicode's property `Bidi_Control`, and what ends a line.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_in_thousands() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(count), text);
        }
    }

    #[test]
    fn columns_stand_under_each_other() {
        let rows = [vec!["a".into(), "b".into()], vec!["ccc".into(), "d".into()]];
        assert_eq!(table(&rows), "a    b\nccc  d\n");
    }

    #[test]
    fn a_terminal_obeys_nothing() {
        assert_eq!(safe("ä \u{1b}[2J\n"), "ä \\u{1b}[2J\\n");
        assert_eq!(safe("\u{202E}1 \u{9b}2J"), "\\u{202e}1 \\u{9b}2J");
        assert_eq!(safe("\u{61C}1"), "\\u{61c}1");
    }
}
