//! chromedriver and the browser that it starts: one process group, ended together.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, Result};
use lab_runner::process::kill_group;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Prefix of the line with its port.
const STARTED: &str = "ChromeDriver was started successfully on port ";

#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    port: u16,
    /// Kept open, because chromedriver would fail to write to a closed pipe.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Driver {
    /// Starts it on a free port. All files of it and the browser go into `home`.
    pub(super) async fn start(program: &Path, home: &Path) -> Result<Self> {
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
            .context("cannot start chromedriver")?;
        let seconds = START_TIMEOUT.as_secs();
        let not_started = || format!("chromedriver printed no port within {seconds} s");
        let output = child.stdout.take().with_context(not_started)?;
        let mut output = BufReader::new(output).lines();
        let port = timeout(START_TIMEOUT, port(&mut output)).await;
        Ok(Self {
            port: port.ok().flatten().with_context(not_started)?,
            child,
            _output: output,
        })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Not waited for yet, so its pid has not been reused.
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
