//! What a person reads: results on stdout, troubles on stderr.
//!
//! A reader that went away (`| head`) is no failure of the command.

use std::{
    error::Error,
    fmt,
    io::{self, Write as _},
    time::Duration,
};

pub use program::chain;

/// One line on stdout.
pub fn say(line: impl fmt::Display) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// One line on stderr.
pub fn warn(line: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// A step that succeeded, with the time it took.
pub fn done(name: &str, detail: impl fmt::Display, took: Duration) {
    let detail = detail.to_string();
    say(format_args!("✓ {name:<7} {detail:<46} {}", seconds(took)));
}

/// An error and all that caused it.
pub fn error(error: &dyn Error) {
    warn(format_args!("✗ {}", chain(error)));
}

/// `3.2 s`, aligned for anything below a quarter of an hour.
pub fn seconds(duration: Duration) -> String {
    format!("{:>5.1} s", duration.as_secs_f64())
}
