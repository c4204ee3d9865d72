//! Journal objects written by the measurement itself.

use anyhow::{Context as _, Result, anyhow};
use aws_sdk_s3::{Client, types::ServerSideEncryption};
use lab_runner::lab::BUCKET;
use payment_core::{Draft, LogRecord, ObjectKey, PaymentId, RequestId, Timestamp};
use tokio::time::Instant;
use uuid::Uuid;

use super::{load::PAYMENT, testbed::Testbed};

/// Writes to the bucket as the operator.
#[derive(Debug)]
pub struct Objects {
    client: Client,
}

impl Objects {
    pub fn of(bed: &Testbed) -> Self {
        Self {
            client: bed.lab.s3(&bed.lab.credentials.aws.operator),
        }
    }

    /// Puts an object with so many new payments; returns its key.
    pub async fn put(&self, payments: usize) -> Result<String> {
        let now = Timestamp::from_unix_millis(unix_ms()).unwrap_or(Timestamp::EPOCH);
        let key = ObjectKey::batch("transactions/", now, Uuid::now_v7(), "bench");
        let lines: Result<String> = (0..payments).map(|_| line(now)).collect();
        self.put_bytes(key.as_str(), lines?.into_bytes()).await?;
        Ok(key.as_str().to_owned())
    }

    /// Returns how long S3 takes to put one payment, in milliseconds.
    pub async fn time_one(&self) -> Result<f64> {
        let asked = Instant::now();
        self.put(1).await?;
        Ok(asked.elapsed().as_secs_f64() * 1000.0)
    }

    /// Puts an object as older systems write it: one payment, without a record around it.
    pub async fn put_plain(&self) -> Result<String> {
        let id = Uuid::now_v7();
        let key = format!("transactions/tx_{id}.json");
        let body = format!(r#"{{"id":"tx_{id}","amount":100.0,"status":"processed"}}"#);
        self.put_bytes(&key, body.into_bytes()).await?;
        Ok(key)
    }

    async fn put_bytes(&self, key: &str, body: Vec<u8>) -> Result<()> {
        self.client
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .server_side_encryption(ServerSideEncryption::Aes256)
            .if_none_match("*")
            .body(body.into())
            .send()
            .await
            .context("cannot write to S3")?;
        Ok(())
    }
}

/// Returns one record of the journal, as the app tier writes it.
fn line(now: Timestamp) -> Result<String> {
    let payment = Draft::parse(PAYMENT.as_bytes())
        .and_then(|draft| draft.identify(None, || PaymentId::made_from(Uuid::now_v7())))
        .map_err(|error| anyhow!("the bench's own payment: {error}"))?;
    Ok(LogRecord {
        content_hash: payment.content_hash(),
        payment,
        received_at: now,
        request_id: Some(RequestId::from(Uuid::now_v7())),
        traceparent: None,
    }
    .to_line())
}

fn unix_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}
