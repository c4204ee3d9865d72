//! The wildcards of IAM: `*` is any text, `?` any one character.

/// Whether `text` matches `pattern` as a whole.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (mut wanted, mut left) = (pattern.chars(), text.chars());
    // Where to go on after a mismatch: behind the last `*`, with that `*` taking one more character.
    let mut retry = None;
    loop {
        let mut rest = wanted.clone();
        let mut ahead = left.clone();
        match (rest.next(), ahead.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                retry = Some((rest.clone(), left.clone()));
                wanted = rest;
            }
            (Some(p), Some(t)) if p == '?' || p == t => (wanted, left) = (rest, ahead),
            _ => {
                let Some((behind, from)) = &mut retry else {
                    return false;
                };
                if from.next().is_none() {
                    return false;
                }
                (wanted, left) = (behind.clone(), from.clone());
            }
        }
    }
}

/// [`matches()`] without regard to case, as action names are compared.
pub fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

/// Matches each of an ARN's six parts by itself, so that a `*` never crosses a colon but in the last.
pub fn arn_matches(pattern: &str, arn: &str) -> bool {
    let (wanted, given) = (pattern.splitn(6, ':'), arn.splitn(6, ':'));
    wanted.clone().count() == given.clone().count()
        && wanted
            .zip(given)
            .all(|(pattern, part)| matches(pattern, part))
}

#[cfg(test)]
mod tests {
    use super::{arn_matches, matches};

    #[test]
    fn wildcards() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*", "a", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("a?c", "aßc", true),
            ("a?c", "ac", false),
            ("*/b*", "a/b/c", true),
            ("s3:*Object", "s3:PutObject", true),
            ("s3:*Object", "s3:PutObjectAcl", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn a_star_stays_within_its_part_of_an_arn() {
        assert!(arn_matches(
            "arn:aws:s3:::bucket/*",
            "arn:aws:s3:::bucket/a:b"
        ));
        assert!(!arn_matches("arn:aws:*:bucket", "arn:aws:s3:::bucket"));
    }
}
