//! The lab's SQS, for hosts that use queues.

use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Region};
use aws_sdk_sqs::types::{Message, QueueAttributeName, SendMessageBatchRequestEntry};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use lab_lambda::{EventSourceConfig, QueueConfig};
use lab_sqs::Server;
use serde_json::{Value, json};
use server_kit::secret::Secret;
use tempfile::TempDir;

use crate::support::{Answer, TOKEN, eventually, injected};

const ACCESS_KEY_ID: &str = "AKIALABSQSTEST00";
/// A queue with a visibility timeout of 1 s, whose messages are dead letters after two receives.
pub const EVENTS: &str = "events";
pub const DEAD: &str = "events-dead";

pub struct Sqs {
    server: Server,
    client: Client,
    _root: TempDir,
}

impl Sqs {
    pub async fn start() -> Self {
        let root = TempDir::new().unwrap();
        let config = json!({
            "listen": "127.0.0.1:0",
            "root": root.path(),
            "region": "us-west-2",
            "account_id": "000000000000",
            "access_key_ids": [ACCESS_KEY_ID],
            "control_token": TOKEN,
            "queues": [
                {
                    "name": EVENTS,
                    "visibility_timeout_seconds": 1,
                    "redrive": { "dead_letter_queue": DEAD, "max_receive_count": 2 },
                },
                { "name": DEAD },
            ],
        });
        let config = serde_json::from_value(config).unwrap();
        let server = Server::start(config).await.unwrap();
        Self {
            client: client(&format!("http://{}", server.addr())),
            server,
            _root: root,
        }
    }

    pub async fn end(self) {
        self.server.shutdown().await;
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.server.addr())
    }

    fn url(&self, queue: &str) -> String {
        format!("{}/000000000000/{queue}", self.endpoint())
    }

    /// Returns the host's configuration for the queue.
    pub fn queue(&self, queue: &str) -> QueueConfig {
        QueueConfig {
            queue_url: self.url(queue),
            endpoint: self.endpoint(),
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: Secret::new("secret"),
        }
    }

    /// An event source on [`EVENTS`], in batches of up to ten.
    pub fn event_source(&self) -> EventSourceConfig {
        let queue = self.queue(EVENTS);
        EventSourceConfig {
            queue_url: queue.queue_url,
            endpoint: queue.endpoint,
            access_key_id: queue.access_key_id,
            secret_access_key: queue.secret_access_key,
            batch_size: 10,
            maximum_concurrency: 1,
            wait_seconds: 20,
            report_batch_item_failures: true,
        }
    }

    /// Sends messages in one batch, so that a later poll receives them together; returns their ids.
    pub async fn send(&self, bodies: &[&str]) -> Vec<String> {
        let request = self.client.send_message_batch().queue_url(self.url(EVENTS));
        let entries = bodies.iter().enumerate().map(|(index, body)| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string());
            entry.message_body(*body).build().unwrap()
        });
        let request = request.set_entries(Some(entries.collect()));
        let sent = request.send().await.unwrap();
        assert_eq!(sent.successful().len(), bodies.len());
        let ids = sent.successful.into_iter().map(|entry| entry.message_id);
        ids.collect()
    }

    /// Numbers of visible and in-flight messages.
    pub async fn depth(&self, queue: &str) -> [usize; 2] {
        let request = self.client.get_queue_attributes();
        let request = request.queue_url(self.url(queue));
        let request = request.attribute_names(QueueAttributeName::All);
        let attributes = request.send().await.unwrap().attributes.unwrap();
        [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ]
        .map(|name| attributes[&name].parse().unwrap())
    }

    pub async fn until_depth(&self, queue: &str, wanted: [usize; 2]) {
        eventually(
            async || Ok::<_, ()>(self.depth(queue).await),
            |depth| *depth == wanted,
        )
        .await;
    }

    /// Receives the visible messages, which hides them.
    pub async fn receive(&self, queue: &str) -> Vec<Message> {
        let request = self.client.receive_message().queue_url(self.url(queue));
        let request = request.max_number_of_messages(10).visibility_timeout(600);
        let request = request.message_attribute_names("All");
        request.send().await.unwrap().messages.unwrap_or_default()
    }

    /// Receives the bodies of the visible messages, which hides them.
    pub async fn bodies(&self, queue: &str) -> Vec<String> {
        let messages = self.receive(queue).await.into_iter();
        let mut bodies: Vec<_> = messages.map(|message| message.body.unwrap()).collect();
        bodies.sort_unstable();
        bodies
    }

    /// Switches on a fault of the queue's server.
    pub async fn fault(&self, kind: &str, setting: Value) {
        let url = format!("{}/_lab/faults/{kind}", self.endpoint());
        let request = reqwest::Client::new().put(url).bearer_auth(TOKEN);
        let answer = request.body(setting.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// Returns how often a fault of the queue's server was injected.
    pub async fn injected(&self, kind: &str) -> u64 {
        let url = format!("{}/_lab/faults", self.endpoint());
        let request = reqwest::Client::new().get(url).bearer_auth(TOKEN);
        injected(&Answer::of(request).await.json(), kind)
    }

    pub async fn clear_faults(&self) {
        let url = format!("{}/_lab/faults", self.endpoint());
        let request = reqwest::Client::new().delete(url).bearer_auth(TOKEN);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

fn client(endpoint: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-west-2"))
        .credentials_provider(Credentials::from_keys(ACCESS_KEY_ID, "secret", None))
        .endpoint_url(endpoint)
        .http_client(http)
        .build();
    Client::from_conf(config)
}
