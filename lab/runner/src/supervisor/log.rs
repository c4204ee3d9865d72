//! Rotates a part's log.

use std::{fs, io, path::Path};

/// Largest log file; each part has at most two.
const SIZE_MAX: u64 = 64 << 20;

/// Moves the content of a large log to `LOG.1`.
///
/// The part keeps the file open for appending, so it is copied and truncated, not renamed; a line written at that
/// moment may be lost.
pub(super) fn rotate(log: &Path) -> io::Result<()> {
    rotate_beyond(log, SIZE_MAX)
}

fn rotate_beyond(log: &Path, size_max: u64) -> io::Result<()> {
    if fs::metadata(log)?.len() <= size_max {
        return Ok(());
    }
    fs::copy(log, log.with_extension("log.1"))?;
    fs::OpenOptions::new().write(true).open(log)?.set_len(0)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::files;

    #[test]
    fn a_writer_that_appends_goes_on_in_the_emptied_file() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("app-a.log");
        let mut writer = files::append(&log).unwrap();
        writer.write_all(b"one\n").unwrap();

        rotate_beyond(&log, 4).unwrap();
        assert_eq!(fs::read_to_string(&log).unwrap(), "one\n", "not yet large");

        writer.write_all(b"two\n").unwrap();
        rotate_beyond(&log, 4).unwrap();
        writer.write_all(b"three\n").unwrap();

        let earlier = dir.path().join("app-a.log.1");
        assert_eq!(fs::read_to_string(earlier).unwrap(), "one\ntwo\n");
        assert_eq!(fs::read_to_string(log).unwrap(), "three\n");
    }
}
