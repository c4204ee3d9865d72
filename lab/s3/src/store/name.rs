//! Keys as file names, and back.
//!
//! A key is split at its slashes. Every piece is percent-encoded and becomes one name. The last character of a name,
//! which the encoding never produces, tells the kind of the piece:
//!
//! - `+` a directory: a slash follows in the key
//! - `@` a file: the key ends
//! - `~` a directory: the piece continues in the next name, because file names are short
//!
//! So the keys `a`, `a/` and `a/b` are the files `a@`, `a+/@` and `a+/b@`, which can exist side by side; and since no
//! name is empty, `.` or `..`, no key escapes its bucket's directory.

use object_store::path::{Error, Path};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'=');

/// Leaves room within the 255 bytes of a file name for the mark and the suffix of a staged file.
const MAX_PIECE: usize = 200;

pub fn to_path(key: &str) -> Result<Path, Error> {
    let mut path = String::with_capacity(key.len() + 16);
    let mut segments = key.split('/').peekable();
    while let Some(segment) = segments.next() {
        let encoded = utf8_percent_encode(segment, ENCODED).to_string();
        let mut piece = encoded.as_str();
        while piece.len() > MAX_PIECE {
            let (head, tail) = piece.split_at(MAX_PIECE);
            path.extend([head, "~/"]);
            piece = tail;
        }
        path.extend([piece, if segments.peek().is_some() { "+/" } else { "@" }]);
    }
    Path::parse(path)
}

/// Returns `None` for a path that [`to_path`] never makes.
pub fn from_path(path: &Path) -> Option<String> {
    let (directories, last) = path
        .as_ref()
        .rsplit_once('/')
        .unwrap_or(("", path.as_ref()));
    let mut encoded = String::new();
    for name in directories.split_terminator('/') {
        match (name.strip_suffix('+'), name.strip_suffix('~')) {
            (Some(piece), _) => encoded.extend([piece, "/"]),
            (None, Some(piece)) => encoded.push_str(piece),
            (None, None) => return None,
        }
    }
    encoded.push_str(last.strip_suffix('@')?);
    percent_decode_str(&encoded)
        .decode_utf8()
        .ok()
        .map(String::from)
}

#[cfg(test)]
mod tests {
    use object_store::path::Path;
    use proptest::prelude::*;

    use super::{from_path, to_path};

    #[test]
    fn names_are_readable_and_never_clash() {
        let cases = [
            (
                "transactions/dt=2026-11-22/a.ndjson",
                "transactions+/dt=2026-11-22+/a.ndjson@",
            ),
            ("a", "a@"),
            ("a/", "a+/@"),
            ("a/b", "a+/b@"),
            ("a//b", "a+/+/b@"),
            ("/a", "+/a@"),
            ("../../etc", "..+/..+/etc@"),
            ("..", "..@"),
            ("a+@~#1", "a%2B%40%7E%231@"),
            ("100% ü", "100%25%20%C3%BC@"),
        ];
        for (key, path) in cases {
            assert_eq!(to_path(key).unwrap().as_ref(), path);
            assert_eq!(from_path(&Path::parse(path).unwrap()).as_deref(), Some(key));
        }
    }

    proptest! {
        #[test]
        fn keys_come_back_from_short_names(key in "(/|[a-c]|\\PC|[\u{0}-\u{1f}]){1,256}") {
            let path = to_path(&key).unwrap();
            prop_assert!(path.as_ref().split('/').all(|name| name.len() < 255 && !name.starts_with('/')));
            prop_assert_eq!(from_path(&path), Some(key));
        }

        #[test]
        fn different_keys_are_different_paths(one in "[ab/.+~@%]{1,8}", other in "[ab/.+~@%]{1,8}") {
            prop_assert_eq!(one == other, to_path(&one).unwrap() == to_path(&other).unwrap());
        }
    }
}
