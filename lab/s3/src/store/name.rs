//! Keys as file names, and back.
//!
//! A key is split at its slashes. Every piece is percent-encoded and becomes one name. The last character of a name,
//! which the encoding never produces, tells the kind of the piece:
//!
//! - `+` a directory: a slash follows in the key
//! - `@` a file: the key ends
//! - `~` a directory: the piece continues in the next name, because file names are short
//! - `!` a directory: earlier versions of the object of that name, each named by its version id, `@` for an object and
//!   `-` for a delete marker
//!
//! So the keys `a`, `a/` and `a/b` are the files `a@`, `a+/@` and `a+/b@`, which can exist side by side; and since no
//! name is empty, `.` or `..`, no key escapes its bucket's directory.

use object_store::path::{Error, Path};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::index::Version;
use crate::clock::Stamp;

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

/// Returns the path of an earlier version of the object at `object`.
pub fn to_version_path(object: &Path, version: &Version) -> Result<Path, Error> {
    let kind = if version.is_delete_marker() { '-' } else { '@' };
    Path::parse(format!("{object}!/{}{kind}", version.id))
}

/// Returns the path of the object, the version id, and whether it is a delete marker; `None` for a path that
/// [`to_version_path`] never makes.
pub fn from_version_path(path: &Path) -> Option<(Path, Stamp, bool)> {
    let (object, name) = path.as_ref().rsplit_once("!/")?;
    let (id, is_delete_marker) = match name.strip_suffix('@') {
        Some(id) => (id, false),
        None => (name.strip_suffix('-')?, true),
    };
    Some((
        Path::parse(object).ok()?,
        id.parse().ok()?,
        is_delete_marker,
    ))
}

#[cfg(test)]
mod tests {
    use object_store::path::Path;
    use proptest::prelude::*;

    use super::{from_path, from_version_path, to_path, to_version_path};
    use crate::clock::Clock;
    use crate::store::index::Version;

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

    #[test]
    fn versions_have_names_that_no_key_has() {
        let object = to_path("a/b!").unwrap();
        let marker = Version {
            id: Clock::default().stamp(),
            entry: None,
        };
        let path = to_version_path(&object, &marker).unwrap();
        assert_eq!(path.as_ref(), format!("a+/b%21@!/{}-", marker.id));
        assert_eq!(
            from_version_path(&path),
            Some((object.clone(), marker.id, true))
        );
        assert_eq!(from_path(&path), None);
        assert_eq!(from_version_path(&object), None);
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
