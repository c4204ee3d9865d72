//! A function under a host of its own, so that only the measurement calls it.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{NO_ANSWER, testbed::Testbed};
pub use lab_runner::part::lambda::authorization;
use lab_runner::{
    database::User,
    http,
    lab::{ACCOUNT_ID, BUCKET, FUNCTION, FUNCTION_MEMORY_MB, FUNCTION_TIMEOUT_SECONDS, REGION},
    part::{ConfigFile, Part, PartName},
    ports::free_address,
    server::Server,
};

/// What the host runs.
#[derive(Clone, Debug)]
pub struct Function {
    pub name: &'static str,
    /// Program that speaks the Runtime API.
    pub binary: PathBuf,
    pub environment: BTreeMap<String, String>,
}

impl Function {
    /// The pipeline's own function.
    pub fn ingest(bed: &Testbed) -> Result<Self> {
        let database = bed.lab.database()?.url(User::Ingest);
        let mut environment = Self::access(bed);
        environment.insert("DATABASE_URL".to_owned(), database.expose().to_owned());
        Ok(Self {
            name: "lambda-ingest",
            binary: bed.lab.workspace.program("lambda-ingest"),
            environment,
        })
    }

    /// Environment that any function needs to read the bucket.
    pub fn access(bed: &Testbed) -> BTreeMap<String, String> {
        let key = &bed.lab.credentials.aws.lambda;
        let pairs = [
            ("LOG_BUCKET", BUCKET),
            ("AWS_ENDPOINT_URL_S3", &bed.lab.url(PartName::S3)),
            ("AWS_ACCESS_KEY_ID", &key.id),
            ("AWS_SECRET_ACCESS_KEY", key.secret.expose()),
        ];
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }
}

#[derive(Debug)]
pub struct Host {
    server: Server,
    url: String,
    authorization: String,
    client: reqwest::Client,
}

impl Host {
    /// Starts the host. The function itself starts with the first call.
    pub async fn start(function: &Function, bed: &Testbed) -> Result<Self> {
        let part = part(function, bed)?;
        let server = Server::start(function.name, part, &bed.log(function.name)).await?;
        let key = &bed.lab.credentials.aws.operator.id;
        Ok(Self {
            url: format!(
                "{}/2015-03-31/functions/{FUNCTION}/invocations",
                server.url()
            ),
            server,
            authorization: authorization(key),
            client: http::client().context(NO_ANSWER)?,
        })
    }

    /// Invokes the function with the event of one object, and waits for its answer.
    pub async fn ingest(&self, key: &str) -> Result<Duration> {
        self.invoke(&event(key)).await
    }

    /// Invokes it with the events of several objects in one batch, as SQS does.
    pub async fn ingest_batch(&self, keys: &[String]) -> Result<Duration> {
        let message = |key: &String| {
            json!({
                "messageId": key,
                "eventSource": "aws:sqs",
                "body": event(key).to_string(),
            })
        };
        let messages: Vec<_> = keys.iter().map(message).collect();
        self.invoke(&json!({"Records": messages})).await
    }

    async fn invoke(&self, event: &Value) -> Result<Duration> {
        let request = self
            .client
            .post(&self.url)
            .header(AUTHORIZATION, &self.authorization)
            .json(event);
        let asked = Instant::now();
        let answer = request.send().await.context(NO_ANSWER)?;
        let status = answer.status().as_u16();
        let failed = answer.headers().contains_key("x-amz-function-error");
        let body = answer.text().await.context(NO_ANSWER)?;
        let took = asked.elapsed();
        ensure!(
            status == 200 && !failed,
            "the function answered {status}: {body}"
        );
        Ok(took)
    }

    pub async fn end(self) {
        self.server.end().await;
    }
}

fn event(key: &str) -> Value {
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "awsRegion": REGION,
        "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}},
    }]})
}

fn part(function: &Function, bed: &Testbed) -> Result<Part> {
    let lab = &bed.lab;
    let address = free_address()?;
    let config = json!({
        "listen": address,
        "state": lab.dir.data(&format!("lambda/bench-{}", function.name)),
        "region": REGION,
        "account_id": ACCOUNT_ID,
        "access_key_ids": [lab.credentials.aws.operator.id],
        "function": {
            "name": FUNCTION,
            "binary": function.binary,
            "environment": function.environment,
            "timeout_seconds": FUNCTION_TIMEOUT_SECONDS,
            "memory_mb": FUNCTION_MEMORY_MB,
            "concurrency": 1,
        },
    });
    let config = ConfigFile {
        path: lab.dir.config(&format!("bench-{}.json", function.name)),
        content: config.to_string(),
    };
    Ok(Part::lab_server(PartName::Lambda, address, config, lab))
}
