//! Operations on receipts: `DeleteMessage`, `ChangeMessageVisibility` and their batches.

use std::time::Duration;

use serde::Deserialize;

use super::batch::{Batch, Results};
use super::error::ApiError;
use super::{Api, Done, within};
use crate::config::MAX_VISIBILITY;
use crate::store::{Receipt, Unchangeable};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfQueue<I> {
    queue_url: String,
    #[serde(flatten)]
    input: I,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Delete {
    receipt_handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Hide {
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

impl Api {
    pub async fn delete(&self, request: OfQueue<Delete>) -> Result<Done, ApiError> {
        let queue = self.queue_of_url(&request.queue_url)?;
        self.delete_one(queue, &request.input).await
    }

    pub async fn delete_batch(&self, batch: Batch<Delete>) -> Result<Results<Done>, ApiError> {
        let queue = self.queue_of_url(&batch.queue_url)?;
        batch.check()?;
        let mut results = Results::new();
        for entry in &batch.entries {
            let result = self.delete_one(queue, &entry.input).await;
            results.add(entry.id.clone(), result);
        }
        Ok(results)
    }

    pub async fn hide(&self, request: OfQueue<Hide>) -> Result<Done, ApiError> {
        let queue = self.queue_of_url(&request.queue_url)?;
        self.hide_one(queue, &request.input).await
    }

    pub async fn hide_batch(&self, batch: Batch<Hide>) -> Result<Results<Done>, ApiError> {
        let queue = self.queue_of_url(&batch.queue_url)?;
        batch.check()?;
        let mut results = Results::new();
        for entry in &batch.entries {
            let result = self.hide_one(queue, &entry.input).await;
            results.add(entry.id.clone(), result);
        }
        Ok(results)
    }

    async fn delete_one(&self, queue: &str, input: &Delete) -> Result<Done, ApiError> {
        let receipt = receipt(queue, &input.receipt_handle)?;
        self.blocking(move |store| store.delete(&receipt)).await??;
        Ok(Done {})
    }

    async fn hide_one(&self, queue: &str, input: &Hide) -> Result<Done, ApiError> {
        let receipt = receipt(queue, &input.receipt_handle)?;
        if input.visibility_timeout.is_none() {
            return Err(ApiError::MissingParameter("VisibilityTimeout"));
        }
        let seconds = within(
            "VisibilityTimeout",
            input.visibility_timeout,
            0,
            0..=MAX_VISIBILITY,
        )?;
        let visibility = Duration::from_secs(seconds);
        let changed = self
            .blocking(move |store| store.hide(&receipt, visibility))
            .await??;
        match changed {
            Ok(()) => Ok(Done {}),
            Err(Unchangeable::NotInFlight) => Err(ApiError::MessageNotInflight),
            Err(Unchangeable::Gone) => Err(ApiError::InvalidParameterValue {
                parameter: "ReceiptHandle",
                value: input.receipt_handle.clone(),
                reason: "Message does not exist or is not available for visibility timeout change.",
            }),
        }
    }
}

/// Parses a receipt handle, which must belong to this queue.
fn receipt(queue: &str, handle: &str) -> Result<Receipt, ApiError> {
    Receipt::parse(handle)
        .filter(|receipt| receipt.queue == queue)
        .ok_or(ApiError::ReceiptHandleIsInvalid)
}
