//! A private MariaDB or MySQL server.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use nix::unistd::Uid;

use super::{ConfigFile, Part, PartName};
use crate::{
    certificate, files,
    health::Health,
    install::{self, DatabaseServer, Flavour},
    lab::Lab,
    log,
    process::{Launch, Output},
    secret::Secret,
    state::LabDir,
};

/// Folder of the server in the lab's directory.
const HOME: &str = "mysql";

/// Folder of the data files in the server's folder.
const DATA: &str = "data";

/// A server with its files under one directory.
#[derive(Clone, Debug)]
pub struct Server {
    pub server: DatabaseServer,
    pub home: PathBuf,
    pub socket: PathBuf,
    /// Address to listen on.
    pub address: SocketAddr,
    pub root_password: Secret,
    /// Certificate with which it shows who it is.
    pub certificate: Option<PathBuf>,
    /// Whether root may come by TCP: for tests, which make databases of their own.
    pub root_by_tcp: bool,
}

pub fn part(lab: &Lab) -> Result<Part> {
    let server = Server::of(lab)?;
    Ok(Part {
        name: PartName::Mysql,
        about: format!("{} {}", server.server.flavour, server.server.version),
        address: lab.address(PartName::Mysql),
        files: server.files(),
        launch: server.launch(),
        health: Health::MysqlGreeting,
        stop_timeout: Duration::from_secs(30),
    })
}

/// Returns the server that created the existing data files; neither server can use the other's.
pub fn kept(dir: &LabDir) -> Option<Flavour> {
    let data = dir.data(HOME).join(DATA);
    let flavour = if data.join("mysql.ibd").is_file() {
        Flavour::Mysql
    } else {
        Flavour::Mariadb
    };
    data.is_dir().then_some(flavour)
}

impl Server {
    pub fn of(lab: &Lab) -> Result<Self> {
        let database = lab.settings.tools.database.clone();
        Ok(Self {
            server: database.context("the lab has no database server of its own")?,
            home: lab.dir.data(HOME),
            socket: lab.dir.mysql_socket()?,
            address: lab.listens(PartName::Mysql),
            certificate: lab
                .vpc
                .as_ref()
                .map(|_| certificate::Files::of(&lab.dir).database),
            root_password: lab.credentials.mysql.root.clone(),
            root_by_tcp: false,
        })
    }

    fn data(&self) -> PathBuf {
        self.home.join(DATA)
    }

    fn config_file(&self) -> PathBuf {
        self.home.join("my.cnf")
    }

    fn init_file(&self) -> PathBuf {
        self.home.join("init.sql")
    }

    pub fn files(&self) -> Vec<ConfigFile> {
        vec![
            ConfigFile {
                path: self.config_file(),
                content: self.config(),
            },
            ConfigFile {
                path: self.init_file(),
                content: self.init_sql(),
            },
        ]
    }

    pub fn launch(&self) -> Launch {
        // Not in the configuration, or MySQL would run it while it creates its own tables.
        let mut init = OsString::from("--init-file=");
        init.push(self.init_file());
        Launch {
            program: self.server.program.clone(),
            args: self.arguments(&[init]),
            env: BTreeMap::new(),
            output: Output::File,
        }
    }

    /// Whether there are data files.
    pub fn is_initialised(&self) -> bool {
        self.data().is_dir()
    }

    /// Creates the data files. They are renamed last, so that the server never starts on incomplete ones.
    pub async fn initialise(&self, log: &Path) -> Result<()> {
        files::create_dir(&self.home)?;
        for file in self.files() {
            file.write()?;
        }
        let new = self.home.join("data.new");
        files::remove(&new)?;

        let launch = self.initialisation(&new)?;
        let mut child = launch.spawn(log)?;
        let program = launch.program.display();
        let exit = child.wait().await;
        let status = exit.with_context(|| format!("cannot wait for {program}"))?;
        ensure!(
            status.success(),
            "cannot create the database's files ({status}){}",
            log::end_of(log)
        );
        Ok(files::rename(&new, &self.data())?)
    }

    fn initialisation(&self, data: &Path) -> Result<Launch> {
        let mut data_option = OsString::from("--datadir=");
        data_option.push(data);
        let (program, options) = match self.server.flavour {
            // The usual authentication lets root in only by the socket, so no account ever has an empty password.
            Flavour::Mariadb => (
                install::find("mariadb-install-db")
                    .or_else(|| install::find("mysql_install_db"))
                    .context(
                        "mariadb-install-db is not installed; it is part of the server's package",
                    )?,
                [data_option, "--skip-test-db".into()],
            ),
            Flavour::Mysql => (
                self.server.program.clone(),
                [data_option, "--initialize-insecure".into()],
            ),
        };
        Ok(Launch {
            program,
            args: self.arguments(&options),
            env: BTreeMap::new(),
            output: Output::File,
        })
    }

