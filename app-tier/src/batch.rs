//! Many payments in one request: each line has the rules and the outcome of a request of its own.
//!
//! The answer is written once every line has its outcome or the time is up, and not before: so whoever asks has all of it
//! or nothing, and may then send the batch again (promise P4). A batch is not atomic.

use std::time::Duration;

use axum::Extension;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http_service::http::{LoggedBatch, PAYMENTS_ACCEPTED, Refusal, RequestContext};
use payment_core::batch::{self, Line};
use payment_core::payment::BODY_BYTES_MAX;
use payment_core::{ClientName, Draft, ErrorCode, PaymentError, PaymentId};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use crate::intake::{Accepted, Many, Submission};
use crate::now;
use crate::routes::{Answer, State, refuse, submission};

/// Time from the head of the request to the answer, with time to write it before the deadline of the tier.
const OUTCOMES: Duration = Duration::from_millis(5500);

/// Bytes that are read before others get their turn on this core: those of the largest single payment.
const TURN: usize = BODY_BYTES_MAX;

/// What the lines of one request have in common.
struct Work<'a> {
    state: &'a State,
    context: &'a RequestContext,
    client: &'a ClientName,
    deadline: Instant,
}

/// A line that was read: a payment, by its number among those taken up, or what is wrong with it.
type Read = Result<(usize, PaymentId), Refusal>;

pub async fn process(
    state: &State,
    context: &RequestContext,
    client: &ClientName,
    request: Request,
) -> Result<Response, Refusal> {
    let work = Work {
        state,
        context,
        client,
        deadline: Instant::now() + OUTCOMES,
    };
    let batch = state.batches.read(request).await?;
    let (answers, logged) = work.answers(&batch.body).await;
    let accepted = [(PAYMENTS_ACCEPTED, logged.accepted.to_string())];
    Ok((accepted, Extension(logged), batch.answer(answers)).into_response())
}

impl Work<'_> {
    /// The answer's lines, and what the log says of them.
    async fn answers(&self, body: &[u8]) -> (Vec<u8>, LoggedBatch) {
        let lines: Vec<_> = batch::lines(body).collect();
        let mut answers = Answers::with_capacity(lines.len());
        // Without room in the queue until the deadline nothing was taken up.
        let Ok((many, read)) = timeout_at(self.deadline, self.take_up(&lines)).await else {
            for line in &lines {
                self.refuse(&mut answers, *line, &late());
            }
            return answers.finish();
        };
        for (line, read) in lines.iter().zip(read) {
            let outcome = match read {
                Err(refusal) => Err(refusal),
                Ok((number, id)) => {
                    let outcome = timeout_at(self.deadline, self.outcome(&many, number, *line));
                    let outcome = outcome.await.unwrap_or_else(|_| Err(late()));
                    outcome.map(|accepted| (id, accepted))
                }
            };
            match outcome {
                Ok((id, accepted)) => answers.accept(*line, &id, &accepted),
                Err(refusal) => self.refuse(&mut answers, *line, &refusal),
            }
        }
        answers.finish()
    }

    /// Reads all lines, and queues what is new among them.
    async fn take_up(&self, lines: &[Line<'_>]) -> (Many<'_>, Vec<Read>) {
        let bytes = lines.iter().map(|line| line.text.len());
        let mut many = self.state.intake.many(bytes).await;
        let mut read = Vec::with_capacity(lines.len());
        let mut turn = 0;
        for line in lines {
            turn += line.text.len();
            if turn > TURN {
                turn = 0;
                tokio::task::yield_now().await;
            }
            read.push(self.read(*line).map(|submission| {
                let id = submission.payment.id().clone();
                (many.take_up(submission, line.text.len()), id)
            }));
        }
        many.queue(&self.context.request_id).await;
        (many, read)
    }

    /// Reads a line by the rules of a single payment; but the id has to be there.
    fn read(&self, line: Line<'_>) -> Result<Submission, Refusal> {
        if line.text.len() > BODY_BYTES_MAX {
            return Err(Refusal::new(
                ErrorCode::BodyTooLarge,
                format!("a line must have at most {BODY_BYTES_MAX} bytes"),
            ));
        }
        let cards = &self.state.cards;
        let draft = Draft::parse_with(line.text, cards)?;
        let Some(id) = draft.id().cloned() else {
            return Err(PaymentError::NoId.into());
        };
        let payment = draft.identify_with(None, || id, cards)?;
        Ok(submission(
            payment,
            self.client.clone(),
            self.context,
            now(),
        ))
    }

    async fn outcome(
        &self,
        many: &Many<'_>,
        number: usize,
        line: Line<'_>,
    ) -> Result<Accepted, Refusal> {
        let outcome = match many.outcome(number).await {
            Some(outcome) => outcome,
            None => self.state.intake.accept(self.read(line)?).await,
        };
        outcome.map_err(|reason| refuse(reason, self.state.drain.is_draining()))
    }

    fn refuse(&self, answers: &mut Answers, line: Line<'_>, refusal: &Refusal) {
        self.state.batch_refused.count(refusal.code);
        let id = PaymentId::in_body(line.text, &self.state.cards);
        answers.refuse(line, id.as_ref(), refusal);
    }
}

fn late() -> Refusal {
    Refusal::late(ErrorCode::StorageUnavailable)
}

/// The lines of the answer.
struct Answers {
    lines: Vec<u8>,
    logged: LoggedBatch,
}

#[derive(Serialize)]
struct RefusedLine<'a> {
    line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    status: &'static str,
    code: &'static str,
    /// Status of the answer that a request of its own would get.
    http_status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
}

impl Answers {
    /// Bytes of one line, for most.
    const LINE: usize = 256;

    fn with_capacity(payments: usize) -> Self {
        Self {
            lines: Vec::with_capacity(payments * Self::LINE),
            logged: LoggedBatch {
                payments: 0,
                accepted: 0,
            },
        }
    }

    fn accept(&mut self, line: Line<'_>, id: &PaymentId, accepted: &Accepted) {
        self.logged.accepted += 1;
        let status = if accepted.replayed {
            "replayed"
        } else {
            "accepted"
        };
        self.push(&Answer::new(id, status, accepted).of_line(line.number));
    }

    /// A refusal is final; what another try may change is not one (promise P6).
    fn refuse(&mut self, line: Line<'_>, id: Option<&PaymentId>, refusal: &Refusal) {
        let http_status = refusal.code.status();
        self.push(&RefusedLine {
            line: line.number,
            id: id.map(PaymentId::as_str),
            status: if http_status < 500 {
                "refused"
            } else {
                "unconfirmed"
            },
            code: refusal.code.code(),
            http_status,
            detail: &refusal.detail,
            member: refusal.member,
            retry_after: refusal.retry_after,
        });
    }

    fn push(&mut self, line: &impl Serialize) {
        self.logged.payments += 1;
        // Strings and numbers are always JSON, and a Vec takes all of it.
        let _ = serde_json::to_writer(&mut self.lines, line);
        self.lines.push(b'\n');
    }

    fn finish(self) -> (Vec<u8>, LoggedBatch) {
        (self.lines, self.logged)
    }
}
