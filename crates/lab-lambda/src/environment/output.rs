//! Carries what the function prints to its log, line by line.

use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::function_log::LogStream;

/// A longer line is cut into several. CloudWatch has such a limit too, a larger one.
const LINE_BYTES_MAX: usize = 64 << 10;
/// Twice what a pipe holds: enough to empty one, and an end for a function that never stops printing.
const FLUSH_BYTES_MAX: usize = 128 << 10;

/// Reads the pipe until it ends or this is dropped.
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

    /// Returns once everything that was printed before is in the log.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        // Both fail only where the pipe has ended, and then nothing is left to read.
        if self.flushes.send(done).await.is_ok() {
            flushed.await.ok();
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
                            tracing::warn!(%error, "the function's output can't be read");
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

    /// Takes what is in the pipe now. Asks the kernel, since tokio may not have noticed it yet.
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

    /// Ends a line that has no newline yet.
    async fn finish(&mut self) {
        if !self.partial.is_empty() {
            self.stream.line(&self.partial).await;
            self.partial.clear();
        }
    }
}