    /// `--defaults-file` must be first: it keeps the machine's own configuration out.
    fn arguments(&self, options: &[OsString]) -> Vec<OsString> {
        let mut defaults = OsString::from("--defaults-file=");
        defaults.push(self.config_file());
        let mut arguments = vec![defaults];
        arguments.extend_from_slice(options);
        if Uid::effective().is_root() {
            arguments.push("--user=root".into());
        }
        arguments
    }

    fn config(&self) -> String {
        let flavoured = match self.server.flavour {
            // Level 1 omits the notes on aborted connections, which health checks cause every second.
            Flavour::Mariadb => "innodb_log_file_size=32M\nlog_warnings=1",
            // SQL reads and writes no files, so the folder that the package configures for that need not exist.
            Flavour::Mysql => {
                "innodb_redo_log_capacity=32M\nskip_log_bin\nmysqlx=OFF\nsecure_file_priv=NULL"
            }
        };
        format!(
            "\
[mysqld]
datadir=\"{data}\"
socket=\"{socket}\"
pid_file=\"{home}/server.pid\"
# A MariaDB that starts removes the temporary tables of the folder, also those of another server.
tmpdir=\"{home}\"
bind_address={host}
port={port}
skip_name_resolve
local_infile=OFF
character_set_server=utf8mb4
default_time_zone=+00:00
max_connections=200
performance_schema=OFF
innodb_buffer_pool_size=64M
# A committed row survives a crash of the machine.
innodb_flush_log_at_trx_commit=1
{flavoured}
{tls}",
            tls = self.certificate.as_ref().map_or(String::new(), |file| {
                let file = file.display();
                format!("ssl_cert=\"{file}\"\nssl_key=\"{file}\"\n")
            }),
            data = self.data().display(),
            socket = self.socket.display(),
            home = self.home.display(),
            host = self.address.ip(),
            port = self.address.port(),
        )
    }

    /// Runs at every start, before the first connection is accepted. One statement per line.
    fn init_sql(&self) -> String {
        let password = self.root_password.expose();
        let host = self.address.ip();
        let by_socket = format!("ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';\n");
        let by_tcp = format!(
            "CREATE USER IF NOT EXISTS 'root'@'{host}' IDENTIFIED BY '{password}';\n\
             GRANT ALL PRIVILEGES ON *.* TO 'root'@'{host}' WITH GRANT OPTION;\n"
        );
        if self.root_by_tcp {
            format!("{by_socket}{by_tcp}")
        } else {
            by_socket
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(flavour: Flavour) -> Server {
        Server {
            server: DatabaseServer {
                flavour,
                version: "1".to_owned(),
                program: "/usr/sbin/mysqld".into(),
            },
            home: "/tmp/a lab/mysql".into(),
            socket: "/tmp/a lab/mysql.sock".into(),
            address: "127.0.0.1:3307".parse().unwrap(),
            certificate: None,
            root_password: Secret::new("hunter2"),
            root_by_tcp: false,
        }
    }

    #[test]
    fn listens_on_loopback_alone_and_never_loses_a_commit() {
        for flavour in [Flavour::Mariadb, Flavour::Mysql] {
            let config = server(flavour).config();
            assert!(config.contains("\nbind_address=127.0.0.1\n"));
            assert!(config.contains("\ninnodb_flush_log_at_trx_commit=1\n"));
        }
    }

    #[test]
    fn servers_share_no_folder_of_temporary_tables() {
        for flavour in [Flavour::Mariadb, Flavour::Mysql] {
            let config = server(flavour).config();
            assert!(config.contains("\ntmpdir=\"/tmp/a lab/mysql\"\n"));
        }
    }

    #[test]
    fn the_server_that_made_the_data_is_known_by_its_files() {
        let home = tempfile::TempDir::new().unwrap();
        let dir = LabDir::at(home.path()).unwrap();
        assert_eq!(kept(&dir), None);
        let data = dir.data(HOME).join(DATA);
        std::fs::create_dir_all(&data).unwrap();
        assert_eq!(kept(&dir), Some(Flavour::Mariadb));
        std::fs::write(data.join("mysql.ibd"), "").unwrap();
        assert_eq!(kept(&dir), Some(Flavour::Mysql));
    }

    #[test]
    fn the_password_is_not_on_the_command_line() {
        let server = server(Flavour::Mysql);
        let launch = server.initialisation(Path::new("/tmp/data")).unwrap();
        for arguments in [launch.args, server.launch().args] {
            assert!(
                arguments[0]
                    .to_str()
                    .unwrap()
                    .starts_with("--defaults-file=")
            );
            assert!(!format!("{arguments:?}").contains("hunter2"));
        }
    }

    #[test]
    fn root_comes_by_the_socket_unless_tests_need_more() {
        let mut server = server(Flavour::Mariadb);
        assert!(!server.init_sql().contains("127.0.0.1"));
        server.root_by_tcp = true;
        assert!(server.init_sql().contains("TO 'root'@'127.0.0.1' WITH"));
    }
}
