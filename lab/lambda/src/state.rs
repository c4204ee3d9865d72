//! The folder of what outlives the host: queue, dead letters, log, process records.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A state folder, held by one host at a time.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    /// Locked; the kernel releases it however the host ends.
    _lock: File,
}

/// Why a state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("the state folder {} is in use by another host; stop that one or choose another folder", path.display())]
    InUse { path: PathBuf },
    #[error("cannot use the state folder {}", path.display())]
    Unusable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl State {
    /// Creates the folder if absent, readable only by this user, because it holds payloads.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let unusable = |source| StateError::Unusable {
            path: path.into(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(unusable)?;
        let lock = File::create(path.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.into(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(StateError::InUse { path: path.into() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    pub fn queue(&self) -> PathBuf {
        self.path.join("queue")
    }

    pub fn dead_letters(&self) -> PathBuf {
        self.path.join("dead-letters")
    }

    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Folder of the process records.
    pub fn processes(&self) -> PathBuf {
        self.path.join("processes")
    }

    /// Returns the error for a part of the folder that failed.
    pub fn unusable(&self, source: io::Error) -> StateError {
        StateError::Unusable {
            path: self.path.clone(),
            source,
        }
    }
}
