//! The simulated AWS: moto on a free port, and an AWS CLI that reaches nothing else.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};
use lab_runner::{
    health::Health,
    ports::free_address,
    process::{Launch, Output},
    server::{Server, Spec},
    workspace::Workspace,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::{files, session::Session};

const MOTO: &str = include_str!("aws_stand_in.py");
const SERVER: &str = include_str!("aws_server.py");
const CLIENT: &str = include_str!("aws_client.py");

/// A domain for the HTTPS parts of the pages.
const DOMAIN: &str = "pay.example.com";

/// Version 1 of the CLI by default signs links in a way that new buckets refuse.
const CONFIG: &str = "[default]\ns3 =\n    signature_version = s3v4\n";

const NOT_LOADED: &str = "cannot load the AWS CLI";

#[derive(Debug)]
pub struct StandIn {
    moto: Server,
    /// Ends when its stdin is closed, which this holds.
    _cli: Child,
    variables: BTreeMap<&'static str, OsString>,
    dir: TempDir,
}

impl StandIn {
    /// Starts it with the programs in this folder.
    pub async fn start(tools: &Path, workspace: &Workspace) -> Result<Self> {
        let dir = TempDir::with_prefix("lab-runbook-")?;
        fs::create_dir(dir.path().join(".aws"))?;
        fs::write(dir.path().join(".aws/config"), CONFIG)?;
        let address = free_address()?;
        let log = dir.path().join("moto.log");
        let program = dir.path().join("aws_stand_in.py");
        let network = lab_runner::vpc::read(&workspace.network())?;
        let ranges = network.prefix_lists.iter().flat_map(|list| &list.cidrs);
        let ranges: Vec<_> = ranges.map(ToString::to_string).collect();
        fs::write(&program, format!("RANGES = {ranges:?}\n{MOTO}"))?;
        let moto = Server::start("moto", moto(tools, &program, address), &log).await?;
        let bin = dir.path().join("bin");
        fs::create_dir(&bin)?;
        let socket = dir.path().join("aws.sock");
        let cli = cli_server(tools, &socket, dir.path()).await?;
        let client = format!(
            "#!{} -ISB\nOPTIONS = [\"--endpoint-url\", \"{}\"]\nSOCKET = \"{}\"\n{CLIENT}",
            tools.join("python").display(),
            moto.url(),
            socket.display(),
        );
        fs::write(bin.join("aws"), client)?;
        fs::set_permissions(bin.join("aws"), fs::Permissions::from_mode(0o755))?;
        files::release(&dir.path().join("dist"))?;
        Ok(Self {
            variables: variables(dir.path(), &bin, workspace.program("payctl")),
            moto,
            _cli: cli,
            dir,
        })
    }

    pub fn url(&self) -> String {
        self.moto.url()
    }

    /// Starts the bash in which the pages run, in the root of the work tree.
    pub fn session(&self, root: &Path) -> Result<Session> {
        Ok(Session::start(root, self.dir.path(), &self.variables)?)
    }

    /// Runs a CLI command and returns its answer; a word in quotes may contain blanks.
    pub async fn ask(&self, words: &[&str]) -> Result<Value> {
        let command = words.join(" ");
        let output = Command::new(self.dir.path().join("bin/aws"))
            .args(words)
            .args(["--output", "json", "--region", "us-west-2"])
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null())
            .output()
            .await?;
        let message = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "aws {command} failed: {}",
            message.trim()
        );
        if output.stdout.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("the answer to aws {command} is not JSON"))
    }

    /// Returns the findings of `payctl doctor` in these areas, one per line; what it could not check counts as a
    /// finding.
    pub async fn doctor(&self, areas: &[&str]) -> Result<Vec<String>> {
        let program = PathBuf::from(&self.variables["PAYCTL"]);
        let mut command = Command::new(&program);
        command.args(["doctor", "--json"]).args(areas);
        command.env_clear().envs(&self.variables);
        command.env("AWS_REGION", "us-west-2").stdin(Stdio::null());
        let output = command.output().await.with_context(|| {
            format!(
                "cannot run {}; build it with cargo build --release -p payctl",
                program.display()
            )
        })?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let mut found = Vec::new();
        for line in printed.lines() {
            let finding: Value =
                serde_json::from_str(line).context("the answer to payctl doctor is not JSON")?;
            // Groups that replace instances are created by hand: moto's take no security group from a template.
            if finding["code"] == "replacement" {
                continue;
            }
            found.push(match &finding["note"] {
                Value::String(note) => format!("not looked at: {note}"),
                _ => format!(
                    "{}: {}",
                    finding["code"].as_str().unwrap_or_default(),
                    finding["what"].as_str().unwrap_or_default()
                ),
            });
        }
        if found.is_empty() && !output.status.success() {
            found.push(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(found)
    }

    pub async fn end(self) {
        self.moto.end().await;
    }
}

fn moto(tools: &Path, program: &Path, address: std::net::SocketAddr) -> Spec {
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let program = program.to_string_lossy();
    let args = [&*program, "-H", &host, "-p", &port];
    Spec {
        address,
        launch: Launch {
            program: tools.join("python"),
            args: args.map(OsString::from).to_vec(),
            env: BTreeMap::from([
                ("MOTO_IAM_LOAD_MANAGED_POLICIES", "true".to_owned()),
                // No request reaches AWS itself, whatever is missing here.
                ("AWS_ACCESS_KEY_ID", "none".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "none".to_owned()),
            ]),
            output: Output::File,
        },
        files: Vec::new(),
        health: Health::Connects,
        stop_timeout: std::time::Duration::from_secs(5),
    }
}

/// Loads the CLI once. Returns when it accepts commands.
async fn cli_server(tools: &Path, socket: &Path, dir: &Path) -> Result<Child> {
    let program = dir.join("aws_server.py");
    fs::write(&program, SERVER)?;
    let mut server = Command::new(tools.join("python"))
        .arg(&program)
        .arg(socket)
        .env_clear()
        .env("HOME", dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = server.stdout.take().context(NOT_LOADED)?;
    let ready = BufReader::new(stdout).lines().next_line().await?;
    ready.map(|_| server).context(NOT_LOADED)
}

/// Returns the shell's variables: of the user's own only `PATH`, no credentials and no configuration.
fn variables(dir: &Path, bin: &Path, payctl: PathBuf) -> BTreeMap<&'static str, OsString> {
    let mut path: Vec<PathBuf> = vec![bin.to_owned()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let path = env::join_paths(path).unwrap_or_default();
    BTreeMap::from([
        ("PATH", path),
        ("HOME", dir.into()),
        ("LC_ALL", "C.UTF-8".into()),
        ("AWS_ACCESS_KEY_ID", "testing".into()),
        ("AWS_SECRET_ACCESS_KEY", "testing".into()),
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ("DIST", dir.join("dist").into()),
        ("DOMAIN", DOMAIN.into()),
        ("PAYCTL", payctl.into()),
    ])
}
