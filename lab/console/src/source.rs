//! The state of the parts, each queried through its public interface.

pub mod access;
pub mod balancer;
pub mod chain;
pub mod folder;
pub mod function;
pub mod journal;
pub mod pulse;
pub mod rows;
pub mod tier;

use std::time::Duration;

use aws_sdk_s3::error::{DisplayErrorContext, SdkError};
use aws_sdk_s3::primitives::ByteStreamError;
use tokio::time::timeout;

/// Timeout of a query to a part. A part that takes longer is shown as not answering.
pub const TIMEOUT: Duration = Duration::from_millis(1_500);

/// Why a part could not be queried, for people.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Away(pub String);

impl From<lab_runner::http::CallError> for Away {
    fn from(error: lab_runner::http::CallError) -> Self {
        Self(lab_runner::output::chain(&error))
    }
}

impl<E, R> From<SdkError<E, R>> for Away
where
    SdkError<E, R>: std::error::Error,
{
    fn from(error: SdkError<E, R>) -> Self {
        Self(DisplayErrorContext(&error).to_string())
    }
}

impl From<ByteStreamError> for Away {
    fn from(error: ByteStreamError) -> Self {
        Self(lab_runner::output::chain(&error))
    }
}

impl From<payment_store::Error> for Away {
    fn from(error: payment_store::Error) -> Self {
        Self(lab_runner::output::chain(&error))
    }
}

impl From<anyhow::Error> for Away {
    fn from(error: anyhow::Error) -> Self {
        Self(lab_runner::output::chain(error.as_ref()))
    }
}

/// Waits for an answer, but no longer than this.
pub async fn within<T, E>(
    limit: Duration,
    question: impl Future<Output = Result<T, E>>,
) -> Result<T, Away>
where
    Away: From<E>,
{
    match timeout(limit, question).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Away(format!(
            "no answer within {:.1} s",
            limit.as_secs_f64()
        ))),
    }
}
