//! Many payments in one body: newline-delimited JSON, one payment a line.

/// Media type of a batch and of its answer.
pub const MEDIA_TYPE: &str = "application/x-ndjson";

/// Payments in one batch.
pub const PAYMENTS_MAX: usize = 1000;

/// Largest body of a batch, in bytes.
pub const BYTES_MAX: usize = 1024 * 1024;

/// One payment of a batch, as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number in the body, from 1. Blank lines count.
    pub number: usize,
    pub text: &'a [u8],
}

/// Whether a header Content-Type names a batch. Case and parameters mean nothing.
pub fn is_batch(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case(MEDIA_TYPE)
}

/// The payments of a batch. Blank lines are skipped, and the last line needs no newline.
pub fn lines(body: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let lines = body.split(|byte| *byte == b'\n').zip(1..);
    lines
        .map(|(text, number)| Line { number, text })
        .filter(|line| !is_blank(line.text))
}

/// Whether a line holds no payment: only what JSON counts as white space.
pub fn is_blank(line: &[u8]) -> bool {
    line.iter()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_are_skipped_and_keep_their_numbers() {
        let read = |body: &'static str| {
            let line = |line: Line<'static>| (line.number, std::str::from_utf8(line.text).unwrap());
            lines(body.as_bytes()).map(line).collect::<Vec<_>>()
        };
        assert_eq!(read("{}\n[]"), [(1, "{}"), (2, "[]")]);
        assert_eq!(read("\r\n{}\r\n \t\n[]\n\n"), [(2, "{}\r"), (4, "[]")]);
        assert_eq!(read("\u{feff}\n"), [(1, "\u{feff}")]);
        assert_eq!(read(""), []);
    }

    #[test]
    fn a_batch_is_told_by_its_media_type_alone() {
        for batch in [
            "application/x-ndjson",
            "Application/X-NDJSON ; charset=utf-8",
        ] {
            assert!(is_batch(batch), "{batch}");
        }
        for other in [
            "",
            "application/json",
            "application/x-ndjson+json",
            "x-ndjson",
        ] {
            assert!(!is_batch(other), "{other}");
        }
    }
}
