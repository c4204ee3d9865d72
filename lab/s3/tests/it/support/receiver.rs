//! A fake destination: takes events like Lambda's Invoke API, or messages like SQS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{FUNCTION, QUEUE, config, eventually};

pub struct Receiver {
    pub address: SocketAddr,
    state: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

struct Seen {
    /// Answers to give before `accepts` is given to everything.
    refusals: Vec<StatusCode>,
    accepts: StatusCode,
    calls: Vec<Call>,
}

/// One request, whatever its answer.
#[derive(Clone, Debug)]
pub struct Call {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The body as JSON.
    pub event: Value,
    pub answer: StatusCode,
}

impl Receiver {
    pub async fn function() -> Self {
        Self::start(StatusCode::ACCEPTED, &[]).await
    }

    pub async fn queue() -> Self {
        Self::start(StatusCode::OK, &[]).await
    }

    /// Gives each of `refusals` once before it takes events.
    pub async fn start(accepts: StatusCode, refusals: &[StatusCode]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::serve(listener, accepts, refusals)
    }

    pub fn serve(listener: TcpListener, accepts: StatusCode, refusals: &[StatusCode]) -> Self {
        let state = Arc::new(Mutex::new(Seen {
            refusals: refusals.to_vec(),
            accepts,
            calls: Vec::new(),
        }));
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .fallback(post(take))
            .with_state(Arc::clone(&state));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            state,
            task,
        }
    }

    pub fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }

    /// The calls that were not refused.
    pub fn taken(&self) -> Vec<Call> {
        let seen = self.state.lock().unwrap();
        let taken = seen.calls.iter().filter(|call| call.answer == seen.accepts);
        taken.cloned().collect()
    }

    /// Waits for `count` events to be taken.
    pub async fn wait_for(&self, count: usize) -> Vec<Call> {
        eventually(async || match self.taken() {
            taken if taken.len() >= count => Ok(taken),
            taken => Err(taken),
        })
        .await
    }

    pub fn end(self) {
        self.task.abort();
    }
}

async fn take(
    State(seen): State<Arc<Mutex<Seen>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut seen = seen.lock().unwrap();
    let refusal = (!seen.refusals.is_empty()).then(|| seen.refusals.remove(0));
    let answer = refusal.unwrap_or(seen.accepts);
    let event = serde_json::from_slice(&body).unwrap();
    seen.calls.push(Call {
        path: uri.path().to_owned(),
        headers,
        body,
        event,
        answer,
    });
    answer
}

/// The usual configuration with one notification, to a function at `function`.
pub fn notifying_config(root: &Path, function: SocketAddr) -> Value {
    let mut config = config(root);
    config["buckets"][0]["notifications"] = json!([{
        "id": "new-payments",
        "prefix": "transactions/",
        "events": ["s3:ObjectCreated:*"],
        "function_arn": FUNCTION,
    }]);
    config["lambda_endpoint"] = json!(format!("http://{function}"));
    config["lambda_credentials"] =
        json!({ "access_key_id": "LABS3", "secret_access_key": "s3-secret" });
    config
}

/// The usual configuration with one notification, to a queue at `queue`.
pub fn queueing_config(root: &Path, queue: SocketAddr) -> Value {
    let mut config = config(root);
    config["buckets"][0]["notifications"] = json!([{
        "id": "new-payments",
        "prefix": "transactions/",
        "events": ["s3:ObjectCreated:*"],
        "queue_arn": QUEUE,
    }]);
    config["sqs_endpoint"] = json!(format!("http://{queue}"));
    config["sqs_credentials"] =
        json!({ "access_key_id": "LABS3", "secret_access_key": "s3-secret" });
    config
}

/// Returns the decoded key of an event's only record.
pub fn key_of(event: &Value) -> String {
    let encoded = event["Records"][0]["s3"]["object"]["key"].as_str().unwrap();
    let spaced = encoded.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8()
        .unwrap()
        .into_owned()
}
