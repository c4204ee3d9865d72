//! A function's stand-in: takes events as Lambda's Invoke API does.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{BUCKET, FUNCTION, config, eventually};

pub struct Lambda {
    pub address: SocketAddr,
    state: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    /// Answers to give before 202 is given to all.
    refusals: Vec<StatusCode>,
    calls: Vec<Call>,
}

/// One invocation, whatever its answer.
#[derive(Clone, Debug)]
pub struct Call {
    pub path: String,
    pub headers: HeaderMap,
    pub event: Value,
    pub answer: StatusCode,
}

impl Lambda {
    pub async fn start() -> Self {
        Self::start_refusing(&[]).await
    }

    /// Gives each of `refusals` once before it takes events.
    pub async fn start_refusing(refusals: &[StatusCode]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::serve(listener, refusals)
    }

    pub fn serve(listener: TcpListener, refusals: &[StatusCode]) -> Self {
        let state = Arc::new(Mutex::new(Seen {
            refusals: refusals.to_vec(),
            calls: Vec::new(),
        }));
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .fallback(post(invoke))
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

    /// The calls that were answered 202.
    pub fn taken(&self) -> Vec<Call> {
        self.calls()
            .into_iter()
            .filter(|call| call.answer == StatusCode::ACCEPTED)
            .collect()
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

async fn invoke(
    State(seen): State<Arc<Mutex<Seen>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut seen = seen.lock().unwrap();
    let refusal = (!seen.refusals.is_empty()).then(|| seen.refusals.remove(0));
    let answer = refusal.unwrap_or(StatusCode::ACCEPTED);
    let event = serde_json::from_slice(&body).unwrap();
    seen.calls.push(Call {
        path: uri.path().to_owned(),
        headers,
        event,
        answer,
    });
    answer
}

/// The usual configuration with one notification, to a function at `lambda`.
pub fn notifying_config(root: &std::path::Path, lambda: SocketAddr) -> Value {
    let mut config = config(root);
    config["buckets"][0]["notifications"] = json!([{
        "id": "new-payments",
        "prefix": "transactions/",
        "events": ["s3:ObjectCreated:*"],
        "function_arn": FUNCTION,
    }]);
    config["lambda_endpoint"] = json!(format!("http://{lambda}"));
    config["lambda_credentials"] =
        json!({ "access_key_id": "LABS3", "secret_access_key": "s3-secret" });
    assert_eq!(config["buckets"][0]["name"], BUCKET);
    config
}

/// Decoded key of an event's only record.
pub fn key_of(call: &Call) -> String {
    let encoded = call.event["Records"][0]["s3"]["object"]["key"]
        .as_str()
        .unwrap();
    let spaced = encoded.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8()
        .unwrap()
        .into_owned()
}
