//! The VPC without root: in a user namespace, in which its owner is root over namespaces of the network alone.
//!
//! The supervisor is started into one, with mounts of its own, so that `ip netns` keeps its names where nobody else
//! sees them. Whoever wants in later follows it. With its last process all of it is gone.

use std::{ffi::OsStr, io, path::Path, process::Command};

use nix::{
    mount::{MsFlags, mount},
    unistd::Uid,
};

use super::{Error, Vpc};
use crate::state::{LabDir, status::Status};

/// Root of the new namespace is who starts it.
const UNSHARE: [&str; 3] = ["--user", "--map-root-user", "--mount"];

/// Whether the kernel lets a user make namespaces.
pub(super) fn is_possible() -> Result<(), Error> {
    let tried = Command::new("unshare")
        .args(UNSHARE)
        .args(["--net", "true"])
        .output();
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let message = String::from_utf8_lossy(&output.stderr);
            Err(Error::NotRoot(message.trim().to_owned()))
        }
        Err(error) => Err(Error::NotRoot(format!("unshare: {error}"))),
    }
}

/// How to start the supervisor: in a user namespace, where that is needed.
pub fn started<'a>(vpc: Option<&Vpc>, program: &'a Path) -> (&'a OsStr, Vec<&'a OsStr>) {
    if vpc.is_some_and(|vpc| vpc.rootless) {
        let arguments = UNSHARE.iter().copied().chain(["--"]).map(OsStr::new);
        let arguments = arguments.chain([program.as_os_str()]);
        (OsStr::new("unshare"), arguments.collect())
    } else {
        (program.as_os_str(), Vec::new())
    }
}

/// In the supervisor, before it makes anything: an empty place for the names of namespaces.
pub fn cover_names(vpc: &Vpc) -> Result<(), Error> {
    if !vpc.rootless {
        return Ok(());
    }
    let netns = Path::new(super::doorway::NAMESPACES);
    let place = if netns.is_dir() {
        netns
    } else {
        Path::new("/run")
    };
    mount(
        Some("lab"),
        place,
        Some("tmpfs"),
        MsFlags::empty(),
        None::<&str>,
    )
    .map_err(|error| Error::Cover(error.into()))
}

/// A command that runs where the supervisor is; as it stands for those who are there already.
pub(super) fn joined(vpc: &Vpc, program: &Path) -> Result<Command, Error> {
    if !is_outside(vpc) {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("nsenter");
    command.arg(format!("--target={}", supervisor(&vpc.dir)?));
    command
        .args(["--user", "--mount", "--preserve-credentials", "--"])
        .arg(program);
    Ok(command)
}

/// Runs this very command where the supervisor is; nothing where it is there already.
pub fn again(
    vpc: &Vpc,
    program: &Path,
) -> Result<Option<io::Result<std::process::ExitStatus>>, Error> {
    if !is_outside(vpc) {
        return Ok(None);
    }
    let mut command = joined(vpc, program)?;
    Ok(Some(command.args(std::env::args_os().skip(1)).status()))
}

fn is_outside(vpc: &Vpc) -> bool {
    vpc.rootless && !Uid::effective().is_root()
}

fn supervisor(dir: &LabDir) -> Result<i32, Error> {
    let status = Status::load(dir)
        .ok()
        .flatten()
        .ok_or(Error::NoSupervisor)?;
    let alive = status.supervisor.is_alive();
    alive
        .then_some(status.supervisor.pid)
        .ok_or(Error::NoSupervisor)
}
