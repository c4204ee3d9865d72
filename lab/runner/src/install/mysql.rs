//! MySQL's server for machines whose own packages have only MariaDB, such as Debian's.
//!
//! Debian's unstable release has it. Its packages are unpacked into a folder of the lab, with every library including
//! the dynamic linker. Nothing is installed: the machine stays unchanged, and no root is needed.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, anyhow};

use super::{NO_MYSQL, find, remove_dir, run_quietly, run_shown};

const PACKAGE: &str = "mysql-server-core";

const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Runs the server with its own libraries. It searches its files relative to its own path, the first argument.
const LAUNCHER: &str = r#"#!/bin/sh
root=$(dirname "$0")/root
for linker in "$root"/usr/lib/*-linux-gnu/ld-linux-*.so.?; do :; done
server=$root/usr/sbin/mysqld
exec "$linker" --library-path "$(dirname "$linker")" --argv0 "$server" "$server" "$@"
"#;

/// Returns the server that was downloaded before.
pub(super) fn brought(tools: &Path) -> Option<PathBuf> {
    let launcher = tools.join("mysql/mysqld");
    launcher.is_file().then_some(launcher)
}

/// Returns why this machine cannot download it, if so.
pub fn is_possible() -> Result<(), String> {
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !system.lines().any(|line| line == "ID=debian") {
        return Err("only on Debian can the lab bring in a MySQL server".to_owned());
    }
    let lacking = ["apt-get", "dpkg-deb"]
        .into_iter()
        .find(|tool| find(tool).is_none());
    lacking.map_or(Ok(()), |tool| Err(format!("{tool} is not installed")))
}

/// Downloads it if it is missing. A second caller waits for the first.
pub(super) fn bring(tools: &Path) -> Result<PathBuf> {
    is_possible().map_err(|why| anyhow!("{NO_MYSQL}: {why}"))?;
    let (home, new) = (tools.join("mysql"), tools.join("mysql.new"));
    let failed = || format!("cannot use {}", home.display());
    fs::create_dir_all(tools).with_context(failed)?;
    let lock = File::create(home.with_extension("lock")).with_context(failed)?;
    lock.lock().with_context(failed)?;
    if let Some(launcher) = brought(tools) {
        return Ok(launcher);
    }
    remove_dir(&new).with_context(failed)?;
    let apt = Apt::prepare(&new.join("apt")).with_context(failed)?;
    run_shown(&mut apt.get(&["update", "-qq"]))?;
    let download = [
        "install",
        "-qq",
        "--download-only",
        "--no-install-recommends",
    ];
    run_shown(apt.get(&download).arg(PACKAGE))?;
    for package in apt.packages().with_context(failed)? {
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("-x").arg(package).arg(new.join("root"));
        run_quietly(&mut unpack)?;
    }
    remove_dir(apt.home()).with_context(failed)?;
    write_launcher(&new.join("mysqld")).with_context(failed)?;
    fs::rename(&new, &home).with_context(failed)?;
    Ok(home.join("mysqld"))
}

fn write_launcher(path: &Path) -> io::Result<()> {
    fs::write(path, LAUNCHER)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// `apt-get` with package lists of its own, for which nothing is installed.
struct Apt(PathBuf);

impl Apt {
    fn prepare(home: &Path) -> io::Result<Self> {
        for folder in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(home.join(folder))?;
        }
        let shown = home.display();
        fs::write(home.join("status"), "")?;
        fs::write(
            home.join("sources.list"),
            format!("deb [signed-by={KEYS}] {} sid main\n", mirror()?),
        )?;
        let config = format!(
            "Dir::State \"{shown}/state\";\nDir::State::status \"{shown}/status\";\nDir::Cache \"{shown}/cache\";\n\
             Dir::Etc::sourcelist \"{shown}/sources.list\";\nDir::Etc::sourceparts \"/dev/null\";\n\
             Dir::Etc::preferencesparts \"/dev/null\";\nAPT::Sandbox::User \"\";\nAcquire::Languages \"none\";\n"
        );
        fs::write(home.join("apt.conf"), config)?;
        Ok(Self(home.to_owned()))
    }

    fn home(&self) -> &Path {
        &self.0
    }

    fn get(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("apt-get");
        command.env("APT_CONFIG", self.0.join("apt.conf"));
        command.args(arguments);
        command
    }

    fn packages(&self) -> io::Result<Vec<PathBuf>> {
        let files = fs::read_dir(self.0.join("cache/archives"))?;
        let paths: io::Result<Vec<_>> = files.map(|file| Ok(file?.path())).collect();
        let is_package = |path: &PathBuf| path.extension().is_some_and(|end| end == "deb");
        Ok(paths?.into_iter().filter(is_package).collect())
    }
}

/// Returns the mirror that this machine gets its own packages from.
fn mirror() -> io::Result<String> {
    let mut sources = Command::new("apt-get");
    let printed = sources.args(["--print-uris", "update"]).output()?.stdout;
    let none = || io::Error::other("apt's sources name no mirror of Debian");
    mirror_in(&String::from_utf8_lossy(&printed)).ok_or_else(none)
}

/// Finds it in lines such as `'http://mirror.example/debian/dists/bookworm/InRelease' mirror.example_debian_… 0`.
fn mirror_in(uris: &str) -> Option<String> {
    let uris = uris.lines().filter_map(|line| line.strip_prefix('\''));
    let mut repositories = uris.filter_map(|uri| Some(uri.split_once("/dists/")?.0));
    let mirror = repositories.find(|repository| repository.ends_with("/debian"));
    mirror.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_one_of_the_machines_own_packages() {
        let uris = "'https://packages.example/dists/x/InRelease' a 0\n\
            'http://mirror.example/debian-security/dists/x/InRelease' b 0\n\
            'http://mirror.example/debian/dists/x/InRelease' c 0 \n";
        let mirror = mirror_in(uris);
        assert_eq!(mirror.as_deref(), Some("http://mirror.example/debian"));
        assert_eq!(mirror_in(""), None);
    }
}
