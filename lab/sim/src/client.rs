//! Realistic clients: they repeat, collide, hang up and retry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app_tier::intake::{Accepted, NotAccepted, Submission};
use app_tier::ticket::Receipt;
use payment_core::{ClientName, Draft, RequestId};
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
            let payment = world.pick(&self.payments).clone();
            let nth = if world.fault(Fault::Collision) {
                1 + world.below(payment.contents.len() - 1)
            } else {
                0
            };
            let content = &payment.contents[nth];
            for _ in 0..TRIES {
                let answer = self.request(&payment, content).await;
                let is_open = matches!(answer, Answer::Failed { .. } | Answer::NoAnswer);
                if !is_open || world.chance(0.2) {
                    break;
                }
                world.pass(10..=10_000).await;
            }
        }
    }

    async fn request(&self, payment: &Payment, content: &Content) -> Answer {
        let world = &self.world;
        let name = payment.name();
        let place = world.below(self.nodes.count());
        if let Some(last) = lock(&self.history).places.insert(name.clone(), place) {
            world.hit(if last == place {
                Fault::RepeatSameNode
            } else {
                Fault::RepeatOtherNode
            });
        }
        let mut content = content.clone();
        if world.fault(Fault::Malformed) {
            content.amount = Some("-1".to_owned());
        }
        let body = payments::body(world, &payment.id, &content);
        let request_id = lock(&self.history).next_request();
        let sent_ms = clock::ms();
        world.trace(|| format!("{request_id} sends {name} to node {place}"));
        let answer = self.send(place, &payment.client, &body, &request_id).await;
        world.trace(|| format!("{request_id} hears {answer:?}"));
        lock(&self.history).attempts.push(Attempt {
            client: Some(payment.client.as_str().to_owned()),
            id: payment.id.clone(),
            content,
            sent_ms,
            answered_ms: (answer != Answer::NoAnswer).then(clock::ms),
            answer: answer.clone(),
        });
        answer
    }

    /// The request's way to a node and back.
    async fn send(
        &self,
        place: usize,
        client: &ClientName,
        body: &str,
        request_id: &str,
    ) -> Answer {
        let world = &self.world;
        world.pass(1..=20).await;
        if world.fault(Fault::RequestLost) {
            return Answer::NoAnswer;
        }
        // The load balancer knows which nodes are up.
        let Some(node) = self.nodes.at(place) else {
            return Answer::Failed { status: 502 };
        };
        let patience = if world.fault(Fault::HangUp) {
            world.ms(0..=3_000)
        } else {
            Duration::MAX
        };
        let heard = async {
            let answer = tokio::select! {
                biased;
                () = node.life.ended() => Answer::NoAnswer,
                answer = process(&node, client, body, request_id) => answer,
            };
            world.pass(1..=20).await;
            answer
        };
        match timeout(patience, heard).await {
            Ok(Answer::Accepted { .. }) if world.fault(Fault::AnswerLost) => Answer::NoAnswer,
            Ok(answer) => answer,
            Err(_) => Answer::NoAnswer,
        }
    }
}

/// What the app tier's HTTP interface does with a body.
async fn process(node: &Node, client: &ClientName, body: &str, request_id: &str) -> Answer {
    let draft = Draft::parse(body.as_bytes());
    let payment = draft.and_then(|draft| draft.identify(None, || unreachable!("each has an id")));
    let (Ok(payment), Some(request_id)) = (payment, RequestId::parse(request_id)) else {
        return Answer::Refused { status: 422 };
    };
    let receipt = Receipt {
        received_at: clock::skewed(node.skew_ms),
        request_id,
    };
    let submission = Submission {
        payment: payment.of_client(client.clone()),
        receipt,
        traceparent: None,
    };
    match timeout(DEADLINE, node.intake.accept(submission)).await {
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
