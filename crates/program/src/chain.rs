//! The one way to print an error with what caused it.

use std::error::Error;
use std::fmt::Write as _;

/// An error and all its causes, in one line. Only for logs: causes may come from drivers.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a String can't fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
