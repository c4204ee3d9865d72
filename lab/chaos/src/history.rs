//! A record of every attempt, written when it is answered: one line of JSON each.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use verdict::{Answer, Attempt};

#[derive(Clone, Debug)]
pub struct History {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: BufWriter<File>,
    counts: Counts,
    /// The first write error.
    failed: Option<io::Error>,
}

/// Counts of the answers so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub attempts: u64,
    pub accepted: u64,
    /// 5xx or no answer.
    pub open: u64,
}

impl History {
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| failed(path))?;
        Ok(Self {
            inner: Arc::new(Mutex::new(Inner {
                path: path.to_owned(),
                file: BufWriter::new(file),
                counts: Counts::default(),
                failed: None,
            })),
        })
    }

    pub fn add(&self, attempt: &Attempt) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.counts.attempts += 1;
        match attempt.answer {
            Answer::Accepted { .. } => inner.counts.accepted += 1,
            Answer::Failed { .. } | Answer::NoAnswer => inner.counts.open += 1,
            Answer::Conflict | Answer::Refused { .. } => {}
        }
        let written = serde_json::to_writer(&mut inner.file, attempt)
            .map_err(io::Error::from)
            .and_then(|()| inner.file.write_all(b"\n"));
        if let Err(error) = written {
            inner.failed.get_or_insert(error);
        }
    }

    pub fn counts(&self) -> Counts {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .counts
    }

    /// Writes everything to the file, or returns the error that prevented it.
    pub fn flush(&self) -> Result<()> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = match inner.failed.take() {
            Some(error) => Err(error),
            None => inner.file.flush(),
        };
        outcome.with_context(|| failed(&inner.path))
    }
}

/// Passes every attempt of a history to `take`.
pub fn read(path: &Path, mut take: impl FnMut(Attempt)) -> Result<()> {
    let file = File::open(path).with_context(|| failed(path))?;
    for line in BufReader::new(file).lines() {
        let line = line.with_context(|| failed(path))?;
        let attempt = serde_json::from_str(&line);
        take(attempt.with_context(|| failed(path))?);
    }
    Ok(())
}

fn failed(path: &Path) -> String {
    format!("cannot use the history {}", path.display())
}
