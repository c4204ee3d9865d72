//! Whether this tier can do its work: S3 takes objects.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_service::admin::Readiness;
use payment_core::ObjectKey;
use uuid::Uuid;

use crate::breaker::Breaker;
use crate::journal::Journal;
use crate::now;

/// A PUT that S3 confirmed within this time says enough.
const RECENT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct S3Readiness<J> {
    pub journal: Arc<J>,
    pub breaker: Breaker,
    pub prefix: String,
}

impl<J: Journal> Readiness for S3Readiness<J> {
    /// If no payment came recently, an empty object is put: the role may put, and nothing else.
    async fn check(&self) -> Result<(), String> {
        if self.breaker.confirmed_within(RECENT) {
            return Ok(());
        }
        let Some(attempt) = self.breaker.begin() else {
            return Err("S3 is away".to_owned());
        };
        let key = ObjectKey::batch(&self.prefix, now(), Uuid::now_v7(), "ready");
        let put = self.journal.put(&key, Bytes::new());
        match attempt.run(&key, 0, put).await {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}
