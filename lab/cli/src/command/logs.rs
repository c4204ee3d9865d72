//! `cargo lab logs PART`: prints the end of a part's log, and lines added to it.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, Result};
use lab_runner::{files, log::last_lines, output};
use tokio::time::sleep;

use super::Context;
use crate::cli::Logs;

const POLL: Duration = Duration::from_millis(200);

pub(super) async fn run(args: &Logs, context: &Context) -> Result<ExitCode> {
    let path = context.dir.log(args.part);
    let log = files::read(&path)?;
    for line in last_lines(&String::from_utf8_lossy(&log), args.lines) {
        output::say(line);
    }
    if args.follow {
        let seen = u64::try_from(log.len()).unwrap_or_default();
        follow(&path, seen)
            .await
            .context("cannot continue to read the log")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what is added, until nobody reads it any more.
async fn follow(path: &Path, mut seen: u64) -> io::Result<()> {
    loop {
        let (text, end) = added(path, seen)?;
        seen = end;
        if io::stdout().write_all(&text).is_err() {
            return Ok(());
        }
        sleep(POLL).await;
    }
}

/// Returns what was written after the first `seen` bytes; everything if the log was truncated since.
fn added(path: &Path, seen: u64) -> io::Result<(Vec<u8>, u64)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = if length < seen { 0 } else { seen };
    file.seek(SeekFrom::Start(from))?;
    let mut text = Vec::new();
    file.take(length - from).read_to_end(&mut text)?;
    Ok((text, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn following_goes_on_after_the_log_was_emptied() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("s3.log");
        std::fs::write(&log, "first\nsecond\n").unwrap();
        assert_eq!(added(&log, 6).unwrap(), (b"second\n".to_vec(), 13));

        std::fs::write(&log, "new\n").unwrap();
        assert_eq!(added(&log, 13).unwrap(), (b"new\n".to_vec(), 4));
    }
}
