//! A browser's profile: empty at first, removed at the end.

use std::{fs, io, path::Path, thread, time::Duration};

use tempfile::TempDir;

/// Attempts at removing it: a process that was killed may still write for a moment.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Profile(TempDir);

impl Profile {
    pub(super) fn new() -> Result<Self, io::Error> {
        TempDir::with_prefix("lab-browser-").map(Self)
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        for _ in 0..TRIES {
            match fs::remove_dir_all(self.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => thread::sleep(PAUSE),
                _ => return,
            }
        }
    }
}
