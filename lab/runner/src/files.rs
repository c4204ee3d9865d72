//! Files of the lab: readable only by their owner, and replaced atomically.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub struct Error {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Error {
    fn of(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self {
            action,
            path,
            source,
        }
    }
}

/// Creates a directory that only the owner can enter, and its parents.
pub fn create_dir(path: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(Error::of("create the directory", path))
}

/// Replaces a file atomically: a reader sees the old or the new content, never a part.
pub fn write(path: &Path, content: &str) -> Result<(), Error> {
    let new = path.with_extension("new");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(content.as_bytes()));
    written
        .and_then(|()| fs::rename(&new, path))
        .map_err(Error::of("write", path))
}

pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::of("write", path)(error.into()))?;
    write(path, &(text + "\n"))
}

pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(Error::of("read", path))
}

/// Reads a file; returns `None` if there is no such file.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::of("read", path)(error)),
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| Error::of("understand", path)(error.into()))
}

/// Opens a file for appending lines.
pub fn append(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::of("open", path))
}

pub fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(Error::of("rename", from))
}

/// Removes a file or a whole directory; succeeds if it does not exist.
pub fn remove(path: &Path) -> Result<(), Error> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::of("remove", path)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_written_is_for_the_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials.json");
        write_json(&path, &["one"]).unwrap();
        write_json(&path, &["two"]).unwrap();

        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            read_json::<Vec<String>>(&path).unwrap(),
            Some(vec!["two".to_owned()])
        );
    }

    #[test]
    fn an_absent_file_is_nothing_and_a_broken_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("status.json");
        assert_eq!(read_json::<Vec<String>>(&path).unwrap(), None);

        write(&path, "[").unwrap();
        let error = read_json::<Vec<String>>(&path).unwrap_err();
        assert!(error.to_string().starts_with("cannot understand"));
    }
}
