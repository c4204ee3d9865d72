//! The `mariadb` or `mysql` command.

use std::{io, path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

use super::Endpoint;
use crate::secret::Secret;

/// Longest time for one statement of the lab.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(1);

#[derive(Clone, Debug)]
pub struct Client {
    program: PathBuf,
    endpoint: Endpoint,
    user: String,
    password: Secret,
}

impl Client {
    pub fn new(program: PathBuf, endpoint: Endpoint, user: &str, password: Secret) -> Self {
        Self {
            program,
            endpoint,
            user: user.to_owned(),
            password,
        }
    }

    /// The client program with its connection options. The password is passed in the environment, because arguments are
    /// visible to everyone.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // Otherwise a person's own defaults, or variables from `cargo lab env`, would decide where it connects.
        command.arg("--no-defaults");
        for name in ["MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT"] {
            command.env_remove(name);
        }
        command.arg("--default-character-set=utf8mb4");
        match &self.endpoint {
            Endpoint::Socket(path) => {
                let mut socket = std::ffi::OsString::from("--socket=");
                socket.push(path);
                command.arg("--protocol=socket").arg(socket);
            }
            Endpoint::Tcp { host, port } => {
                command.args(["--protocol=tcp", &format!("--host={host}")]);
                command.arg(format!("--port={port}"));
            }
        }
        command
            .arg(format!("--user={}", self.user))
            .env("MYSQL_PWD", self.password.expose());
        command
    }

    /// Runs statements and returns their output: one row per line, columns separated by tabs, no column names.
    pub async fn query(&self, statements: &str) -> Result<String> {
        self.run(&["--batch", "--skip-column-names"], statements)
            .await
    }

    /// Runs all statements in one session, including those after one that fails, such as a KILL of a connection that is
    /// already closed. Fails only if there is no session.
    pub async fn query_all(&self, statements: &str) -> Result<String> {
        self.run(&["--batch", "--force"], statements).await
    }

    /// Runs statements and returns their rows as tables for people.
    pub async fn table(&self, statements: &str) -> Result<String> {
        self.run(&["--table"], statements).await
    }

    async fn run(&self, options: &[&str], statements: &str) -> Result<String> {
        let program = self.program.display();
        let failed = || format!("cannot run {program}");
        let mut child = self
            .command()
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A client that could not connect reads nothing; its message says why.
            let _ = stdin.write_all(statements.as_bytes()).await;
        }
        let output = timeout(STATEMENT_TIMEOUT, child.wait_with_output())
            .await
            .map_err(io::Error::from)
            .flatten()
            .with_context(failed)?;
        ensure!(
            output.status.success(),
            "{program} as {} failed ({}): {}",
            self.user,
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_on_the_command_line() {
        let client = Client::new(
            "mariadb".into(),
            Endpoint::Tcp {
                host: "db.example".to_owned(),
                port: 3306,
            },
            "reader",
            Secret::new("hunter2"),
        );
        let command = client.command();
        let arguments: Vec<_> = command.as_std().get_args().collect();
        let unset =
            |(name, value): (&std::ffi::OsStr, Option<_>)| name == "MYSQL_HOST" && value.is_none();
        assert!(
            command.as_std().get_envs().any(unset),
            "variables of the shell must not select another server"
        );
        assert_eq!(arguments[0], "--no-defaults");
        assert!(!format!("{arguments:?}").contains("hunter2"));
        assert!(!format!("{client:?}").contains("hunter2"));
    }
}
