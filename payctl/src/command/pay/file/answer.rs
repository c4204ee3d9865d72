//! The answer to a batch: a line for each payment, in order.

use payment_core::{CardCheck, PaymentId};
use serde::Deserialize;

use super::lines::Payment;

#[derive(Debug)]
pub struct Line {
    pub id: Option<PaymentId>,
    pub status: Status,
    pub http_status: u16,
    pub code: String,
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Accepted,
    Replayed,
    Refused,
    Unconfirmed,
}

#[derive(Deserialize)]
struct Said {
    line: usize,
    id: Option<String>,
    status: Status,
    #[serde(default)]
    http_status: u16,
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

/// Reads the answer. `None` unless it has a line for each of these payments, and each one accepted is the payment in its place.
pub fn read(answer: &str, payments: &[Payment]) -> Option<Vec<Line>> {
    let lines: Vec<_> = answer.lines().collect();
    if lines.len() != payments.len() {
        return None;
    }
    let mut read = Vec::with_capacity(lines.len());
    for ((line, payment), number) in lines.into_iter().zip(payments).zip(1..) {
        let said: Said = serde_json::from_str(line).ok()?;
        let is_accepted = matches!(said.status, Status::Accepted | Status::Replayed);
        let id = said.id.and_then(|id| PaymentId::from_stored(&id));
        if said.line != number || is_accepted && id != payment_id(payment) {
            return None;
        }
        read.push(Line {
            id,
            status: said.status,
            http_status: said.http_status,
            code: said.code,
            detail: said.detail,
        });
    }
    Some(read)
}

/// Which members may hold card numbers is the server's to say.
fn payment_id(payment: &Payment) -> Option<PaymentId> {
    let exempt = "id".parse::<CardCheck>().ok()?;
    PaymentId::in_body(&payment.text, &exempt)
}
