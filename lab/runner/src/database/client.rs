//! The `mariadb` or `mysql` command.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

use super::{Endpoint, Error};
use crate::secret::Secret;

/// No statement of the lab takes longer.
const PATIENCE: Duration = Duration::from_mins(1);

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

    /// The program, told where and as whom to connect. The password goes by the
    /// environment: arguments are for everybody to see.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // A person's own defaults, or what `cargo lab env` set, would otherwise decide where it connects.
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

    /// Runs statements and returns what they print: one row a line, columns by tabs, no names.
    pub async fn query(&self, statements: &str) -> Result<String, Error> {
        self.run(&["--batch", "--skip-column-names"], statements)
            .await
    }

    /// Runs all of the statements in one session, also those behind one that fails, such as the end of a connection that
    /// has ended. Fails only if the session can't be had.
    pub async fn query_all(&self, statements: &str) -> Result<String, Error> {
        self.run(&["--batch", "--force"], statements).await
    }

    /// Runs statements and returns their rows as tables for people.
    pub async fn table(&self, statements: &str) -> Result<String, Error> {
        self.run(&["--table"], statements).await
    }

    async fn run(&self, options: &[&str], statements: &str) -> Result<String, Error> {
        let failed = |source| Error::Run {
            program: self.program.clone(),
            source,
        };
        let mut child = self
            .command()
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A client that couldn't connect reads nothing; its message says why.
            let _ = stdin.write_all(statements.as_bytes()).await;
        }
        let output = timeout(PATIENCE, child.wait_with_output())
            .await
            .map_err(|elapsed| failed(elapsed.into()))?
            .map_err(failed)?;
        if !output.status.success() {
            return Err(Error::Refused {
                program: self.program.clone(),
                user: self.user.clone(),
                status: output.status,
                message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
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
            "the shell's own server is not asked"
        );
        assert_eq!(arguments[0], "--no-defaults");
        assert!(!format!("{arguments:?}").contains("hunter2"));
        assert!(!format!("{client:?}").contains("hunter2"));
    }
}
