//! A host per test, and a client for it.

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lab_lambda::{AsynchronousConfig, Config, FunctionConfig, Server, Variables};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use server_kit::caller::AccessKeyIds;
use server_kit::secret::Secret;
use tempfile::TempDir;

pub const ACCESS_KEY_ID: &str = "AKIALABLAMBDATEST";
pub const TOKEN: &str = "the-labs-token";
pub const FUNCTION: &str = "Probe";
const TIMEOUT: Duration = Duration::from_secs(20);

/// A configuration that can be changed before [`Host::start`].
pub struct Setup {
    pub config: Config,
    pub folder: TempDir,
}

impl Setup {
    /// The probe function, with short timeouts.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            state: folder.path().join("state"),
            region: "us-west-2".into(),
            account_id: "000000000000".into(),
            access_key_ids: AccessKeyIds::new([ACCESS_KEY_ID.to_owned()]),
            callers: Vec::new(),
            function: FunctionConfig {
                name: FUNCTION.into(),
                binary: probe(),
                environment: Variables::default(),
                timeout_seconds: 5,
                memory_mb: 128,
                concurrency: 2,
                idle_seconds: 300,
                resource_policy: None,
            },
            asynchronous: AsynchronousConfig {
                max_retries: 2,
                retry_delays_seconds: vec![0],
                max_age_seconds: 60,
            },
            schedule: None,
            control_token: Some(Secret::new(TOKEN)),
            event_source: None,
            dead_letter_queue: None,
        };
        Self { config, folder }
    }

    pub fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    pub fn variable(mut self, name: &str, value: &Path) -> Self {
        let pair = (name.to_owned(), value.display().to_string());
        self.config.function.environment = [pair].into_iter().collect();
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub async fn start(self) -> Host {
        Host::start(self.config, self.folder).await
    }
}

/// A running host, and what is needed to start it again.
pub struct Host {
    server: Server,
    config: Config,
    pub folder: TempDir,
    pub client: Client,
}

impl Host {
    async fn start(config: Config, folder: TempDir) -> Self {
        let server = Server::start(config.clone()).await.unwrap();
        let client = Client::new(&server.addr().to_string());
        Self {
            server,
            config,
            folder,
            client,
        }
    }

    /// Shuts down; returns what is left.
    pub async fn stop(self) -> Remains {
        self.server.shutdown().await;
        Remains {
            log: read_log(&self.config.state),
            folder: self.folder,
        }
    }

    pub async fn restart(self) -> Self {
        self.server.shutdown().await;
        Self::start(self.config, self.folder).await
    }

    pub fn state(&self) -> PathBuf {
        self.config.state.clone()
    }
}

/// What a host leaves behind: its complete log, and its folder.
pub struct Remains {
    pub log: String,
    pub folder: TempDir,
}

/// Reads all of the function's log files.
pub fn read_log(state: &Path) -> String {
    let files = fs::read_dir(state.join("log")).unwrap();
    files
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect()
}

/// A caller with a known access key id.
#[derive(Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self {
            status,
            headers,
            body: response.bytes().await.unwrap().into(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Client {
    pub fn new(addr: &str) -> Self {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build().unwrap();
        Self {
            base: format!("http://{addr}"),
            http,
        }
    }

    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path)
            .header("authorization", authorization(ACCESS_KEY_ID))
    }

    pub fn invocation(&self, payload: &Value) -> RequestBuilder {
        let path = format!("/2015-03-31/functions/{FUNCTION}/invocations");
        self.request(Method::POST, &path).body(payload.to_string())
    }

    pub async fn invoke(&self, payload: Value) -> Answer {
        Answer::of(self.invocation(&payload)).await
    }

    /// Queues an event; returns its request id.
    pub async fn send(&self, payload: Value) -> String {
        let request = self
            .invocation(&payload)
            .header("x-amz-invocation-type", "Event");
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        answer.header("x-amzn-requestid").unwrap().to_owned()
    }

    pub async fn get(&self, path: &str) -> Value {
        Answer::of(self.request(Method::GET, path)).await.json()
    }

    pub async fn status(&self) -> Value {
        self.get("/_lab/status").await
    }

    pub async fn dead_letters(&self) -> Vec<Value> {
        self.get("/_lab/dead-letters").await["dead_letters"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// Switches on a fault.
    pub async fn fault(&self, kind: &str, setting: Value) {
        let path = format!("/_lab/faults/{kind}");
        let request = self.anonymous(Method::PUT, &path).bearer_auth(TOKEN);
        let answer = Answer::of(request.body(setting.to_string())).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }

    /// Returns how often a fault was injected.
    pub async fn injected(&self, kind: &str) -> u64 {
        let request = self.anonymous(Method::GET, "/_lab/faults");
        injected(&Answer::of(request.bearer_auth(TOKEN)).await.json(), kind)
    }

    /// Switches all faults off.
    pub async fn clear_faults(&self) {
        let request = self.anonymous(Method::DELETE, "/_lab/faults");
        Answer::of(request.bearer_auth(TOKEN)).await;
    }

    /// Whether connections are refused.
    pub async fn is_refused(&self) -> bool {
        let request = self.anonymous(Method::GET, "/_lab/health").send();
        request.await.is_err_and(|error| error.is_connect())
    }

    /// Polls the status until it is as wanted.
    pub async fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(
            async || Some(self.status().await).ok_or(()),
            |status| wanted(status),
        )
        .await
    }

    /// Returns the process id of the function that answers now.
    pub async fn pid(&self) -> i64 {
        self.invoke(json!({"do": "context"})).await.json()["pid"]
            .as_i64()
            .unwrap()
    }
}

/// Number of injections of a fault, from a server's list of its faults.
pub fn injected(list: &Value, kind: &str) -> u64 {
    let faults = list["faults"].as_array().unwrap();
    let fault = faults.iter().find(|fault| fault["kind"] == kind).unwrap();
    fault["injected"].as_u64().unwrap()
}

pub fn authorization(access_key_id: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key_id}/20261122/us-west-2/lambda/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00"
    )
}

/// Polls until the answer is as wanted; panics with the last answer after the timeout.
pub async fn eventually<T: Debug, E: Debug>(
    ask: impl AsyncFn() -> Result<T, E>,
    wanted: impl Fn(&T) -> bool,
) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let last = ask().await;
        match last {
            Ok(answer) if wanted(&answer) => return answer,
            _ if Instant::now() > deadline => panic!("never as wanted; last: {last:?}"),
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Returns a process's state letter from `/proc`; `None` once it is gone, or is a zombie that can be waited for.
pub fn process_state(pid: i64) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let state = stat.rsplit_once(") ")?.1.chars().next()?;
    // The first thread may be a zombie before the others have ended.
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.count();
    (state != 'Z' || threads > 1).then_some(state)
}

pub async fn until_gone(pid: i64) {
    eventually(async || Ok::<_, ()>(process_state(pid)), Option::is_none).await;
}

fn probe() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/probe_function");
    assert!(
        path.is_file(),
        "build it first: cargo build --release -p lab-lambda --examples"
    );
    path
}
