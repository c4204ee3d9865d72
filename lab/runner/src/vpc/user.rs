//! The VPC without root: in a user namespace, whose owner is root over its network namespaces only.
//!
//! The supervisor is started in it, with mounts of its own, so that nobody else sees the names that `ip netns` keeps.
//! Later processes join it. When its last process ends, all of it is gone.

use std::{ffi::OsStr, io, path::Path, process::Command};

use anyhow::{Context as _, Error, Result, anyhow};
use nix::{
    mount::{MsFlags, mount},
    unistd::Uid,
};

use super::Vpc;
use crate::state::{LabDir, status::Status};

/// The user who starts it becomes root of the new namespace.
const UNSHARE: [&str; 3] = ["--user", "--map-root-user", "--mount"];

/// Checks whether the kernel lets a user create namespaces.
pub(super) fn is_possible() -> Result<()> {
    let tried = Command::new("unshare")
        .args(UNSHARE)
        .args(["--net", "true"])
        .output();
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(not_root(String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Err(not_root(&format!("unshare: {error}"))),
    }
}

fn not_root(why: &str) -> Error {
    anyhow!(
        "on this machine only root may create network namespaces ({why}); run as root, or leave out --vpc"
    )
}

/// Returns how to start the supervisor: in a user namespace, if needed.
pub fn started<'a>(vpc: Option<&Vpc>, program: &'a Path) -> (&'a OsStr, Vec<&'a OsStr>) {
    if vpc.is_some_and(|vpc| vpc.rootless) {
        let arguments = UNSHARE.iter().copied().chain(["--"]).map(OsStr::new);
        let arguments = arguments.chain([program.as_os_str()]);
        (OsStr::new("unshare"), arguments.collect())
    } else {
        (program.as_os_str(), Vec::new())
    }
}

/// Run by the supervisor before it creates anything: mounts an empty folder for the names of namespaces.
pub fn cover_names(vpc: &Vpc) -> Result<()> {
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
    .context("cannot mount over /run for the names of namespaces")
}

/// Returns a command that runs inside the supervisor's namespaces; unchanged if this process is in them already.
pub(super) fn joined(vpc: &Vpc, program: &Path) -> Result<Command> {
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

/// Runs this command again inside the supervisor's namespaces; `None` if this process is in them already.
pub fn again(vpc: &Vpc, program: &Path) -> Result<Option<io::Result<std::process::ExitStatus>>> {
    if !is_outside(vpc) {
        return Ok(None);
    }
    let mut command = joined(vpc, program)?;
    Ok(Some(command.args(std::env::args_os().skip(1)).status()))
}

fn is_outside(vpc: &Vpc) -> bool {
    vpc.rootless && !Uid::effective().is_root()
}

fn supervisor(dir: &LabDir) -> Result<i32> {
    let status = Status::load(dir).ok().flatten();
    status
        .map(|status| status.supervisor)
        .filter(|supervisor| supervisor.is_alive())
        .map(|supervisor| supervisor.pid)
        .context(
            "the supervisor, which owns the namespaces, is not running; see `cargo lab status`",
        )
}
