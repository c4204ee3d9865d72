//! The file of clients on disk: read whole, and told apart from what it was before.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::SystemTime;

use crate::{FileErrors, Registry};

/// Largest file that is read: some ten thousand keys.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What changes when a file is written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    device: u64,
    inode: u64,
    bytes: u64,
    mode: u32,
}

/// Why the file of clients can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("it can't be read")]
    Read(#[source] io::Error),
    #[error("{0}")]
    FileErrors(#[from] FileErrors),
}

/// The file as it is now.
pub fn stamp(path: &Path) -> io::Result<Stamp> {
    Ok(Stamp::of(&fs::metadata(path)?))
}

/// Reads the file, with the stamp of what was read.
pub fn load(path: &Path) -> Result<(Registry, Stamp), LoadError> {
    let (text, stamp) = read(path).map_err(LoadError::Read)?;
    let registry = Registry::parse(&text)?;
    registry.check_mode(stamp.mode)?;
    Ok((registry, stamp))
}

/// The text of a file, with the stamp of what was read.
pub fn read(path: &Path) -> io::Result<(String, Stamp)> {
    let file = File::open(path)?;
    // Before the content: what is written meanwhile is then read once more.
    let stamp = Stamp::of(&file.metadata()?);
    if stamp.bytes > BYTES_MAX {
        let what = format!("it has more than {BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text)?;
    Ok((text, stamp))
}

impl Stamp {
    fn of(file: &fs::Metadata) -> Self {
        Self {
            modified: file.modified().ok(),
            device: file.dev(),
            inode: file.ino(),
            bytes: file.len(),
            mode: file.mode() & 0o777,
        }
    }
}

impl LoadError {
    /// One line for each thing that is wrong.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Read(error) => vec![format!("{self}: {error}")],
            Self::FileErrors(mistakes) => mistakes.lines().map(str::to_owned).collect(),
        }
    }
}
