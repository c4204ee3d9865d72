//! A database server for one run of the tests: on a free port, in a directory that goes away with it.

use std::time::Duration;

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

use super::{CommandError, Error};

const START_PATIENCE: Duration = Duration::from_mins(1);
const STOP_PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct TestServer {
    server: Server,
    child: KilledOnDrop,
    home: TempDir,
}

impl TestServer {
    pub(super) async fn start(tools: Tools) -> Result<Self, CommandError> {
        let home = TempDir::with_prefix("lab-test-").map_err(Error::Directory)?;
        let port = free_listener()?;
        let server = Server {
            server: tools.database.ok_or(Error::NoServer)?,
            home: home.path().join("mysql"),
            socket: home.path().join("mysql.sock"),
            address: port.local_addr().map_err(Error::Directory)?,
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

    async fn ready(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            let Err(ill) = Health::MysqlGreeting.check(self.server.address).await else {
                return Ok(());
            };
            let ended = self.child.0.try_wait().ok().flatten();
            if ended.is_some() || Instant::now() >= deadline {
                let log = self.home.path().join("mysql.log");
                let log = std::fs::read_to_string(log).unwrap_or_default();
                return Err(Error::NotReady(format!("{ill}\n{log}")));
            }
            sleep(POLL).await;
        }
    }

    /// As the administrator: tests make databases and users of their own.
    pub(super) fn url(&self) -> Secret {
        Secret::new(format!(
            "mysql://root:{}@{}/mysql",
            self.server.root_password.expose(),
            self.server.address
        ))
    }

    pub(super) async fn stop(mut self) -> Result<(), Error> {
        if let Some(process) = Identity::of_child(&self.child.0) {
            process.signal(Signal::SIGTERM);
        }
        match timeout(STOP_PATIENCE, self.child.0.wait()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(source)) => Err(Error::Stop {
                home: self.home.path().to_owned(),
                source,
            }),
            // Killed as this is dropped; nobody needs its data any more.
            Err(_) => Ok(()),
        }
    }
}

/// No way out of the tests leaves the server running.
#[derive(Debug)]
struct KilledOnDrop(Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        // It ended already, or it can't be killed: nothing to be done in both cases.
        let _ = self.0.start_kill();
    }
}
