//! A progress bar on stderr, if that is a terminal.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressStyle};

const FORM: &str = "{msg} {wide_bar} {human_pos}/{human_len} {eta}";

/// Whether someone looks: else its length need not be found out.
pub fn is_shown() -> bool {
    io::stderr().is_terminal()
}

/// Draws nothing if stderr is not a terminal.
pub fn bar(what: &'static str, length: u64) -> ProgressBar {
    if !is_shown() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length).with_message(what);
    match ProgressStyle::with_template(FORM) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
