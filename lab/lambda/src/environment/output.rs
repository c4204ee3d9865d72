//! Copies the function's output to its log, line by line.

use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::function_log::LogStream;

/// Longer lines are split. CloudWatch has a limit too, a larger one.
const LINE_BYTES_MAX: usize = 64 << 10;
/// Twice the size of a pipe: enough to empty one, and a bound for a function that never stops printing.
const FLUSH_BYTES_MAX: usize = 128 << 10;

/// Reads the pipe until it ends, or until this is dropped.
#[derive(Debug)]
pub struct Output {
    flushes: mpsc::Sender<oneshot::Sender<()>>,
    task: AbortHandle,
}

impl Output {
    pub fn forward(pipe: PipeReader, stream: LogStream) -> io::Result<Self> {
        let pipe = Receiver::from_owned_fd(OwnedFd::from(pipe))?;
        let (flushes, asked) = mpsc::channel(1);
        let pump = Pump {
            pipe,
            lines: Lines {
                stream,
                partial: Vec::new(),
            },
        };
        let task = tokio::spawn(pump.run(asked)).abort_handle();
        Ok(Self { flushes, task })
    }

    /// Returns once everything printed so far is in the log.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.flushes.send(done).await.is_err() {
            // The pipe has ended, and nothing is left to read.
            return;
        }
        // A request sent while the pipe ends stays in the channel: unread, but not dropped.
        tokio::select! {
            _ = flushed => {}
            () = self.flushes.closed() => {}
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Pump {
    pipe: Receiver,
    lines: Lines,
}

impl Pump {
    async fn run(mut self, mut asked: mpsc::Receiver<oneshot::Sender<()>>) {
        let mut buffer = vec![0; 8 << 10];
        loop {
            tokio::select! {
                readable = self.pipe.readable() => {
                    match readable.and_then(|()| self.pipe.try_read(&mut buffer)) {
                        Ok(0) => break,
                        Ok(read) => self.lines.push(&buffer[..read]).await,
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => {
                            tracing::warn!(%error, "the function's output cannot be read");
                            break;
                        }
                    }
                }
                Some(done) = asked.recv() => {
                    self.empty(&mut buffer).await;
                    done.send(()).ok();
                }
            }
        }
        self.lines.finish().await;
    }

    /// Reads what is in the pipe now. Asks the kernel, because tokio may not have noticed it yet.
    async fn empty(&mut self, buffer: &mut [u8]) {
        let mut total = 0;
        while total < FLUSH_BYTES_MAX {
            match nix::unistd::read(&self.pipe, buffer) {
                Ok(0) => break,
                Ok(read) => {
                    total += read;
                    self.lines.push(&buffer[..read]).await;
                }
                Err(Errno::EINTR) => {}
                Err(_) => break,
            }
        }
        self.lines.finish().await;
    }
}

struct Lines {
    stream: LogStream,
    partial: Vec<u8>,
}

impl Lines {
    async fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(&bytes[..end]);
            self.stream.line(&self.partial).await;
            self.partial.clear();
            bytes = &bytes[end + 1..];
        }
        self.partial.extend_from_slice(bytes);
        if self.partial.len() >= LINE_BYTES_MAX {
            self.finish().await;
        }
    }

    /// Completes a line that has no newline.
    async fn finish(&mut self) {
        if !self.partial.is_empty() {
            self.stream.line(&self.partial).await;
            self.partial.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::function_log::FunctionLog;

    /// Enough rounds that the pipe ends during a flush at least once.
    const ROUNDS: usize = 50_000;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_flush_returns_also_where_the_output_ends_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let log = FunctionLog::open(folder.path()).unwrap();
        let stream = LogStream::new("stream".into(), log);
        for _ in 0..ROUNDS {
            let (reader, writer) = io::pipe().unwrap();
            let output = Output::forward(reader, stream.clone()).unwrap();
            drop(writer);
            timeout(Duration::from_secs(20), output.flush())
                .await
                .unwrap();
        }
    }
}
