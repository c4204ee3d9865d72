//! A state to keep, such as a part that stays down or a fault that stays on: a file, which may contain the time of its
//! end.
//!
//! The supervisor enforces it. With a time, whoever set it may die.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::files;

#[derive(Clone, Debug)]
pub struct Hold {
    path: PathBuf,
}

impl Hold {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Sets it from now on; without a length until it is lifted.
    pub fn set(&self, length: Option<Duration>) -> Result<(), files::Error> {
        let end = length.map(|length| (since_epoch() + length).as_millis().to_string());
        files::write(&self.path, &end.unwrap_or_default())
    }

    pub fn lift(&self) -> Result<(), files::Error> {
        files::remove(&self.path)
    }

    /// Whether it was set and not lifted, even if its time is over.
    pub fn is_set(&self) -> bool {
        self.path.exists()
    }

    pub fn is_on(&self) -> bool {
        match fs::read_to_string(&self.path) {
            Ok(end) => match end.trim().parse() {
                Ok(end) => since_epoch().as_millis() < end,
                Err(_) => true,
            },
            Err(_) => false,
        }
    }
}

fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_on_until_it_is_lifted_or_over() {
        let dir = tempfile::tempdir().unwrap();
        let hold = Hold::at(dir.path().join("mysql"));
        assert!(!hold.is_on());
        hold.set(None).unwrap();
        assert!(hold.is_on());
        hold.set(Some(Duration::from_hours(1))).unwrap();
        assert!(hold.is_on());
        hold.set(Some(Duration::ZERO)).unwrap();
        assert!(!hold.is_on());
        hold.set(None).unwrap();
        hold.lift().unwrap();
        assert!(!hold.is_on());
    }
}
