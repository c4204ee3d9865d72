//! Why a VPC does not come about, or is not as it is asked.

use std::{io, path::PathBuf, process::ExitStatus};

use aws_model::network::Name;

use crate::{files, part_name::PartName};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("this lab has no VPC: start it with `up --vpc`")]
    NoVpc,
    #[error(
        "this machine lets nobody but root make network namespaces ({0}): run it as root, or leave out --vpc"
    )]
    NotRoot(String),
    #[error("this machine makes no network namespaces, which --vpc needs: leave it out")]
    Impossible(#[source] io::Error),
    #[error("the supervisor, whose namespaces these are, does not run: see `cargo lab status`")]
    NoSupervisor,
    #[error("/run can't be covered for the names of namespaces")]
    Cover(#[source] io::Error),
    #[error("{}", path.display())]
    Network {
        path: PathBuf,
        #[source]
        source: aws_model::network::Error,
    },
    #[error("{}: it lacks the host {host}, in which the part {part} runs", path.display())]
    NoHost {
        path: PathBuf,
        host: &'static str,
        part: PartName,
    },
    #[error("{}: the host name {host} does not fit an interface: up to 15 letters, digits and -", path.display())]
    HostName { path: PathBuf, host: Name },
    #[error(transparent)]
    Files(#[from] files::Error),
    #[error("can't run {command}")]
    Run {
        command: String,
        #[source]
        source: io::Error,
    },
    #[error("{command} failed ({status}): {message}")]
    Failed {
        command: String,
        status: ExitStatus,
        message: String,
    },
    #[error("the namespace {name} can't be entered")]
    Enter {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("{} has no zone {zone}; it has {known}", path.display())]
    NoZone {
        path: PathBuf,
        zone: String,
        known: String,
    },
    #[error("what nft prints is not understood")]
    Nft(#[source] serde_json::Error),
    #[error(transparent)]
    Unknown(#[from] aws_model::network::UnknownName),
    #[error("{0:?} is no host and port, such as db:3306")]
    HostAndPort(String),
}
