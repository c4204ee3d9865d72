//! What is known of a payment: its row, or that this node accepted it.

use http_service::http::Refusal;
use payment_core::{Currency, ErrorCode, PaymentId, PaymentKey, PaymentState};
use payment_store::{Backend, Error, Found, Rejection, Store};
use program::chain;
use serde::Serialize;

use crate::intake::Intake;
use crate::rows::Rows;

/// The answer to GET /process/{id}. The payer's name and the extra members stay inside: where intake is open, who knows
/// or guesses an id may ask, without any further proof.
#[derive(Debug, Serialize)]
pub struct PaymentStatus {
    id: String,
    state: PaymentState,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Seconds after which a payment that is not known may be.
const UNKNOWN_RETRY_AFTER: u32 = 1;

/// The row counts, since every node sees it; only without one, what this node knows by itself. An id that neither
/// knows may be another node's, on its way to its row: that is waited for.
pub async fn find<B: Backend>(
    payment: &PaymentKey,
    rows: &Rows<B>,
    intake: &Intake,
) -> Result<PaymentStatus, Refusal> {
    let mut patience = rows.patience();
    loop {
        let found = find_now(payment, rows, intake).await;
        let is_unknown = matches!(&found, Err(refusal) if refusal.code == ErrorCode::NotFound);
        if !is_unknown || !patience.wait().await {
            return found;
        }
    }
}

/// As [`find`], without waiting.
pub async fn find_now<B: Backend>(
    payment: &PaymentKey,
    rows: &Rows<B>,
    intake: &Intake,
) -> Result<PaymentStatus, Refusal> {
    let looked_up = rows.ask(async |store| look_up(store, payment).await).await;
    if let Ok(Some(status)) = looked_up {
        return Ok(status);
    }
    if let Some(receipt) = intake.receipt(payment) {
        return Ok(PaymentStatus::accepted(
            &payment.id,
            receipt.received_at.to_string(),
        ));
    }
    let refusal = match looked_up {
        Err(reason) => Refusal::new(ErrorCode::StatusUnavailable, "ask again in a moment")
            .because(chain(&reason)),
        Ok(_) => Refusal::new(
            ErrorCode::NotFound,
            "no payment with this id is known here; it may still come",
        )
        .retry_after(UNKNOWN_RETRY_AFTER),
    };
    Err(refusal)
}

async fn look_up<B: Backend>(
    store: &Store<B>,
    payment: &PaymentKey,
) -> Result<Option<PaymentStatus>, Error> {
    let id = &payment.id;
    if let Some(found) = store.find(payment).await? {
        return Ok(Some(PaymentStatus::recorded(id, &found)));
    }
    let rejection = store.rejection(payment).await?;
    Ok(rejection.map(|rejection| PaymentStatus::rejected(id, rejection)))
}

impl PaymentStatus {
    fn new(id: &PaymentId, state: PaymentState) -> Self {
        Self {
            id: id.to_string(),
            state,
            transaction: None,
            amount: None,
            currency: None,
            status: None,
            received_at: None,
            recorded_at: None,
            rejected_at: None,
            reason: None,
        }
    }

    fn accepted(id: &PaymentId, received_at: String) -> Self {
        Self {
            received_at: Some(received_at),
            ..Self::new(id, PaymentState::Accepted)
        }
    }

    fn rejected(id: &PaymentId, rejection: Rejection) -> Self {
        Self {
            rejected_at: Some(rejection.rejected_at.to_string()),
            reason: Some(rejection.reason),
            ..Self::new(id, PaymentState::Rejected)
        }
    }

    fn recorded(id: &PaymentId, found: &Found) -> Self {
        Self {
            state: if found.conflicts == 0 {
                PaymentState::Recorded
            } else {
                PaymentState::Conflict
            },
            transaction: found.transaction.clone(),
            amount: found.amount.map(|amount| amount.to_string()),
            currency: found.currency.map(Currency::code),
            status: Some(found.status.as_str()),
            recorded_at: Some(found.recorded_at.to_string()),
            ..Self::accepted(id, found.received_at.to_string())
        }
    }
}
