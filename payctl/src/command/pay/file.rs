//! Payments of a file, sent in batches. Each has its id, so that whatever is not known may be sent again.

mod answer;
mod lines;

use std::io;
use std::path::Path;

use http::{StatusCode, header};
use payment_core::PaymentId;
use payment_core::batch::PAYMENTS_MAX;
use program::chain;
use tokio::time::{Duration, sleep};

use self::answer::{Line, Status};
use self::lines::{Lines, Payment};
use crate::outcome::{Failure, Outcome};
use crate::output::{self, safe};
use crate::pay_client::{self, Answer, PayClient, TRIES_MAX};

/// Times in a row that one batch waits for the client's limits.
const WAITS_MAX: u32 = 60;

/// Longest wait for the client's limits that is asked for.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// What became of the payments so far.
#[derive(Debug, Default)]
struct Tally {
    accepted: u64,
    replayed: u64,
    refused: u64,
    unknown: u64,
    not_sent: u64,
}

/// How one batch ended.
enum Ended {
    /// Every payment has its outcome.
    Whole,
    /// The batch has more payments than the client's limits allow. Nothing of it was taken.
    TooLarge(Vec<Payment>),
    /// The next batch would fare no better.
    Stop(String),
}

pub async fn send(alb: &PayClient, path: &Path) -> Result<Outcome, Failure> {
    let mut lines = Lines::open(path)?;
    let mut tally = Tally::default();
    let mut payments_max = PAYMENTS_MAX;
    let stopped = loop {
        let batch = lines.batch(payments_max)?;
        for number in lines.take_too_long() {
            tally.refused += 1;
            output::say(&format!("line {number}: longer than a batch may be\n"))?;
        }
        if batch.is_empty() {
            break None;
        }
        match send_batch(alb, batch, &mut tally).await? {
            Ended::Whole => {}
            Ended::TooLarge(batch) => {
                payments_max = batch.len().div_ceil(2);
                lines.put_back(batch);
            }
            Ended::Stop(why) => break Some(why),
        }
    };
    tally.not_sent = lines.count_rest()?;
    output::say(&tally.text())?;
    let has_changed = lines.has_changed()?;
    let changed = has_changed.then(|| "the file changed while it was read".to_owned());
    for why in stopped.into_iter().chain(changed) {
        output::warn(&format!("{why}\nTo send the whole file again is safe."));
    }
    Ok(tally.outcome().and(Outcome::unfinished_if(has_changed)))
}

/// Sends the payments until each has its outcome: those again of which it is not known.
async fn send_batch(
    alb: &PayClient,
    mut open: Vec<Payment>,
    tally: &mut Tally,
) -> Result<Ended, Failure> {
    let (mut tries, mut waits) = (0, 0);
    let mut unsure = false;
    loop {
        let why = match alb.pay_batch(lines::body(&open)).await {
            Ok(answer) if is_limited(&answer) && waits < WAITS_MAX => {
                waits += 1;
                sleep(retry_after(&answer)).await;
                continue;
            }
            Ok(answer) if answer.status == StatusCode::OK => {
                let Some(answers) = answer::read(&answer.body, &open) else {
                    let why = "the answer is not about these payments; is ALB_URL right?";
                    tally.unknown += count(&open);
                    return Ok(Ended::Stop(why.to_owned()));
                };
                open = settle(open, answers, unsure, tally)?;
                "S3 or a server did not confirm some payments".to_owned()
            }
            Ok(answer) if answer.is_refusal() => {
                return Ok(refused_whole(&answer, open, unsure, tally)?);
            }
            Ok(answer) if answer.status.is_server_error() => said(&answer),
            Ok(answer) => {
                tally.unknown += count(&open);
                let why = format!(
                    "{}: this is not the pipeline; is ALB_URL right?",
                    answer.status
                );
                return Ok(Ended::Stop(why));
            }
            Err(error) if error.is_passing() => chain(&error),
            Err(error) => {
                tally.unknown += count(&open);
                return Ok(Ended::Stop(chain(&error)));
            }
        };
        if open.is_empty() {
            return Ok(Ended::Whole);
        }
        unsure = true;
        tries += 1;
        if tries >= TRIES_MAX {
            tally.unknown += count(&open);
            return Ok(Ended::Stop(why));
        }
        sleep(pay_client::pause(tries)).await;
    }
}

/// Notes what is known, and returns the payments of which it is not.
fn settle(
    sent: Vec<Payment>,
    answers: Vec<Line>,
    unsure: bool,
    tally: &mut Tally,
) -> Result<Vec<Payment>, Failure> {
    let mut open = Vec::new();
    for (payment, line) in sent.into_iter().zip(answers) {
        match line.status {
            Status::Accepted => tally.accepted += 1,
            Status::Replayed => tally.replayed += 1,
            Status::Unconfirmed => open.push(payment),
            Status::Refused => {
                // An earlier try may have been taken; of a conflict, the other payment of the id may be this one.
                *(if unsure {
                    &mut tally.unknown
                } else {
                    &mut tally.refused
                }) += 1;
                output::say(&refusal(&payment, &line, unsure))?;
            }
        }
    }
    Ok(open)
}

fn refusal(payment: &Payment, line: &Line, is_doubtful: bool) -> String {
    let id = line.id.as_ref().map(PaymentId::as_str);
    let id = id.map(|id| format!(" (id {id})")).unwrap_or_default();
    let doubt = if is_doubtful {
        "; an earlier try may have been taken: see payctl trace"
    } else {
        ""
    };
    let Line {
        http_status,
        code,
        detail,
        ..
    } = line;
    let (number, code, detail) = (payment.number, safe(code), safe(detail));
    format!("line {number}{id}: {http_status} {code}: {detail}{doubt}\n")
}

/// The batch as a whole was refused, as each further one would be.
fn refused_whole(
    answer: &Answer,
    open: Vec<Payment>,
    unsure: bool,
    tally: &mut Tally,
) -> io::Result<Ended> {
    if answer.status == StatusCode::PAYLOAD_TOO_LARGE && open.len() > 1 {
        return Ok(Ended::TooLarge(open));
    }
    for Payment { number, .. } in &open {
        output::say(&format!("line {number}: its batch was refused\n"))?;
    }
    if unsure {
        tally.unknown += count(&open);
    } else {
        tally.refused += count(&open);
    }
    Ok(Ended::Stop(said(answer)))
}

fn said(answer: &Answer) -> String {
    format!("{}\n{}", answer.status, answer.body.trim_end())
}

fn count(payments: &[Payment]) -> u64 {
    u64::try_from(payments.len()).unwrap_or(u64::MAX)
}

fn is_limited(answer: &Answer) -> bool {
    answer.status == StatusCode::TOO_MANY_REQUESTS
}

fn retry_after(answer: &Answer) -> Duration {
    let seconds = answer.headers.get(header::RETRY_AFTER);
    let seconds = seconds.and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1)).min(WAIT_MAX)
}

impl Tally {
    fn text(&self) -> String {
        output::counts(&[
            ("accepted", self.accepted),
            ("replayed", self.replayed),
            ("refused", self.refused),
            ("not known", self.unknown),
            ("not sent", self.not_sent),
        ])
    }

    /// A file without a payment is not clean.
    fn outcome(&self) -> Outcome {
        let is_empty = self.accepted + self.replayed + self.refused == 0;
        Outcome::different_if(self.refused > 0).and(Outcome::unfinished_if(
            is_empty || self.unknown > 0 || self.not_sent > 0,
        ))
    }
}
