//! Compares the output that a page shows with the real output.

/// A line that matches any number of lines.
const ANY_LINES: &str = "...";

/// Whether the output matches the page's. Runs of blanks count as one, and blanks at the ends do not count. `<id>`
/// matches one or more characters that are not blank, and a line `...` any lines.
pub fn matches(expected: &str, seen: &str) -> bool {
    let expected: Vec<_> = expected.trim().lines().map(words).collect();
    let seen: Vec<_> = seen.trim().lines().map(words).collect();
    lines_match(&expected, &seen)
}

fn lines_match(expected: &[String], seen: &[String]) -> bool {
    match (expected.split_first(), seen.split_first()) {
        (None, None) => true,
        (Some((any, rest)), _) if any == ANY_LINES => {
            (0..=seen.len()).any(|from| lines_match(rest, &seen[from..]))
        }
        (Some((line, rest)), Some((seen, left))) => {
            line_matches(line, seen) && lines_match(rest, left)
        }
        _ => false,
    }
}

fn words(line: &str) -> String {
    let words: Vec<_> = line.split_whitespace().collect();
    words.join(" ")
}

/// Placeholders match as much as they can, but no blanks.
fn line_matches(expected: &str, seen: &str) -> bool {
    let Some((before, rest)) = expected.split_once('<') else {
        return expected == seen;
    };
    let Some((_, after)) = rest.split_once('>') else {
        return expected == seen;
    };
    let Some(seen) = seen.strip_prefix(before) else {
        return false;
    };
    let filled = seen.find(char::is_whitespace).unwrap_or(seen.len());
    let ends = seen.char_indices().map(|(at, c)| at + c.len_utf8());
    ends.take_while(|&end| end <= filled)
        .any(|end| line_matches(after, &seen[end..]))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_placeholder_stands_for_something_without_a_blank() {
        for (expected, seen, same) in [
            ("VPC=vpc-<id>", "VPC=vpc-0a1b2c", true),
            ("VPC=vpc-<id>", "VPC=vpc-", false),
            ("VPC=vpc-<id>", "VPC=vpc-1 2", false),
            ("a <x> b <y>", "a 1 b 2", true),
            ("db.<x>.us.<y>.com", "db.p.us.q.r.com", true),
            ("<only>", "", false),
            ("1 < 2", "1 < 2", true),
        ] {
            assert_eq!(matches(expected, seen), same, "{expected} {seen}");
        }
    }

    #[test]
    fn blanks_are_as_good_as_tabs_and_lines_must_be_all_there() {
        assert!(matches("a  b\nc\n", "a\tb\nc"));
        assert!(!matches("a\nb", "a"));
        assert!(!matches("a", "a\nb"));
        assert!(matches("a\n...\nd", "a\nb\nc\nd"));
        assert!(matches("...\nd", "d"));
        assert!(!matches("a\n...\nd", "a\nb\nc"));
    }
}
