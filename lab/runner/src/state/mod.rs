//! Everything that a lab keeps, in one directory.

pub mod credentials;
pub mod hold;
pub mod settings;
pub mod status;
pub mod vpc;

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Error, Result, anyhow, bail};
use nix::{
    fcntl::{Flock, FlockArg},
    unistd::Uid,
};
use tokio::time::{Instant, sleep};

use self::hold::Hold;
use crate::{files, part_name::PartName};

/// The kernel reserves 108 bytes for the path of a Unix socket, including a final zero.
const SOCKET_PATH_MAX: usize = 107;

const SOCKET: &str = "mysql.sock";

/// What `up --fresh` removes; anything else in the directory is not ours.
const OWNED: [&str; 11] = [
    "config",
    "credentials.json",
    "hold",
    "lab.json",
    "lambda",
    "logs",
    "mysql",
    "s3",
    "sqs",
    "status.json",
    "terms",
];

/// The lab's directory.
#[derive(Clone, Debug)]
pub struct LabDir {
    root: PathBuf,
}

/// Held by the supervisor while it lives.
pub type Lock = Flock<File>;

impl LabDir {
    /// Names the directory, without creating it.
    pub fn at(path: &Path) -> Result<Self> {
        let root = std::path::absolute(path).with_context(|| unusable(path))?;
        Ok(Self { root })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Creates what is missing of it.
    pub fn create(&self) -> Result<()> {
        for dir in ["", "config", "hold", "logs", "s3", "sqs", "lambda", "terms"] {
            files::create_dir(&self.root.join(dir))?;
        }
        Ok(())
    }

    /// Deletes data, credentials and logs.
    pub fn erase(&self) -> Result<()> {
        for name in OWNED {
            files::remove(&self.root.join(name))?;
        }
        Ok(())
    }

    /// Path of the data of a part, or of anything else that keeps some.
    pub fn data(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn config(&self, file: &str) -> PathBuf {
        self.root.join("config").join(file)
    }

    pub fn log(&self, name: impl std::fmt::Display) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    /// Set while a part must stay down.
    pub fn hold(&self, part: PartName) -> Hold {
        Hold::at(self.root.join("hold").join(part.as_str()))
    }

    /// Set while a fault with this name and a time limit is on.
    pub fn term(&self, name: &str) -> Hold {
        Hold::at(self.root.join("terms").join(name))
    }

    /// Returns the names of all faults with a time limit.
    pub fn terms(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.join("terms")).into_iter().flatten();
        entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            // A file that is being written.
            .filter(|name| !name.contains('.'))
            .collect()
    }

    pub fn settings(&self) -> PathBuf {
        self.root.join("lab.json")
    }

    pub fn credentials(&self) -> PathBuf {
        self.root.join("credentials.json")
    }

    pub fn status(&self) -> PathBuf {
        self.root.join("status.json")
    }

    pub fn no_lab(&self) -> Error {
        let root = self.root.display();
        anyhow!("there is no lab in {root}; start one with `cargo lab up`")
    }

    /// Takes the supervisor's lock; returns `None` if another process holds it.
    pub fn lock(&self) -> Result<Option<Lock>> {
        self.try_lock("lock")
    }

    /// Taken by `up` while it prepares a start, so that two do not write the same files.
    pub fn lock_preparation(&self) -> Result<Option<Lock>> {
        self.try_lock("up.lock")
    }

    /// Whether a supervisor lives.
    pub fn is_supervised(&self) -> Result<bool> {
        Ok(self.root.is_dir() && self.lock()?.is_none())
    }

    /// Waits until no supervisor lives; returns `false` if one still does after `timeout`.
    pub async fn unsupervised_within(&self, timeout: Duration) -> Result<bool> {
        let deadline = Instant::now() + timeout;
        while self.is_supervised()? {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(true)
    }

    fn try_lock(&self, name: &str) -> Result<Option<Lock>> {
        let path = self.root.join(name);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| unusable(&path))?;
        Ok(Flock::lock(file, FlockArg::LockExclusiveNonblock).ok())
    }

    /// Path of the database's socket: in the directory, or in the system's temporary one if the path would be too long.
    pub fn mysql_socket(&self) -> Result<PathBuf> {
        let dir = self.socket_dir();
        if dir != self.root {
            own_dir(&dir)?;
        }
        Ok(dir.join(SOCKET))
    }

    /// Removes what is outside the directory, once the database is stopped.
    pub fn forget_socket(&self) {
        let dir = self.socket_dir();
        if dir != self.root {
            // If it does not exist or is not empty, it is not ours to remove.
            let _ = fs::remove_dir(dir);
        }
    }

    fn socket_dir(&self) -> PathBuf {
        if self.root.join(SOCKET).as_os_str().len() <= SOCKET_PATH_MAX {
            return self.root.clone();
        }
        let mut hasher = DefaultHasher::new();
        self.root.hash(&mut hasher);
        std::env::temp_dir().join(format!("lab-{:016x}", hasher.finish()))
    }
}

fn unusable(path: &Path) -> String {
    format!("cannot use {} as the lab's directory", path.display())
}

/// Creates a directory in a place where others can write too; an existing one is used only if it is ours.
fn own_dir(path: &Path) -> Result<()> {
    let made = DirBuilder::new().mode(0o700).create(path);
    let ours = path
        .symlink_metadata()
        .is_ok_and(|found| found.is_dir() && found.uid() == Uid::effective().as_raw());
    match made {
        Ok(()) => Ok(()),
        Err(_) if ours => Ok(()),
        Err(_) => bail!(
            "{} belongs to another user and cannot hold the database's socket: \
             remove it, or choose a shorter --dir",
            path.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_path_fits_the_kernel_however_deep_the_directory_is() {
        let temp = tempfile::tempdir().unwrap();
        let shallow = LabDir::at(temp.path()).unwrap();
        assert_eq!(
            shallow.mysql_socket().unwrap(),
            temp.path().join("mysql.sock")
        );

        let deep = LabDir::at(&temp.path().join("d".repeat(120))).unwrap();
        let socket = deep.mysql_socket().unwrap();
        assert!(socket.as_os_str().len() <= SOCKET_PATH_MAX);
        assert_eq!(socket, deep.mysql_socket().unwrap(), "the same each time");

        deep.forget_socket();
        assert!(!socket.parent().unwrap().exists());
    }

    #[test]
    fn the_lock_has_one_holder_and_is_free_after_it() {
        let temp = tempfile::tempdir().unwrap();
        let dir = LabDir::at(temp.path()).unwrap();
        assert!(!dir.is_supervised().unwrap());

        let held = dir.lock().unwrap().unwrap();
        assert!(dir.lock().unwrap().is_none());
        assert!(dir.is_supervised().unwrap());

        drop(held);
        assert!(!dir.is_supervised().unwrap());
    }

    #[test]
    fn erasing_leaves_what_is_not_ours() {
        let temp = tempfile::tempdir().unwrap();
        let dir = LabDir::at(temp.path()).unwrap();
        dir.create().unwrap();
        std::fs::write(temp.path().join("thesis.txt"), "mine").unwrap();

        dir.erase().unwrap();
        assert!(!dir.data("s3").exists());
        assert!(temp.path().join("thesis.txt").exists());
    }
}
