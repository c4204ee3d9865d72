//! The access log: JSON lines on stdout like the other logs, gathered and written fifty times a second.
//!
//! So a line costs its request neither a system call nor a wait for whoever reads stdout. A killed process
//! loses the last lines; errors outside of requests are written at once, by `tracing`.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use payment_core::{Timestamp, json};
use time::OffsetDateTime;
use tracing::Level;

/// How long lines gather before they are written.
const GATHER: Duration = Duration::from_millis(20);

/// Lines that wait while nobody reads stdout. More are counted and let go, so that memory is bounded.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

static LOG: AccessLog = AccessLog::new(WAITING_BYTES_MAX);

/// Appends a line to the log of this process; the first starts the thread that writes them.
pub fn write(level: Level, fill: impl FnOnce(&mut Line<'_>)) {
    let started = LOG.append(|out| {
        let mut line = Line::begin(out, level, Timestamp::new(OffsetDateTime::now_utc()));
        fill(&mut line);
        line.end();
    });
    if started {
        thread::spawn(|| LOG.run());
    }
}

/// Writes what waits: at the end of the program.
pub fn flush() {
    LOG.flush(&mut io::stdout());
}

/// One line in the making. Members that are `None` are left out.
#[derive(Debug)]
pub struct Line<'a>(&'a mut String);

impl<'a> Line<'a> {
    fn begin(out: &'a mut String, level: Level, now: Timestamp) -> Self {
        out.push_str("{\"timestamp\":\"");
        now.push_to(out);
        out.push_str("\",\"level\":\"");
        out.push_str(level.as_str());
        out.push_str("\",\"message\":\"request\"");
        Self(out)
    }

    /// Adds text, if there is any.
    pub fn text(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.name(name);
            json::write_string(value, self.0);
        }
        self
    }

    /// A number, or what else is JSON as it is shown.
    pub fn number(&mut self, name: &str, value: Option<impl std::fmt::Display>) -> &mut Self {
        use std::fmt::Write as _;

        if let Some(value) = value {
            self.name(name);
            // Writing to a String can't fail.
            let _ = write!(self.0, "{value}");
        }
        self
    }

    /// Adds a duration in milliseconds, to the microsecond.
    pub fn time(&mut self, name: &str, time: Duration) -> &mut Self {
        use std::fmt::Write as _;

        self.name(name);
        let micros = time.as_micros();
        // Writing to a String can't fail. A float's shortest form takes three times as long.
        let _ = write!(self.0, "{}.{:03}", micros / 1000, micros % 1000);
        self
    }

    fn name(&mut self, name: &str) {
        self.0.push_str(",\"");
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    fn end(self) {
        self.0.push_str(",\"target\":\"access\"}\n");
    }
}

struct AccessLog {
    waiting: Mutex<Waiting>,
    some: Condvar,
    bytes_max: usize,
}

struct Waiting {
    lines: String,
    lost: u64,
    has_writer: bool,
}

impl AccessLog {
    const fn new(bytes_max: usize) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                lines: String::new(),
                lost: 0,
                has_writer: false,
            }),
            some: Condvar::new(),
            bytes_max,
        }
    }

    /// Whether the caller is the first, and is to start the writer.
    fn append(&self, write: impl FnOnce(&mut String)) -> bool {
        let mut waiting = self.waiting();
        if waiting.lines.len() >= self.bytes_max {
            waiting.lost += 1;
        } else {
            if waiting.lines.is_empty() {
                self.some.notify_one();
            }
            write(&mut waiting.lines);
        }
        !std::mem::replace(&mut waiting.has_writer, true)
    }

    fn run(&self) {
        loop {
            let some = self.some.wait_while(self.waiting(), |w| w.lines.is_empty());
            drop(some);
            thread::sleep(GATHER);
            self.flush(&mut io::stdout());
        }
    }

    fn flush(&self, out: &mut impl io::Write) {
        let (lines, lost) = {
            let mut waiting = self.waiting();
            let room = String::with_capacity(waiting.lines.len());
            let lines = std::mem::replace(&mut waiting.lines, room);
            (lines, std::mem::take(&mut waiting.lost))
        };
        // Nothing is left to do where stdout is closed.
        let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
        if lost > 0 {
            tracing::warn!(lost, "access log lines were let go: stdout is not read");
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_json_with_what_is_known() {
        let mut out = String::new();
        let mut line = Line::begin(&mut out, Level::INFO, Timestamp::EPOCH);
        line.text("error_cause", Some("a \"quoted\"\ncause"))
            .text("payment_id", None)
            .number("status", Some(202))
            .time("duration_ms", Duration::from_micros(12_034));
        line.end();
        assert_eq!(
            out,
            "{\"timestamp\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"INFO\",\"message\":\"request\",\
             \"error_cause\":\"a \\\"quoted\\\"\\ncause\",\"status\":202,\"duration_ms\":12.034,\"target\":\"access\"}\n"
        );
    }

    #[test]
    fn p5_what_nobody_reads_is_let_go_past_the_bound() {
        let log = AccessLog::new(8);
        for _ in 0..5 {
            log.append(|out| out.push_str("line\n"));
        }
        assert_eq!(log.waiting().lost, 3);
        let mut written = Vec::new();
        log.flush(&mut written);
        assert_eq!(written, b"line\nline\n");
        let waiting = log.waiting();
        assert_eq!((waiting.lost, waiting.lines.as_str()), (0, ""));
    }
}
