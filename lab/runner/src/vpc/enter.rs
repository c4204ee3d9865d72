//! `cargo lab enter`: enters a namespace, and becomes the program that runs there.

use std::{
    convert::Infallible, ffi::OsString, fs::File, io, os::unix::process::CommandExt as _,
    path::Path, process::Command,
};

use anyhow::{Context as _, Result};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, setns, unshare},
};

use super::doorway::NAMESPACES;

const HOSTS: &str = "/etc/hosts";

/// Returns only if it failed. The program keeps this process's pid, so that whoever started it knows it.
pub fn run(namespace: &str, hosts: Option<&Path>, program: &[OsString]) -> Result<Infallible> {
    become_program(namespace, hosts, program)
        .with_context(|| format!("cannot enter the namespace {namespace}"))
}

fn become_program(
    namespace: &str,
    hosts: Option<&Path>,
    program: &[OsString],
) -> io::Result<Infallible> {
    let (name, arguments) = program.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let file = File::open(Path::new(NAMESPACES).join(namespace))?;
    setns(file, CloneFlags::CLONE_NEWNET)?;
    if let Some(hosts) = hosts {
        cover(hosts)?;
    }
    Err(Command::new(name).args(arguments).exec())
}

/// Mounts a file over `/etc/hosts`, only for this process and its children.
fn cover(hosts: &Path) -> io::Result<()> {
    const NONE: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    mount(Some(hosts), HOSTS, NONE, MsFlags::MS_BIND, NONE)?;
    Ok(())
}
