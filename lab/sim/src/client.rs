//! Realistic clients: they repeat, collide, hang up and retry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app_tier::intake::{Accepted, NotAccepted, Submission};
use app_tier::ticket::Receipt;
use payment_core::{ClientName, Draft, RequestId};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use verdict::{Answer, Attempt, Content};

use crate::clock;
use crate::fault::Fault;
use crate::node::{Node, Nodes};
use crate::payments::{self, Payment};
use crate::world::{World, lock};

/// The app tier's deadline for a request.
const DEADLINE: Duration = Duration::from_secs(6);

/// Attempts at a payment: the first request and its retries.
const TRIES: usize = 4;

/// Most payments of a batch.
const BATCH_MAX: usize = 6;

/// What all clients share.
#[derive(Debug)]
pub struct Crowd {
    pub world: Arc<World>,
    pub nodes: Arc<Nodes>,
    pub payments: Vec<Payment>,
    pub history: Mutex<History>,
}

#[derive(Debug, Default)]
pub struct History {
    pub attempts: Vec<Attempt>,
    requests: usize,
    /// Where each payment was last sent.
    places: HashMap<String, usize>,
}

impl History {
    fn next_request(&mut self) -> String {
        self.requests += 1;
        format!("r{}", self.requests)
    }
}

impl Crowd {
    /// Sends one client's payments one after the other, with retries until they are accepted.
    pub async fn client(self: Arc<Self>, requests: usize) {
        for _ in 0..requests {
            let world = &self.world;
            // Sometimes several at the same moment.
            world.pass(0..=*world.pick(&[0, 50, 20_000])).await;
            let wanted = self.draw();
            for _ in 0..TRIES {
                let answers = self.request(&wanted).await;
                let is_open = |answer| matches!(answer, &Answer::Failed { .. } | &Answer::NoAnswer);
                if !answers.iter().any(is_open) || world.chance(0.2) {
                    break;
                }
                world.pass(10..=10_000).await;
            }
        }
    }

    /// What a request says: one payment, or a batch of one client, perhaps with one id several times.
    fn draw(&self) -> Vec<(&Payment, &Content)> {
        let world = &self.world;
        let first = world.pick(&self.payments);
        let mut payments = vec![first];
        if world.chance(0.2) {
            let is_own = |payment: &&Payment| payment.client == first.client;
            let own: Vec<_> = self.payments.iter().filter(is_own).collect();
            let more = 1 + world.below(BATCH_MAX - 1);
            payments.extend((0..more).map(|_| *world.pick(&own)));
        }
        let other = |payment: &Payment| 1 + world.below(payment.contents.len() - 1);
        payments
            .into_iter()
            .map(|payment| {
                let is_other = world.fault(Fault::Collision);
                let nth = if is_other { other(payment) } else { 0 };
                (payment, &payment.contents[nth])
            })
            .collect()
    }

    /// Says these in one request, and notes what becomes of each.
    async fn request(&self, wanted: &[(&Payment, &Content)]) -> Vec<Answer> {
        let world = &self.world;
        let place = world.below(self.nodes.count());
        let request_id = lock(&self.history).next_request();
        let (mut contents, mut bodies) = (Vec::new(), Vec::new());
        for (payment, content) in wanted {
            let name = payment.name();
            world.trace(|| format!("{request_id} sends {name} to node {place}"));
            if let Some(last) = lock(&self.history).places.insert(name, place) {
                world.hit(if last == place {
                    Fault::RepeatSameNode
                } else {
                    Fault::RepeatOtherNode
                });
            }
            let mut content = Content::clone(content);
            if world.fault(Fault::Malformed) {
                content.amount = Some("-1".to_owned());
            }
            bodies.push(payments::body(world, &payment.id, &content));
            contents.push(content);
        }
        let sent_ms = clock::ms();
        let client = &wanted[0].0.client;
        let answers = self.send(place, client, &bodies, &request_id).await;
        world.trace(|| format!("{request_id} hears {answers:?}"));
        for (((payment, _), content), answer) in wanted.iter().zip(contents).zip(&answers) {
            lock(&self.history).attempts.push(Attempt {
                client: Some(payment.client.as_str().to_owned()),
                id: payment.id.clone(),
                content,
                sent_ms,
                answered_ms: (*answer != Answer::NoAnswer).then(clock::ms),
                answer: answer.clone(),
            });
        }
        answers
    }

