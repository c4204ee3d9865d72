//! A server that speaks the part of Secrets Manager's API that is used, and knows its callers as the lab's
//! servers do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Region, SharedCredentialsProvider};
use aws_types::SdkConfig;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, body::Bytes};
use serde_json::{Value, json};
use server_kit::caller::AccessKeyIds;
use tokio::task::JoinHandle;

pub const ARN: &str =
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:payments/ingest-a1b2c3";
pub const ACCESS_KEY_ID: &str = "AKIATESTTESTTESTTEST";

pub struct SecretsManager {
    pub address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    secret: Option<String>,
    reads: usize,
}

impl SecretsManager {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Mutex<Shared>>::default();
        let router = Router::new()
            .route("/", post(answer))
            .with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            shared,
            task,
        }
    }

    pub fn put(&self, secret: &Value) {
        self.shared.lock().unwrap().secret = Some(secret.to_string());
    }

    /// How often the secret was read.
    pub fn reads(&self) -> usize {
        self.shared.lock().unwrap().reads
    }
}

impl Drop for SecretsManager {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(shared): State<Arc<Mutex<Shared>>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    let known = AccessKeyIds::new([ACCESS_KEY_ID.to_owned()]);
    let mut shared = shared.lock().unwrap();
    let request: Value = serde_json::from_slice(&body).unwrap();
    if known.admit(&headers).is_err() || !is_for_the_secrets_region(&headers) {
        return refusal("AccessDeniedException");
    }
    match &shared.secret {
        _ if headers["x-amz-target"] != "secretsmanager.GetSecretValue" => {
            refusal("InvalidRequestException")
        }
        Some(secret) if request["SecretId"] == ARN => {
            let answer = json!({ "ARN": ARN, "Name": "payments/ingest", "SecretString": secret });
            shared.reads += 1;
            (StatusCode::OK, Json(answer))
        }
        _ => refusal("ResourceNotFoundException"),
    }
}

fn is_for_the_secrets_region(headers: &HeaderMap) -> bool {
    let scope = headers["authorization"].to_str().unwrap();
    scope.contains("/eu-central-1/secretsmanager/aws4_request")
}

fn refusal(code: &str) -> (StatusCode, Json<Value>) {
    let answer = json!({ "__type": code, "Message": "said the server" });
    (StatusCode::BAD_REQUEST, Json(answer))
}

/// What a program is told of AWS by its environment.
pub fn sdk(endpoint: SocketAddr, access_key_id: &str) -> SdkConfig {
    let credentials = Credentials::from_keys(access_key_id, "secret", None);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-west-2"))
        .endpoint_url(format!("http://{endpoint}"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}
