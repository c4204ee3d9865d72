//! A lab for one test: stopped with it, whatever happens, and kept for inspection if the test failed.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use aws_sdk_s3::Client;
use lab_runner::{
    database::User,
    http,
    lab::{FUNCTION, Lab},
    output,
    part::PartName,
    process::Identity,
    state::{LabDir, credentials::AccessKey},
    workspace::Workspace,
};
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;
use tempfile::TempDir;

const POLL: Duration = Duration::from_millis(50);

pub struct TestLab {
    temp: TempDir,
    /// As prepared by the latest `up`.
    pub lab: Lab,
}

/// One member of `status --json`.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Part {
    #[serde(rename = "part")]
    pub name: PartName,
    pub pid: Option<i32>,
    pub state: String,
}

/// The front door's answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl TestLab {
    /// Starts a new lab, and waits until everything is healthy.
    pub fn up() -> Self {
        Self::up_with(&[])
    }

    /// Starts a new lab with options of `up`; without the console, which few tests need.
    pub fn up_with(options: &[&str]) -> Self {
        Self::up_with_console_and(&[options, &["--no-console"]].concat())
    }

    pub fn up_with_console_and(options: &[&str]) -> Self {
        let temp = TempDir::with_prefix("lab-it-").unwrap();
        up(temp.path(), options);
        let lab = load(temp.path());
        Self { temp, lab }
    }

    /// Starts it again after `down`, on its data.
    pub fn up_again(&mut self) {
        up(self.temp.path(), &["--no-console"]);
        self.lab = load(self.temp.path());
    }

    /// Runs a command of the lab, whether it succeeds or not.
    pub fn run(&self, arguments: &[&str]) -> Output {
        run(self.temp.path(), arguments)
    }

    /// Starts a command of the lab without waiting for it.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command.arg("--dir").arg(self.temp.path()).args(arguments);
        command.stdout(Stdio::null()).spawn().unwrap()
    }

    /// Waits until the condition holds.
    pub async fn until(&self, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_so() {
            assert!(Instant::now() < deadline);
            tokio::time::sleep(POLL).await;
        }
    }

    pub fn down(&self) {
        assert_success(&self.run(&["down"]));
    }

    pub fn dir(&self) -> &Path {
        self.temp.path()
    }

    pub fn status(&self) -> Vec<Part> {
        let output = self.run(&["status", "--json"]);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn part(&self, name: PartName) -> Part {
        let status = self.status();
        status.into_iter().find(|part| part.name == name).unwrap()
    }

    /// All processes of the lab, including the supervisor.
    pub fn processes(&self) -> Vec<Identity> {
        let parts = self.status().into_iter().filter_map(|part| part.pid);
        parts.chain([self.supervisor()]).map(Identity::of).collect()
    }

    pub fn supervisor(&self) -> i32 {
        let status = std::fs::read_to_string(self.dir().join("status.json")).unwrap();
        let status: Value = serde_json::from_str(&status).unwrap();
        let pid = status["supervisor"]["pid"].as_i64().unwrap();
        i32::try_from(pid).unwrap()
    }

    /// Posts JSON to the front door.
    pub async fn post(&self, body: impl Into<String>) -> Answer {
        let url = format!("{}/pay", self.lab.url(PartName::Alb));
        let response = http::client()
            .unwrap()
            .post(url)
            .header("content-type", "application/json")
            .body(body.into())
            .send()
            .await
            .unwrap();
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default(),
        }
    }

    /// Posts until the payment is accepted: the parts may notice the end of an outage a moment later.
    pub async fn until_accepted(&self, body: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = self.post(body).await;
            if answer.status.is_success() {
                return;
            }
            assert!(Instant::now() < deadline, "last: {answer:?}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Runs statements as a user: returns the lines they print, or the error message.
    pub async fn sql_as(&self, user: User, statements: &str) -> Result<Vec<String>, String> {
        let client = self.lab.database().unwrap().client(user);
        let printed = client.query(statements).await;
        printed
            .map(|text| text.lines().map(str::to_owned).collect())
            .map_err(|error| error.to_string())
    }

    /// Returns the lines that a SELECT prints, columns separated by tabs.
    pub async fn select(&self, select: &str) -> Vec<String> {
        self.sql_as(User::Reader, select).await.unwrap()
    }

    /// Waits until a SELECT prints exactly these lines.
    pub async fn until_selected(&self, select: &str, expected: &[&str], timeout: Duration) {
        let deadline = Instant::now() + timeout;
        loop {
            let seen = self.sql_as(User::Reader, select).await;
            if seen
                .as_ref()
                .is_ok_and(|lines| lines.as_slice() == expected)
            {
                return;
            }
            let late = Instant::now() >= deadline;
            assert!(!late, "{select}\nlast: {seen:?}\nexpected: {expected:?}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until a part is as wanted.
    pub async fn until_part(&self, name: PartName, wanted: impl Fn(&Part) -> bool) -> Part {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let part = self.part(name);
            if wanted(&part) {
                return part;
            }
            assert!(Instant::now() < deadline, "last: {part:?}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Returns the current length of each part's log.
    pub fn log_lengths(&self) -> BTreeMap<PartName, usize> {
        let parts = PartName::ALL.iter();
        parts.map(|&part| (part, self.log(part).len())).collect()
    }

    /// Waits until the log of one of the parts has such a line after these lengths.
    pub async fn until_logged(
        &self,
        parts: &[PartName],
        since: &BTreeMap<PartName, usize>,
        wanted: impl Fn(&str) -> bool,
    ) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            for part in parts {
                let log = self.log(*part);
                let new = log.get(since[part]..).unwrap_or(&log);
                if new.lines().any(&wanted) {
                    return;
                }
            }
            assert!(Instant::now() < deadline, "not in the logs of {parts:?}");
            tokio::time::sleep(POLL).await;
        }
    }

    pub fn log(&self, part: PartName) -> String {
        let log = std::fs::read(self.lab.dir.log(part.as_str())).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// A client of the lab's S3 with this key.
    pub fn s3(&self, key: &AccessKey) -> Client {
        self.lab.s3(key)
    }

    /// Runs the function with an event; what it answered.
    pub async fn invoke(&self, event: &Value) -> String {
        let url = format!(
            "{}/2015-03-31/functions/{FUNCTION}/invocations",
            self.lab.url(PartName::Lambda)
        );
        let id = &self.lab.credentials.aws.operator.id;
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={id}/20261122/us-west-2/lambda/aws4_request, SignedHeaders=host, Signature=00"
        );
        let request = http::client().unwrap().post(url);
        let request = request.header("authorization", authorization);
        let answer = request.body(event.to_string()).send().await.unwrap();
        answer.text().await.unwrap()
    }
}

impl Drop for TestLab {
    fn drop(&mut self) {
        let output = self.run(&["down"]);
        if std::thread::panicking() {
            self.temp.disable_cleanup(true);
            let logs = self.dir().join("logs");
            output::warn(format_args!(
                "the lab's logs are kept in {}",
                logs.display()
            ));
            output::warn(text(&output));
        } else {
            assert_success(&output);
        }
    }
}

/// Starts a lab on free ports, which stops with this process even if that is killed.
fn up(dir: &Path, options: &[&str]) {
    let owner = std::process::id().to_string();
    let arguments = [
        "up",
        "--detach",
        "--free-ports",
        "--no-build",
        "--owner",
        &owner,
    ];
    let output = run(dir, &[&arguments[..], options].concat());
    if !output.status.success() {
        let kept = std::env::temp_dir().join(format!("lab-it-failed-{owner}"));
        let _ = std::fs::rename(dir, &kept);
        panic!("kept in {}\n{}", kept.display(), text(&output));
    }
}

pub fn run(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .arg("--dir")
        .arg(dir)
        .args(arguments)
        .output()
        .unwrap()
}

fn load(dir: &Path) -> Lab {
    Lab::load(LabDir::at(dir).unwrap(), Workspace::find().unwrap()).unwrap()
}

pub fn assert_success(output: &Output) {
    assert!(output.status.success(), "{}", text(output));
}

/// Returns everything that a command printed.
pub fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    [out, err]
        .map(|bytes| String::from_utf8_lossy(bytes))
        .concat()
}
