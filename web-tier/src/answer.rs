//! What the app tier says of a payment, as far as a person reads it.

use axum::body::{Body, to_bytes};
use http::StatusCode;
use http_service::http::Refusal;
use payment_core::{ErrorCode, PaymentId, PaymentState};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Larger than any answer of the app tier.
const BYTES_MAX: usize = 64 * 1024;

/// The acceptance of a payment.
#[derive(Debug, Deserialize)]
pub struct Accepted {
    id: String,
    status: String,
    pub received_at: String,
}

/// What is known of a payment.
#[derive(Debug, Deserialize)]
pub struct Found {
    id: String,
    pub state: PaymentState,
    #[serde(default)]
    pub transaction: String,
    #[serde(default)]
    pub amount: String,
    #[serde(default)]
    pub currency: String,
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub received_at: String,
    #[serde(default)]
    pub recorded_at: String,
}

/// A problem, as it was sent.
#[derive(Debug, Default, Deserialize)]
pub struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    pub detail: String,
    #[serde(default)]
    pub member: String,
}

impl Accepted {
    /// An acceptance counts only for the payment that was sent.
    pub async fn read(body: Body, id: &str) -> Result<Self, Refusal> {
        let answer: Option<Self> = read(body).await;
        answer
            .filter(|answer| answer.id == id && answer.status == "accepted")
            .ok_or_else(not_understood)
    }
}

impl Found {
    pub async fn read(body: Body, id: &PaymentId) -> Result<Self, Refusal> {
        let answer: Option<Self> = read(body).await;
        answer
            .filter(|answer| answer.id == id.as_str())
            .ok_or_else(not_understood)
    }
}

impl Problem {
    pub async fn read(body: Body) -> Self {
        read(body).await.unwrap_or_default()
    }

    /// The code, or the one that stands for the status.
    pub fn code(&self, status: StatusCode) -> ErrorCode {
        let known = |is: &dyn Fn(&ErrorCode) -> bool| ErrorCode::ALL.into_iter().find(is);
        known(&|code| code.code() == self.code)
            .or_else(|| known(&|code| code.status() == status.as_u16()))
            .unwrap_or(ErrorCode::Internal)
    }
}

async fn read<T: DeserializeOwned>(body: Body) -> Option<T> {
    let body = to_bytes(body, BYTES_MAX).await.ok()?;
    serde_json::from_slice(&body).ok()
}

fn not_understood() -> Refusal {
    Refusal::new(
        ErrorCode::UpstreamFailed,
        "whether the payment was taken is not known; ask for it by its id",
    )
    .because("the app tier's answer is not about this payment")
}
