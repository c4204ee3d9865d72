//! Faults of the database, injected from outside the server.

use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use nix::sys::signal::Signal;

use crate::{
    database::{Client, User},
    lab::{Absent, Lab},
    part::PartName,
    state::status::Status,
};

/// The lowest limit that both servers accept; the administrator always gets one more.
const CONNECTIONS_MIN: u32 = 10;

/// Columns Id, User, Host, db, Command and more. MySQL cannot select from the same list while one of the statements in
/// it contains bytes that are not text (error 3854).
const CONNECTIONS: &str = "SHOW PROCESSLIST";

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum DatabaseFault {
    /// The server is killed and stays down.
    Down,
    /// The server hangs: it accepts connections but never answers.
    Freeze,
    /// Nothing can be written, as during a failover.
    ReadOnly,
    /// All of the server's connections are in use.
    TooManyConnections,
}

impl DatabaseFault {
    pub const ALL: [Self; 4] = [
        Self::Down,
        Self::Freeze,
        Self::ReadOnly,
        Self::TooManyConnections,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Freeze => "freeze",
            Self::ReadOnly => "read-only",
            Self::TooManyConnections => "too-many-connections",
        }
    }

    pub fn about(self) -> &'static str {
        match self {
            Self::Down => "the server is killed and stays down",
            Self::Freeze => "the server takes connections and never answers",
            Self::ReadOnly => "nothing can be written, as during a failover",
            Self::TooManyConnections => "every connection that the server has is taken",
        }
    }

    /// Whether it is on, if that can be told without asking the server.
    pub fn is_on(self, lab: &Lab) -> Option<bool> {
        (self == Self::Down).then(|| lab.dir.hold(PartName::Mysql).is_on())
    }

    /// Starts it. With a length it ends by itself if the server can do that; [`Self::end`] ends it in any case.
    pub async fn begin(self, lab: &Lab, length: Option<Duration>) -> Result<()> {
        match self {
            Self::Down => {
                lab.dir.hold(PartName::Mysql).set(length)?;
                signal(lab, Signal::SIGKILL)
            }
            Self::Freeze => signal(lab, Signal::SIGSTOP),
            Self::ReadOnly => admin(lab)?.run("SET GLOBAL read_only = ON").await,
            Self::TooManyConnections => {
                let begun = take_connections(lab, length.unwrap_or(Duration::from_mins(1))).await;
                if begun.is_err() {
                    // The first error says more than that of a failed clean-up.
                    let _ = self.end(lab).await;
                }
                begun
            }
        }
    }

    pub async fn end(self, lab: &Lab) -> Result<()> {
        match self {
            Self::Down => Ok(lab.dir.hold(PartName::Mysql).lift()?),
            Self::Freeze => signal(lab, Signal::SIGCONT),
            Self::ReadOnly => admin(lab)?.run("SET GLOBAL read_only = OFF").await,
            Self::TooManyConnections => {
                admin(lab)?
                    .run("SET GLOBAL max_connections = DEFAULT")
                    .await
            }
        }
    }
}

/// While programs hold more connections than the limit, even the administrator cannot connect, so one session lowers
/// the limit and kills theirs.
async fn take_connections(lab: &Lab, length: Duration) -> Result<()> {
    let admin = admin(lab)?;
    let kills = admin.kills().await?;
    let few = format!("SET GLOBAL max_connections = {CONNECTIONS_MIN};{kills}");
    admin.0.query_all(&few).await?;
    occupy(&lab.database()?.client(User::Reader), length);
    // A program may have reconnected first. If the administrator cannot connect, all connections are in use.
    if let Ok(kills) = admin.kills().await {
        let _ = admin.0.query_all(&kills).await;
    }
    Ok(())
}

/// Opens connections and keeps them for a while.
fn occupy(client: &Client, length: Duration) {
    for _ in 0..CONNECTIONS_MIN {
        let client = client.clone();
        let sleep = format!("DO SLEEP({})", length.as_secs_f32());
        // Those that are refused are not needed.
        tokio::spawn(async move { client.query(&sleep).await });
    }
}

/// Sends a signal; succeeds if the server does not run.
fn signal(lab: &Lab, signal: Signal) -> Result<()> {
    Status::signal(&lab.dir, PartName::Mysql, signal)?;
    Ok(())
}

struct Admin(Client);

fn admin(lab: &Lab) -> Result<Admin> {
    if lab.settings.tools.database.is_none() {
        return Err(Absent::Server.into());
    }
    Ok(Admin(lab.database()?.admin()))
}

impl Admin {
    async fn run(&self, statement: &str) -> Result<()> {
        self.0.query(statement).await?;
        Ok(())
    }

    /// Returns statements that kill the connections of the programs.
    async fn kills(&self) -> Result<String> {
        let connections = self.0.query(CONNECTIONS).await?;
        Ok(connections.lines().filter_map(kill).collect())
    }
}

/// Returns the statement that kills a program's connection, so that it has to reconnect.
fn kill(connection: &str) -> Option<String> {
    let columns: Vec<_> = connection.split('\t').collect();
    let [id, "ingest" | "reader", _host, _schema, command, ..] = columns[..] else {
        return None;
    };
    (command != "Query").then(|| format!("KILL {id};"))
}
