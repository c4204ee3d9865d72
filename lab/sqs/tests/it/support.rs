//! A server per test, and a client for it.

use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Region};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use lab_sqs::{Config, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const ACCESS_KEY_ID: &str = "AKIALABSQSTEST00";
pub const TOKEN: &str = "the-labs-token";
/// A queue that dead-letters a message after two receives.
pub const EVENTS: &str = "events";
pub const DEAD: &str = "events-dead";
pub const PLAIN: &str = "plain";

pub struct Lab {
    server: Server,
    config: Value,
    pub root: TempDir,
    pub client: Client,
}

pub fn config(root: &TempDir) -> Value {
    json!({
        "listen": "127.0.0.1:0",
        "root": root.path().join("sqs"),
        "region": "us-west-2",
        "account_id": "000000000000",
        "access_key_ids": [ACCESS_KEY_ID],
        "control_token": TOKEN,
        "queues": [
            { "name": EVENTS, "redrive": { "dead_letter_queue": DEAD, "max_receive_count": 2 } },
            { "name": DEAD },
            { "name": PLAIN },
        ],
    })
}

pub fn parse(config: &Value) -> Config {
    serde_json::from_value(config.clone()).unwrap()
}

impl Lab {
    pub async fn start() -> Self {
        let root = TempDir::new().unwrap();
        let config = config(&root);
        Self::start_with(root, config).await
    }

    async fn start_with(root: TempDir, config: Value) -> Self {
        let server = Server::start(parse(&config)).await.unwrap();
        let client = client(&format!("http://{}", server.addr()), ACCESS_KEY_ID);
        Self {
            server,
            config,
            root,
            client,
        }
    }

    /// Stops the server and starts another on the same root.
    pub async fn restart(self) -> Self {
        self.server.shutdown().await;
        Self::start_with(self.root, self.config).await
    }

    pub async fn end(self) {
        self.server.shutdown().await;
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.addr())
    }

    pub fn url(&self, queue: &str) -> String {
        format!("{}/000000000000/{queue}", self.endpoint())
    }

    /// Returns the message's id.
    pub async fn send(&self, queue: &str, body: &str) -> String {
        let request = self.client.send_message().queue_url(self.url(queue));
        let sent = request.message_body(body).send().await.unwrap();
        sent.message_id.unwrap()
    }

    /// Receives up to ten visible messages with all attributes, and hides them for `visibility` seconds.
    pub async fn receive(&self, queue: &str, visibility: i32) -> Vec<Message> {
        let request = self.client.receive_message().queue_url(self.url(queue));
        let received = request
            .max_number_of_messages(10)
            .visibility_timeout(visibility)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await
            .unwrap();
        received.messages.unwrap_or_default()
    }

    pub async fn delete(&self, queue: &str, message: &Message) {
        let request = self.client.delete_message().queue_url(self.url(queue));
        let request = request.receipt_handle(message.receipt_handle().unwrap());
        request.send().await.unwrap();
    }

    /// Numbers of visible, in-flight and delayed messages.
    pub async fn depth(&self, queue: &str) -> [usize; 3] {
        let request = self
            .client
            .get_queue_attributes()
            .queue_url(self.url(queue));
        let answer = request
            .attribute_names(QueueAttributeName::All)
            .send()
            .await
            .unwrap();
        let attributes = answer.attributes.unwrap();
        [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ]
        .map(|name| attributes[&name].parse().unwrap())
    }

    /// Switches a fault on.
    pub async fn fault(&self, kind: &str, setting: &Value) {
        let url = format!("{}/_lab/faults/{kind}", self.endpoint());
        let request = reqwest::Client::new().put(url).bearer_auth(TOKEN);
        let answer = request.body(setting.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// Lists all faults and their counts.
    pub async fn faults(&self) -> String {
        let url = format!("{}/_lab/faults", self.endpoint());
        let request = reqwest::Client::new().get(url).bearer_auth(TOKEN);
        request.send().await.unwrap().text().await.unwrap()
    }
}

/// A client that sends each request once.
pub fn client(endpoint: &str, access_key_id: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-west-2"))
        .credentials_provider(Credentials::from_keys(access_key_id, "secret", None))
        .endpoint_url(endpoint)
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .build();
    Client::from_conf(config)
}

/// Returns a system attribute.
pub fn attribute<'a>(message: &'a Message, name: &str) -> &'a str {
    &message.attributes().unwrap()[&MessageSystemAttributeName::from(name)]
}

pub fn bodies(messages: &[Message]) -> Vec<&str> {
    let mut bodies: Vec<_> = messages
        .iter()
        .map(|message| message.body().unwrap())
        .collect();
    bodies.sort_unstable();
    bodies
}

/// Returns the code of an error; empty for a success.
pub fn code<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    result
        .err()
        .map(|error| error.code().unwrap_or("no code").to_owned())
        .unwrap_or_default()
}

/// Polls until the answer is as wanted.
pub async fn eventually<T: std::fmt::Debug>(
    mut ask: impl AsyncFnMut() -> T,
    wanted: impl Fn(&T) -> bool,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let last = ask().await;
        if wanted(&last) {
            return last;
        }
        assert!(Instant::now() < deadline, "never as wanted; last: {last:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
