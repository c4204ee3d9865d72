//! Finds programs and their versions.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Browser, DatabaseServer, Flavour, Haproxy, Need, NetworkTools, Tools, Wanted, mysql};

/// Folders of servers on systems that keep them out of a user's `PATH`.
const SERVER_DIRS: [&str; 6] = [
    "/usr/sbin",
    "/sbin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/opt/homebrew/bin",
    "/opt/homebrew/sbin",
];

/// Returns the tools that are installed or downloaded, or everything that is missing.
pub fn look(wanted: Wanted, brought: &Path) -> Result<Tools, Vec<Need>> {
    let database = database(wanted, brought);
    let client = find("mariadb").or_else(|| find("mysql"));
    let haproxy = haproxy();

    let mut needs = Vec::new();
    if wanted != Wanted::Elsewhere && database.is_none() {
        needs.push(Need::DatabaseServer);
    }
    if client.is_none() {
        needs.push(Need::DatabaseClient);
    }
    if haproxy.is_none() {
        needs.push(Need::Haproxy);
    }
    match (client, haproxy) {
        (Some(client), Some(haproxy)) if needs.is_empty() => Ok(Tools {
            database,
            client,
            haproxy,
        }),
        _ => Err(needs),
    }
}

/// Returns the tools for network namespaces, or what is missing of them.
pub(super) fn network() -> Result<NetworkTools, Vec<Need>> {
    match (find("ip"), find("nft")) {
        (Some(ip), Some(nft)) => Ok(NetworkTools { ip, nft }),
        (ip, nft) => {
            let ip = ip.is_none().then_some(Need::Ip);
            Err(ip
                .into_iter()
                .chain(nft.is_none().then_some(Need::Nft))
                .collect())
        }
    }
}

/// Finds a program on the `PATH` or in the folders of servers.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SERVER_DIRS.iter().map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|candidate| candidate.is_file())
}

/// `mysqld` may be MariaDB's server under another name: its version tells.
pub(super) fn database(wanted: Wanted, brought: &Path) -> Option<DatabaseServer> {
    let programs = [find("mysqld"), mysql::brought(brought), find("mariadbd")];
    let servers = programs.into_iter().flatten().filter_map(server);
    servers
        .filter(|server| match wanted {
            Wanted::Elsewhere => false,
            Wanted::Any => true,
            Wanted::Only(flavour) => server.flavour == flavour,
        })
        .min_by_key(|server| server.flavour != Flavour::Mysql)
}

fn server(program: PathBuf) -> Option<DatabaseServer> {
    let (flavour, version) = parse_database(&version_text(&program, "--version")?)?;
    Some(DatabaseServer {
        flavour,
        version,
        program,
    })
}

fn haproxy() -> Option<Haproxy> {
    let program = find("haproxy")?;
    let version = parse_haproxy(&version_text(&program, "-v")?)?;
    Some(Haproxy { version, program })
}

pub(super) fn browser() -> Option<Browser> {
    Some(Browser {
        chromium: find("chromium").or_else(|| find("chromium-browser"))?,
        chromedriver: find("chromedriver")?,
    })
}

fn version_text(program: &Path, flag: &str) -> Option<String> {
    let output = Command::new(program).arg(flag).output().ok()?;
    String::from_utf8(output.stdout).ok()
}

/// Parses `mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64`.
fn parse_database(text: &str) -> Option<(Flavour, String)> {
    let flavour = if text.contains("MariaDB") {
        Flavour::Mariadb
    } else {
        Flavour::Mysql
    };
    let mut words = text.split_whitespace();
    words.find(|&word| word == "Ver")?;
    Some((flavour, number(words.next()?)))
}

/// Parses `HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/`.
fn parse_haproxy(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    words.find(|&word| word == "version")?;
    Some(number(words.next()?))
}

fn number(version: &str) -> String {
    version.split('-').next().unwrap_or(version).to_owned()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn versions_are_read_as_the_programs_print_them() {
        let mariadb = "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64";
        let mysql = "/usr/sbin/mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server)";
        let haproxy = "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/";
        assert_eq!(
            parse_database(mariadb),
            Some((Flavour::Mariadb, "10.11.19".to_owned()))
        );
        assert_eq!(
            parse_database(mysql),
            Some((Flavour::Mysql, "8.4.3".to_owned()))
        );
        assert_eq!(parse_haproxy(haproxy), Some("2.6.12".to_owned()));
    }

    #[test]
    fn a_server_that_was_brought_in_is_found_and_preferred() {
        let tools = tempfile::TempDir::new().unwrap();
        let launcher = tools.path().join("mysql/mysqld");
        fs::create_dir(tools.path().join("mysql")).unwrap();
        fs::write(
            &launcher,
            "#!/bin/sh\necho '/x/mysqld  Ver 9.7.4-2 for Linux on x86_64'",
        )
        .unwrap();
        fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755)).unwrap();
        for wanted in [Wanted::Any, Wanted::Only(Flavour::Mysql)] {
            let found = database(wanted, tools.path()).unwrap();
            assert_eq!(found.flavour, Flavour::Mysql);
        }
        assert_eq!(database(Wanted::Elsewhere, tools.path()), None);
    }

    #[test]
    fn a_program_that_is_nowhere_is_not_found() {
        assert_eq!(find("no-such-program-anywhere"), None);
    }
}