    /// A request's way to a node and back: an answer for each body.
    async fn send(
        &self,
        place: usize,
        client: &ClientName,
        bodies: &[String],
        request_id: &str,
    ) -> Vec<Answer> {
        let world = &self.world;
        let all = |answer| vec![answer; bodies.len()];
        world.pass(1..=20).await;
        if world.fault(Fault::RequestLost) {
            return all(Answer::NoAnswer);
        }
        // The load balancer knows which nodes are up.
        let Some(node) = self.nodes.at(place) else {
            return all(Answer::Failed { status: 502 });
        };
        let patience = if world.fault(Fault::HangUp) {
            world.ms(0..=3_000)
        } else {
            Duration::MAX
        };
        let heard = async {
            let answers = tokio::select! {
                biased;
                () = node.life.ended() => all(Answer::NoAnswer),
                answers = process(&node, client, bodies, request_id) => answers,
            };
            world.pass(1..=20).await;
            answers
        };
        let is_accepted = |answer: &Answer| matches!(answer, Answer::Accepted { .. });
        match timeout(patience, heard).await {
            Ok(answers) if answers.iter().any(is_accepted) && world.fault(Fault::AnswerLost) => {
                all(Answer::NoAnswer)
            }
            Ok(answers) => answers,
            Err(_) => all(Answer::NoAnswer),
        }
    }
}

/// What the app tier's HTTP interface does with a body, or with several in a batch.
async fn process(
    node: &Node,
    client: &ClientName,
    bodies: &[String],
    request_id: &str,
) -> Vec<Answer> {
    let submission = |body: &String| {
        let draft = Draft::parse(body.as_bytes()).ok()?;
        let payment = draft.identify(None, || unreachable!("each has an id"));
        Some(Submission {
            payment: payment.ok()?.of_client(client.clone()),
            receipt: Receipt {
                received_at: clock::skewed(node.skew_ms),
                request_id: RequestId::parse(request_id)?,
            },
            traceparent: None,
        })
    };
    let accept = async |body| match submission(body) {
        Some(submission) => answer(timeout(DEADLINE, node.intake.accept(submission)).await),
        None => REFUSED,
    };
    if let [body] = bodies {
        return vec![accept(body).await];
    }
    let mut many = node.intake.many(bodies.iter().map(String::len)).await;
    let taken: Vec<_> = bodies
        .iter()
        .map(|body| Some(many.take_up(submission(body)?, body.len())))
        .collect();
    if let Some(asking) = RequestId::parse(request_id) {
        many.queue(&asking).await;
    }
    let mut answers = Vec::new();
    for (body, number) in bodies.iter().zip(taken) {
        answers.push(match number {
            None => REFUSED,
            Some(number) => match timeout(DEADLINE, many.outcome(number)).await {
                Ok(Some(outcome)) => answer(Ok(outcome)),
                // The id belonged to a payment that never became one.
                Ok(None) => accept(body).await,
                Err(late) => answer(Err(late)),
            },
        });
    }
    answers
}

const REFUSED: Answer = Answer::Refused { status: 422 };

fn answer(outcome: Result<Result<Accepted, NotAccepted>, Elapsed>) -> Answer {
    match outcome {
        Ok(Ok(Accepted {
            receipt, replayed, ..
        })) => Answer::Accepted {
            replayed,
            received_at: receipt.received_at.to_string(),
            request_id: receipt.request_id.as_str().to_owned(),
        },
        Ok(Err(NotAccepted::Conflict)) => Answer::Conflict,
        Ok(Err(_)) | Err(_) => Answer::Failed { status: 503 },
    }
}
