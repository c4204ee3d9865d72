//! The function's log: one file per day under `state/log`, and this program's own stdout.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use time::Date;
use tokio::sync::{mpsc, oneshot};

use crate::sync::lock;
use crate::timestamp::Timestamp;

/// Lines waiting to be written; a function that writes faster is slowed down.
const LINES_WAITING_MAX: usize = 1024;
/// A larger file of a day is renamed to `<day>.old.log`, replacing an older one.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Most bytes that `X-Amz-Log-Type: Tail` returns.
const TAIL_BYTES_MAX: usize = 4096;

/// The log of all environments. Clones write to the same files.
#[derive(Debug, Clone)]
pub struct FunctionLog(mpsc::Sender<Entry>);

#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    Flush(oneshot::Sender<()>),
}

impl FunctionLog {
    /// Starts the writer thread, which ends with the last clone.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut file = DailyFile::open(dir)?;
        let (entries, mut waiting) = mpsc::channel(LINES_WAITING_MAX);
        thread::Builder::new()
            .name("function-log".into())
            .spawn(move || {
                while let Some(entry) = waiting.blocking_recv() {
                    match entry {
                        Entry::Line(line) => write(&mut file, &line),
                        Entry::Flush(done) => drop(done.send(())),
                    }
                }
            })?;
        Ok(Self(entries))
    }

    /// Returns once all earlier lines are written.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.0.send(Entry::Flush(done)).await.is_ok() {
            written.await.ok();
        }
    }

    async fn line(&self, line: Vec<u8>) {
        // The thread outlives every sender, so this cannot fail.
        self.0.send(Entry::Line(line)).await.ok();
    }
}

fn write(file: &mut DailyFile, line: &[u8]) {
    if let Err(error) = file.write(line) {
        tracing::warn!(%error, "a line of the function's log was not written to its file");
    }
    // Nobody may be reading; the file has the line.
    io::stdout().write_all(line).ok();
}

/// The log of one environment.
#[derive(Debug, Clone)]
pub struct LogStream {
    name: String,
    log: FunctionLog,
    tail: Arc<Mutex<Vec<u8>>>,
}

impl LogStream {
    pub fn new(name: String, log: FunctionLog) -> Self {
        Self {
            name,
            log,
            tail: Arc::default(),
        }
    }

    /// Returns the stream name, `2026/11/22/[$LATEST]…` as in CloudWatch.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes one line, given without its newline.
    pub async fn line(&self, text: &[u8]) {
        let line = [text, b"\n"].concat();
        {
            let mut tail = lock(&self.tail);
            tail.extend_from_slice(&line);
            let excess = tail.len().saturating_sub(TAIL_BYTES_MAX);
            tail.drain(..excess);
        }
        self.log.line(line).await;
    }

    /// Returns the last lines since the previous call.
    pub fn take_tail(&self) -> Vec<u8> {
        std::mem::take(&mut *lock(&self.tail))
    }
}

#[derive(Debug)]
struct DailyFile {
    dir: PathBuf,
    day: Date,
    file: File,
    written: u64,
}

impl DailyFile {
    fn open(dir: &Path) -> io::Result<Self> {
        let day = Timestamp::now().date();
        let path = dir.join(format!("{day}.log"));
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let written = file.metadata()?.len();
        Ok(Self {
            dir: dir.into(),
            day,
            file,
            written,
        })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.written > FILE_BYTES_MAX {
            let day = self.day;
            fs::rename(
                self.dir.join(format!("{day}.log")),
                self.dir.join(format!("{day}.old.log")),
            )?;
            *self = Self::open(&self.dir)?;
        } else if self.day != Timestamp::now().date() {
            *self = Self::open(&self.dir)?;
        }
        self.file.write_all(line)?;
        self.written += u64::try_from(line.len()).unwrap_or_default();
        Ok(())
    }
}
