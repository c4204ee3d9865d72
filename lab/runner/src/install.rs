//! What the machine must have beside this repository: a database server and haproxy; and what commands and tests bring
//! from `PyPI` into the lab's own folder.
//!
//! Nothing is installed silently: a person says so, or is told the command.

mod find;
mod manager;
pub mod packages;
pub mod python;

use std::{fmt, io, path::PathBuf, process::ExitStatus};

use nix::unistd::Uid;
use serde::{Deserialize, Serialize};

pub use self::find::{find, look};
use self::manager::Manager;
pub use self::manager::run;
use crate::output;

/// The two servers that one set of SQL serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    Mariadb,
    Mysql,
}

impl fmt::Display for Flavour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Mariadb => "mariadb",
            Self::Mysql => "mysql",
        })
    }
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct DatabaseServer {
    pub flavour: Flavour,
    pub version: String,
    pub program: PathBuf,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Haproxy {
    pub version: String,
    pub program: PathBuf,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Browser {
    pub chromium: PathBuf,
    pub chromedriver: PathBuf,
}

/// What was found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Tools {
    /// Absent where the database is not the lab's own.
    pub database: Option<DatabaseServer>,
    /// The command-line client, `mariadb` or `mysql`.
    pub client: PathBuf,
    pub haproxy: Haproxy,
}

/// What makes a network of namespaces.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct NetworkTools {
    pub ip: PathBuf,
    pub nft: PathBuf,
}

/// What may be missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    DatabaseServer,
    DatabaseClient,
    Haproxy,
    /// `ip`, of iproute2.
    Ip,
    /// `nft`, of nftables.
    Nft,
    /// Chromium and its WebDriver server.
    Browser,
    /// One that its package is named after.
    Program(&'static str),
}

impl fmt::Display for Need {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::DatabaseServer => "a MariaDB or MySQL server (mariadbd or mysqld)",
            Self::DatabaseClient => "a MariaDB or MySQL client (mariadb or mysql)",
            Self::Haproxy => "haproxy",
            Self::Ip => "ip (iproute2)",
            Self::Nft => "nft (nftables)",
            Self::Browser => "Chromium with chromedriver",
            Self::Program(name) => name,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "this machine lacks {}; install it with\n\n    {command}\n\nor let the lab do so: cargo lab up --install",
        list(needs)
    )]
    Lacks { needs: Vec<Need>, command: String },
    #[error(
        "this machine lacks {}, and has no package manager that the lab knows: install it, and make it found by PATH",
        list(needs)
    )]
    NoManager { needs: Vec<Need> },
    #[error("can't run {command}")]
    Run {
        command: String,
        #[source]
        source: io::Error,
    },
    #[error("{command} failed: {status}")]
    Failed { command: String, status: ExitStatus },
    #[error("can't use {}", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} can still not be found after the installation", list(needs))]
    StillLacks { needs: Vec<Need> },
}

/// Finds the tools; installs what is missing where that is allowed.
pub fn ensure(own_database: bool, may_install: bool) -> Result<Tools, Error> {
    let needs = match look(own_database) {
        Ok(tools) => return Ok(tools),
        Err(needs) => needs,
    };
    install(&needs, may_install)?;
    look(own_database).map_err(|needs| Error::StillLacks { needs })
}

/// What only a lab with a VPC needs; installed like the others where it is missing.
pub fn network(may_install: bool) -> Result<NetworkTools, Error> {
    let needs = match find::network() {
        Ok(tools) => return Ok(tools),
        Err(needs) => needs,
    };
    install(&needs, may_install)?;
    find::network().map_err(|needs| Error::StillLacks { needs })
}

/// A program that only some commands need; installed like the others where it is missing.
pub fn program(name: &'static str) -> Result<PathBuf, Error> {
    if let Some(found) = find(name) {
        return Ok(found);
    }
    let needs = vec![Need::Program(name)];
    install(&needs, false)?;
    find(name).ok_or(Error::StillLacks { needs })
}

/// The browser; installed like the others where it is missing.
pub fn browser() -> Result<Browser, Error> {
    if let Some(found) = find::browser() {
        return Ok(found);
    }
    let needs = vec![Need::Browser];
    install(&needs, false)?;
    find::browser().ok_or(Error::StillLacks { needs })
}

fn install(needs: &[Need], may_install: bool) -> Result<(), Error> {
    let Some(manager) = Manager::find() else {
        let needs = needs.to_vec();
        return Err(Error::NoManager { needs });
    };
    let root = Uid::effective().is_root();
    let commands = manager.commands(needs, root);
    if !(root || may_install) {
        return Err(Error::Lacks {
            needs: needs.to_vec(),
            command: commands.join(" && "),
        });
    }
    output::say(format_args!("this machine lacks {}", list(needs)));
    for command in commands {
        output::say(format_args!("installing: {command}"));
        manager::run(&command)?;
    }
    Ok(())
}

fn list(needs: &[Need]) -> String {
    let names: Vec<String> = needs.iter().map(Need::to_string).collect();
    names.join(" and ")
}
