//! One bash for all pages, so that variables set by one are there for the next.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// Longest time for one block. The simulated AWS answers at once.
const BLOCK_TIMEOUT: Duration = Duration::from_mins(3);

/// A block fails if any of its commands fails; the trap records which one.
const PRELUDE: &str = r#"set -Eeuo pipefail
trap 'printf "%s\n" "$BASH_COMMAND" >>"$RUNBOOK/failed"' ERR
"#;

#[derive(Debug)]
pub struct Session {
    /// Ends with the session.
    _bash: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    dir: PathBuf,
}

/// How a block ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It succeeded, with this output.
    Done(String),
    /// This command failed.
    Failed {
        command: String,
        seen: String,
    },
    TimedOut {
        seen: String,
    },
}

impl Session {
    /// Starts bash in this folder, with these variables and no others. `dir` is for files of the session itself.
    pub fn start(
        folder: &Path,
        dir: &Path,
        variables: &BTreeMap<&'static str, OsString>,
    ) -> io::Result<Self> {
        let mut bash = Command::new("bash")
            .args(["--noprofile", "--norc"])
            .current_dir(folder)
            .env_clear()
            .envs(variables)
            .env("RUNBOOK", dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let pipes = bash.stdin.take().zip(bash.stdout.take());
        let (stdin, stdout) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            _bash: bash,
            stdin,
            answers: BufReader::new(stdout).lines(),
            dir: dir.to_owned(),
        })
    }

    pub async fn run(&mut self, script: &str) -> io::Result<Outcome> {
        fs::write(self.dir.join("block.sh"), script)?;
        fs::write(self.dir.join("seen"), "")?;
        let line = r#". "$RUNBOOK/block.sh" >"$RUNBOOK/seen" 2>&1 </dev/null; echo done"#;
        let commands = format!("{PRELUDE}{line}\n");
        // If the shell is gone, no answer will come.
        let _ = self.stdin.write_all(commands.as_bytes()).await;
        let answer = timeout(BLOCK_TIMEOUT, self.answers.next_line()).await;
        let seen = fs::read(self.dir.join("seen"))?;
        let seen = String::from_utf8_lossy(&seen).into_owned();
        let Ok(answer) = answer else {
            return Ok(Outcome::TimedOut { seen });
        };
        if answer?.is_some() {
            return Ok(Outcome::Done(seen));
        }
        let failed = fs::read_to_string(self.dir.join("failed")).unwrap_or_default();
        let command = failed.lines().last().unwrap_or("exit").to_owned();
        Ok(Outcome::Failed { command, seen })
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn session(dir: &Path) -> Session {
        let path = std::env::var_os("PATH").unwrap();
        Session::start(dir, dir, &BTreeMap::from([("PATH", path)])).unwrap()
    }

    #[tokio::test]
    async fn a_block_sees_what_the_one_before_it_set() {
        let dir = TempDir::new().unwrap();
        let mut session = session(dir.path());
        let empty = Outcome::Done(String::new());
        assert_eq!(
            session.run("x=1; f() { echo \"f $x\"; }").await.unwrap(),
            empty
        );
        let said = Outcome::Done("f 1\ne\n".into());
        assert_eq!(session.run("f\necho e >&2\ncat\n").await.unwrap(), said);
    }

    #[tokio::test]
    async fn the_command_that_failed_is_named() {
        let dir = TempDir::new().unwrap();
        for (script, named) in [
            ("echo a\nls /nowhere\necho b\n", "ls /nowhere"),
            ("f() { ls /nowhere; }\necho a\nf\n", "ls /nowhere"),
            ("echo a\ntrue | false\n", "false"),
            ("echo a\nx=$(ls /nowhere)\n", "x=$(ls /nowhere)"),
        ] {
            let outcome = session(dir.path()).run(script).await.unwrap();
            let Outcome::Failed { command, seen } = outcome else {
                panic!("{script}: {outcome:?}");
            };
            assert_eq!(command, named);
            assert!(seen.starts_with("a\n") && !seen.contains('b'), "{seen}");
        }
    }
}
