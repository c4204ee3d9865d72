//! The payments of a file, some at a time, so that a file of any size is sent in little memory.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;
use std::time::SystemTime;

use bytes::Bytes;
use payment_core::batch::{self, BYTES_MAX};

/// One line of the file, without its newline.
#[derive(Debug)]
pub struct Payment {
    /// Its number in the file, from 1.
    pub number: u64,
    pub text: Vec<u8>,
}

/// A file that is read as far as was asked for.
#[derive(Debug)]
pub struct Lines {
    file: BufReader<File>,
    /// Length and time of the file when it was opened; `None` for a pipe.
    was: Option<(u64, SystemTime)>,
    read: u64,
    /// Read, and not sent.
    waiting: VecDeque<Payment>,
    /// Numbers of lines that fit into no batch.
    too_long: Vec<u64>,
}

#[derive(Debug, thiserror::Error)]
#[error("the file {path} can't be read")]
pub struct NotRead {
    path: String,
    source: io::Error,
}

impl Lines {
    pub fn open(path: &Path) -> Result<Self, NotRead> {
        let not_read = |source| NotRead {
            path: path.display().to_string(),
            source,
        };
        let file = File::open(path).map_err(not_read)?;
        Ok(Self {
            was: state(&file).map_err(not_read)?,
            file: BufReader::new(file),
            read: 0,
            waiting: VecDeque::new(),
            too_long: Vec::new(),
        })
    }

    /// Whether the file is another since it was opened: then its end may not be what it was.
    pub fn has_changed(&self) -> io::Result<bool> {
        Ok(state(self.file.get_ref())? != self.was)
    }

    /// The next payments, as many as fit into one batch.
    pub fn batch(&mut self, payments_max: usize) -> io::Result<Vec<Payment>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < payments_max
            && let Some(next) = self.next()?
        {
            bytes += next.text.len() + 1;
            if bytes > BYTES_MAX {
                self.waiting.push_front(next);
                break;
            }
            batch.push(next);
        }
        Ok(batch)
    }

    /// Payments that were not sent are the next ones again.
    pub fn put_back(&mut self, batch: Vec<Payment>) {
        for payment in batch.into_iter().rev() {
            self.waiting.push_front(payment);
        }
    }

    pub fn take_too_long(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.too_long)
    }

    /// How many payments were not asked for.
    pub fn count_rest(&mut self) -> io::Result<u64> {
        let mut count = 0;
        while self.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    fn next(&mut self) -> io::Result<Option<Payment>> {
        if let Some(payment) = self.waiting.pop_front() {
            return Ok(Some(payment));
        }
        loop {
            let mut text = Vec::new();
            let limit = u64::try_from(BYTES_MAX).unwrap_or(u64::MAX);
            if (&mut self.file).take(limit).read_until(b'\n', &mut text)? == 0 {
                return Ok(None);
            }
            self.read += 1;
            if text.len() == BYTES_MAX && !text.ends_with(b"\n") {
                self.file.skip_until(b'\n')?;
                self.too_long.push(self.read);
                continue;
            }
            if text.ends_with(b"\n") {
                text.pop();
            }
            if !batch::is_blank(&text) {
                let number = self.read;
                return Ok(Some(Payment { number, text }));
            }
        }
    }
}

fn state(file: &File) -> io::Result<Option<(u64, SystemTime)>> {
    let state = file.metadata()?;
    let modified = state.modified()?;
    Ok(state.is_file().then_some((state.len(), modified)))
}

/// The payments as one body.
pub fn body(payments: &[Payment]) -> Bytes {
    let size = payments.iter().map(|payment| payment.text.len() + 1).sum();
    let mut body = Vec::with_capacity(size);
    for payment in payments {
        body.extend_from_slice(&payment.text);
        body.push(b'\n');
    }
    body.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At the end of a line: nothing else would tell.
    #[test]
    fn p5_a_file_that_is_cut_while_it_is_read_has_changed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{}\n{}\n").unwrap();
        let mut lines = Lines::open(file.path()).unwrap();
        assert_eq!(lines.batch(1).unwrap().len(), 1);
        assert!(!lines.has_changed().unwrap());
        file.as_file().set_len(3).unwrap();
        assert!(lines.has_changed().unwrap());
    }
}
