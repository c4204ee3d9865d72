//! chromedriver, and the browser that it starts: one group of processes, which ends as one.

use std::{path::Path, process::Stdio, time::Duration};

use lab_runner::process::kill_group;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use super::Error;

const PATIENCE: Duration = Duration::from_secs(20);

/// How it tells its port.
const STARTED: &str = "ChromeDriver was started successfully on port ";

#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    port: u16,
    /// Kept, so that it is not told that nobody reads on.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Driver {
    /// Starts it on a port that it finds free. Whatever it and the browser write goes into `home`.
    pub(super) async fn start(program: &Path, home: &Path) -> Result<Self, Error> {
        let mut child = Command::new(program)
            .arg("--port=0")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("TMPDIR", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::Start)?;
        let not_started = Error::NotStarted(PATIENCE.as_secs());
        let Some(output) = child.stdout.take() else {
            return Err(not_started);
        };
        let mut output = BufReader::new(output).lines();
        match timeout(PATIENCE, port(&mut output)).await {
            Ok(Some(port)) => Ok(Self {
                child,
                port,
                _output: output,
            }),
            _ => Err(not_started),
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Not yet waited for, so that its number is still its own.
        if let Some(leader) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            kill_group(leader);
        }
    }
}

async fn port(output: &mut Lines<BufReader<ChildStdout>>) -> Option<u16> {
    while let Some(line) = output.next_line().await.ok()? {
        if let Some(port) = line.strip_prefix(STARTED) {
            return port.trim_end_matches('.').parse().ok();
        }
    }
    None
}
