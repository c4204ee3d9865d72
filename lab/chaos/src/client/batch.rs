//! Many payments in one request. Each has an attempt of its own in the history.

use http::{Method, Request, StatusCode, header::HeaderValue};
use serde::Deserialize;
use tokio::time::sleep;
use verdict::Answer;

use super::{ATTEMPTS, AUTHORIZATION, CONTENT_TYPE, Client, PAUSE, now_ms};
use crate::payments::Payment;

/// One line of an answer.
#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Line {
    Accepted(Receipt),
    Replayed(Receipt),
    Refused { http_status: u16 },
    Unconfirmed { http_status: u16 },
}

#[derive(Deserialize)]
struct Receipt {
    received_at: String,
    request_id: String,
}

impl Client {
    /// Posts until each payment is accepted or refused: again those of which it is not known.
    pub async fn pay_batch(&self, mut payments: Vec<Payment>) {
        for attempt in 1..=ATTEMPTS {
            let sent_ms = now_ms();
            let answers = self.send_batch(&payments).await;
            let mut open = Vec::new();
            for (payment, answer) in payments.into_iter().zip(answers) {
                self.note(
                    Some(&payment.client),
                    &payment,
                    None,
                    sent_ms,
                    answer.clone(),
                );
                if matches!(answer, Answer::Failed { .. } | Answer::NoAnswer) {
                    open.push(payment);
                }
            }
            if open.is_empty() {
                return;
            }
            payments = open;
            sleep(PAUSE * attempt).await;
        }
    }

    /// An answer for each of the payments, which are of one client.
    async fn send_batch(&self, payments: &[Payment]) -> Vec<Answer> {
        let all = |answer: Answer| vec![answer; payments.len()];
        let body: String = payments
            .iter()
            .flat_map(|payment| [payment.body.as_str(), "\n"])
            .collect();
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header(
                CONTENT_TYPE,
                HeaderValue::from_static("application/x-ndjson"),
            );
        let credential = payments.first().and_then(|first| self.credential(first));
        if let Some(credential) = credential {
            request = request.header(AUTHORIZATION, credential);
        }
        let Ok(request) = request.body(body.into()) else {
            return all(Answer::NoAnswer);
        };
        let Ok(answer) = self.http.call(request).await else {
            return all(Answer::NoAnswer);
        };
        let status = answer.status.as_u16();
        match answer.status {
            StatusCode::OK => {
                let lines: Option<Vec<_>> = answer.body.lines().map(read).collect();
                let lines = lines.filter(|lines| lines.len() == payments.len());
                lines.unwrap_or_else(|| all(Answer::NoAnswer))
            }
            refused if refused.is_client_error() => all(Answer::Refused { status }),
            _ => all(Answer::Failed { status }),
        }
    }
}

fn read(line: &str) -> Option<Answer> {
    let accepted = |receipt: Receipt, replayed| Answer::Accepted {
        replayed,
        received_at: receipt.received_at,
        request_id: receipt.request_id,
    };
    Some(match serde_json::from_str(line).ok()? {
        Line::Accepted(receipt) => accepted(receipt, false),
        Line::Replayed(receipt) => accepted(receipt, true),
        Line::Refused { http_status: 409 } => Answer::Conflict,
        Line::Refused { http_status } => Answer::Refused {
            status: http_status,
        },
        Line::Unconfirmed { http_status } => Answer::Failed {
            status: http_status,
        },
    })
}
