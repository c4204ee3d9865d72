//! Terminal output: results on stdout, problems on stderr.
//!
//! A reader that went away (`| head`) is not an error.

use std::{
    error::Error,
    fmt,
    io::{self, Write as _},
    time::Duration,
};

pub use program::chain;

/// Prints one line to stdout.
pub fn say(line: impl fmt::Display) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Prints one line to stderr.
pub fn warn(line: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Prints a completed step with its duration.
pub fn done(name: &str, detail: impl fmt::Display, took: Duration) {
    let detail = detail.to_string();
    say(format_args!("✓ {name:<7} {detail:<46} {}", seconds(took)));
}

/// Prints an error with all its causes.
pub fn error(error: &dyn Error) {
    warn(format_args!("✗ {}", chain(error)));
}

/// Formats a duration as `3.2 s`, aligned up to a quarter of an hour.
pub fn seconds(duration: Duration) -> String {
    format!("{:>5.1} s", duration.as_secs_f64())
}
