//! A database server for one test run: on a free port, in a directory that is removed with it.

use std::time::Duration;

use anyhow::{Context as _, Error, Result, bail};
use lab_runner::{
    health::Health, install::Tools, part::mysql::Server, ports::free_listener, process::Identity,
    secret::Secret,
};
use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::{
    process::Child,
    time::{Instant, sleep, timeout},
};

use super::NO_SERVER;

const START_TIMEOUT: Duration = Duration::from_mins(1);
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

const NO_DIRECTORY: &str = "cannot create a directory for the database server";

#[derive(Debug)]
pub(super) struct TestServer {
    server: Server,
    child: KilledOnDrop,
    home: TempDir,
}

impl TestServer {
    pub(super) async fn start(tools: Tools) -> Result<Self> {
        let home = TempDir::with_prefix("lab-test-").context(NO_DIRECTORY)?;
        let port = free_listener()?;
        let server = Server {
            server: tools.database.context(NO_SERVER)?,
            home: home.path().join("mysql"),
            socket: home.path().join("mysql.sock"),
            address: port.local_addr().context(NO_DIRECTORY)?,
            certificate: None,
            root_password: Secret::random(32),
            root_by_tcp: true,
        };
        let log = home.path().join("mysql.log");
        server.initialise(&log).await?;
        drop(port);
        let child = KilledOnDrop(server.launch().spawn(&log)?);
        let mut started = Self {
            server,
            child,
            home,
        };
        started.ready().await?;
        Ok(started)
    }

    async fn ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let Err(unhealthy) = Health::MysqlGreeting.check(self.server.address).await else {
                return Ok(());
            };
            let ended = self.child.0.try_wait().ok().flatten();
            if ended.is_some() || Instant::now() >= deadline {
                let log = self.home.path().join("mysql.log");
                let log = std::fs::read_to_string(log).unwrap_or_default();
                bail!("the database server for the tests is not ready: {unhealthy}\n{log}");
            }
            sleep(POLL).await;
        }
    }

    /// URL for the administrator: tests create databases and users of their own.
    pub(super) fn url(&self) -> Secret {
        Secret::new(format!(
            "mysql://root:{}@{}/mysql",
            self.server.root_password.expose(),
            self.server.address
        ))
    }

    pub(super) async fn stop(mut self) -> Result<()> {
        if let Some(process) = Identity::of_child(&self.child.0) {
            process.signal(Signal::SIGTERM);
        }
        match timeout(STOP_TIMEOUT, self.child.0.wait()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Error::new(error).context(format!(
                "cannot stop the database server, whose files are in {}",
                self.home.path().display()
            ))),
            // Killed when this is dropped; its data is no longer needed.
            Err(_) => Ok(()),
        }
    }
}

/// Kills the server however the tests end.
#[derive(Debug)]
struct KilledOnDrop(Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        // It has exited, or cannot be killed: nothing to do in either case.
        let _ = self.0.start_kill();
    }
}
