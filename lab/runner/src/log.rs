//! The end of a log, which says why a part failed.

use std::path::Path;

use crate::files;

/// Lines of a log in a message.
const SHOWN: usize = 20;

pub fn last_lines(text: &str, count: usize) -> impl Iterator<Item = &str> {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(count);
    lines.into_iter().skip(first)
}

/// The last lines of a log, as the end of a message.
pub fn end_of(path: &Path) -> String {
    let log = files::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = last_lines(&text, SHOWN).collect();
    if lines.is_empty() {
        return format!("\n\n{} is empty", path.display());
    }
    format!("\n\n{} ends with\n{}", path.display(), lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_all_where_there_are_fewer() {
        let last = |count| last_lines("a\nb\nc\n", count).collect::<Vec<_>>();
        assert_eq!(last(2), ["b", "c"]);
        assert_eq!(last(9), ["a", "b", "c"]);
    }
}
