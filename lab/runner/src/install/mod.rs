//! What the machine needs besides this repository: a database server and haproxy; and packages from `PyPI` that
//! commands and tests install into the lab's own folder.
//!
//! Nothing is installed silently: a person asks for it, or is shown the command.

mod find;
mod manager;
pub mod mysql;
pub mod packages;
pub mod python;

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use anyhow::{Context as _, Error, Result, anyhow, bail, ensure};
use clap::ValueEnum;
use nix::unistd::Uid;
use serde::{Deserialize, Serialize};

pub use self::find::{find, look};
use self::manager::Manager;
pub use self::manager::run;
use crate::output;

/// Selects the server for commands and tests: `mysql` or `mariadb`.
pub const DATABASE: &str = "LAB_DATABASE";

/// The two servers, which share one set of SQL.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    Mariadb,
    Mysql,
}

/// The database server to use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// No server: there is one elsewhere.
    Elsewhere,
    /// MySQL, which RDS runs, or otherwise MariaDB.
    Any,
    Only(Flavour),
}

impl Wanted {
    /// Returns the one that [`DATABASE`] names, or any.
    pub fn by_environment() -> Self {
        let named = env::var(DATABASE).ok();
        let flavour = named.and_then(|name| Flavour::from_str(&name, true).ok());
        flavour.map_or(Self::Any, Self::Only)
    }
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

/// Programs that were found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Tools {
    /// `None` if the database is not the lab's own.
    pub database: Option<DatabaseServer>,
    /// Command-line client, `mariadb` or `mysql`.
    pub client: PathBuf,
    pub haproxy: Haproxy,
}

/// Tools that create network namespaces.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct NetworkTools {
    pub ip: PathBuf,
    pub nft: PathBuf,
}

/// A program that may be missing.
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
    /// A program whose package has the same name.
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

const NO_MYSQL: &str = "no MySQL server is installed, and the lab cannot download one";

/// Finds the tools, including those that the lab downloaded; installs what is missing if allowed.
pub fn ensure(wanted: Wanted, brought: &Path, may_install: bool) -> Result<Tools> {
    if wanted == Wanted::Only(Flavour::Mysql) && find::database(wanted, brought).is_none() {
        if !(Uid::effective().is_root() || may_install) {
            let how = "say --install, and the lab unpacks Debian's into a folder of its own";
            bail!("{NO_MYSQL}: {how}");
        }
        mysql::bring(brought)?;
    }
    let needs = match look(wanted, brought) {
        Ok(tools) => return Ok(tools),
        Err(needs) => needs,
    };
    install(&needs, may_install)?;
    look(wanted, brought).map_err(|needs| still_missing(&needs))
}

/// Finds the tools that only a lab with a VPC needs; installs what is missing if allowed.
pub fn network(may_install: bool) -> Result<NetworkTools> {
    let needs = match find::network() {
        Ok(tools) => return Ok(tools),
        Err(needs) => needs,
    };
    install(&needs, may_install)?;
    find::network().map_err(|needs| still_missing(&needs))
}

/// Finds a program that only some commands need; installs it if it is missing.
pub fn program(name: &'static str) -> Result<PathBuf> {
    if let Some(found) = find(name) {
        return Ok(found);
    }
    let needs = [Need::Program(name)];
    install(&needs, false)?;
    find(name).ok_or_else(|| still_missing(&needs))
}

/// Finds the browser; installs it if it is missing.
pub fn browser() -> Result<Browser> {
    if let Some(found) = find::browser() {
        return Ok(found);
    }
    let needs = [Need::Browser];
    install(&needs, false)?;
    find::browser().ok_or_else(|| still_missing(&needs))
}

fn install(needs: &[Need], may_install: bool) -> Result<()> {
    let Some(manager) = Manager::find() else {
        bail!(
            "not installed: {}. This machine has no package manager that the lab knows; install it so that it is on the PATH",
            list(needs)
        );
    };
    let root = Uid::effective().is_root();
    let commands = manager.commands(needs, root);
    ensure!(
        root || may_install,
        "not installed: {}. Install with\n\n    {}\n\nor let the lab do so: cargo lab up --install",
        list(needs),
        commands.join(" && ")
    );
    output::say(format_args!("not installed: {}", list(needs)));
    for command in commands {
        output::say(format_args!("installing: {command}"));
        manager::run(&command)?;
    }
    Ok(())
}

fn still_missing(needs: &[Need]) -> Error {
    anyhow!("still not found after the installation: {}", list(needs))
}

fn list(needs: &[Need]) -> String {
    let names: Vec<String> = needs.iter().map(Need::to_string).collect();
    names.join(" and ")
}

/// Prints and runs a command.
fn run_shown(command: &mut Command) -> Result<()> {
    output::say(format_args!("installing: {}", shown(command)));
    run_quietly(command)
}

/// Runs a command that must succeed.
fn run_quietly(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status();
    must_succeed(&shown(command), status)
}

fn must_succeed(command: &str, status: io::Result<ExitStatus>) -> Result<()> {
    let status = status.with_context(|| format!("cannot run {command}"))?;
    ensure!(status.success(), "{command} failed: {status}");
    Ok(())
}

/// Formats a command as a person would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// Removes a folder and its content, if it exists.
fn remove_dir(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
