//! The system's package managers, and their package names.

use std::{process::Command, slice};

use anyhow::Result;

use super::{Need, find, must_succeed};

pub(super) struct Manager {
    program: &'static str,
    /// Command that refreshes the package list, where an old one would fail.
    refresh: Option<&'static str>,
    install: &'static str,
    server: &'static str,
    client: &'static str,
    /// Package of `ip`.
    ip: &'static str,
    browser: &'static [&'static str],
    /// Whether it runs as root; Homebrew refuses to.
    as_root: bool,
}

const MANAGERS: [Manager; 5] = [
    Manager {
        program: "apt-get",
        refresh: Some("update"),
        install: "install -y --no-install-recommends",
        server: "mariadb-server",
        client: "mariadb-client",
        ip: "iproute2",
        browser: &["chromium", "chromium-driver"],
        as_root: true,
    },
    Manager {
        program: "dnf",
        refresh: None,
        install: "install -y",
        server: "mariadb-server",
        client: "mariadb",
        ip: "iproute",
        browser: &["chromium", "chromedriver"],
        as_root: true,
    },
    Manager {
        program: "apk",
        refresh: None,
        install: "add",
        server: "mariadb",
        client: "mariadb-client",
        ip: "iproute2",
        browser: &["chromium", "chromium-chromedriver"],
        as_root: true,
    },
    Manager {
        program: "pacman",
        refresh: None,
        install: "-Sy --noconfirm",
        server: "mariadb",
        client: "mariadb-clients",
        ip: "iproute2",
        browser: &["chromium"],
        as_root: true,
    },
    Manager {
        program: "brew",
        refresh: None,
        install: "install",
        server: "mariadb",
        client: "mariadb",
        ip: "iproute2mac",
        browser: &["chromium", "chromedriver"],
        as_root: false,
    },
];

impl Manager {
    /// Returns the package manager of this system.
    pub(super) fn find() -> Option<&'static Self> {
        MANAGERS
            .iter()
            .find(|manager| find(manager.program).is_some())
    }

    /// Returns the commands that install what is needed, as a person would type them.
    pub(super) fn commands(&self, needs: &[Need], root: bool) -> Vec<String> {
        let sudo = if self.as_root && !root { "sudo " } else { "" };
        let mut packages: Vec<&str> = needs
            .iter()
            .flat_map(|need| match need {
                Need::DatabaseServer => slice::from_ref(&self.server),
                Need::DatabaseClient => slice::from_ref(&self.client),
                Need::Haproxy => &["haproxy"],
                Need::Ip => slice::from_ref(&self.ip),
                Need::Nft => &["nftables"],
                Need::Browser => self.browser,
                Need::Program(name) => slice::from_ref(name),
            })
            .copied()
            .collect();
        packages.dedup();
        let install = format!("{} {}", self.install, packages.join(" "));
        self.refresh
            .into_iter()
            .map(str::to_owned)
            .chain([install])
            .map(|arguments| format!("{sudo}{} {arguments}", self.program))
            .collect()
    }
}

/// Runs one of those commands and shows its output.
pub fn run(command: &str) -> Result<()> {
    let mut words = command.split(' ');
    let program = words.next().unwrap_or_default();
    let status = Command::new(program)
        .args(words)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status();
    must_succeed(command, status)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Need; 3] = [Need::DatabaseServer, Need::DatabaseClient, Need::Haproxy];

    fn commands(program: &str, needs: &[Need], root: bool) -> Vec<String> {
        MANAGERS
            .iter()
            .find(|manager| manager.program == program)
            .unwrap()
            .commands(needs, root)
    }

    #[test]
    fn the_commands_are_those_that_a_person_would_type() {
        assert_eq!(
            commands("apt-get", &[Need::Haproxy], false),
            [
                "sudo apt-get update",
                "sudo apt-get install -y --no-install-recommends haproxy"
            ]
        );
        assert_eq!(
            commands("dnf", &ALL, true),
            ["dnf install -y mariadb-server mariadb haproxy"]
        );
    }

    #[test]
    fn a_browser_comes_with_its_driver() {
        assert_eq!(
            commands("apk", &[Need::Browser], true),
            ["apk add chromium chromium-chromedriver"]
        );
    }

    #[test]
    fn homebrew_is_never_run_by_sudo_nor_asked_twice_for_one_package() {
        assert_eq!(
            commands("brew", &ALL, false),
            ["brew install mariadb haproxy"]
        );
    }
}
