//! The notes and the release packages, without a lab.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod notes;
mod release;

use std::{path::Path, process::Output};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Returns everything that a command printed.
fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    [out, err]
        .map(|bytes| String::from_utf8_lossy(bytes))
        .concat()
}
