//! Runs `ip` and `nft`: their input and output.

use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use super::{Vpc, user};
use crate::files;

impl Vpc {
    /// Sets the router's links to these hosts up or down.
    pub(crate) fn set_links<'h>(
        &self,
        hosts: impl IntoIterator<Item = &'h str>,
        state: &str,
    ) -> Result<()> {
        let mut lines = String::new();
        for host in hosts {
            // Writing to a string can't fail.
            let _ = writeln!(lines, "link set {host} {state}");
        }
        self.batch(&self.namespace(super::ROUTER), &lines)
    }

    /// Returns the router's links, and whether they are up.
    pub(crate) fn links(&self) -> Result<String> {
        let router = self.namespace(super::ROUTER);
        self.ip(&["-n", &router, "-br", "link", "show", "type", "veth"], "")
    }

    /// Returns a set of the router in nft's format.
    pub(crate) fn set_of_router(&self, set: &str) -> Result<String> {
        let router = self.namespace(super::ROUTER);
        let nft = self.tools.nft.to_string_lossy();
        let list = [
            "netns", "exec", &router, &nft, "-j", "list", "set", "ip", "acl", set,
        ];
        self.ip(&list, "")
    }

    /// Creates a namespace. `ip` returns from it afterwards, which root of a user namespace may do only from a network
    /// namespace of its own.
    pub(super) fn add(&self, namespace: &str) -> Result<()> {
        let mut command = if self.rootless {
            let mut command = Command::new("unshare");
            command.args(["--net", "--"]).arg(&self.tools.ip);
            command
        } else {
            Command::new(&self.tools.ip)
        };
        run(command.args(["netns", "add", namespace]), "")?;
        Ok(())
    }

    pub(super) fn ip(&self, arguments: &[&str], input: &str) -> Result<String> {
        run(user::joined(self, &self.tools.ip)?.args(arguments), input)
    }

    pub(super) fn batch(&self, namespace: &str, lines: &str) -> Result<()> {
        self.ip(&["-n", namespace, "-batch", "-"], lines)?;
        Ok(())
    }

    /// Loads rules, which stay in a file for people to read.
    pub(super) fn load(&self, namespace: &str, name: &str, rules: &str) -> Result<()> {
        let path = self.dir.config(&format!("{name}.nft"));
        files::write(&path, rules)?;
        let (nft, path) = (self.tools.nft.to_string_lossy(), path.to_string_lossy());
        self.ip(&["netns", "exec", namespace, &nft, "-f", &path], "")?;
        Ok(())
    }

    pub(super) fn set(&self, namespace: &str, settings: &[&str]) -> Result<()> {
        for setting in settings {
            let Some((name, value)) = setting.split_once('=') else {
                continue;
            };
            let path = format!("/proc/sys/{}", name.replace('.', "/"));
            let write = format!("echo {value} > {path}");
            self.ip(&["netns", "exec", namespace, "/bin/sh", "-c", &write], "")?;
        }
        Ok(())
    }
}

/// Runs a command and returns its output.
pub(super) fn run(command: &mut Command, input: &str) -> Result<String> {
    let shown = shown(command);
    let failed = || format!("cannot run {shown}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).with_context(failed)?;
    }
    let output = child.wait_with_output().with_context(failed)?;
    ensure!(
        output.status.success(),
        "{shown} failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Formats a command as a person would type it.
fn shown(command: &Command) -> String {
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}
