//! The model of Lambda: the real handler in environments that come and go, with retries and dead letters.

mod notices;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use lambda_ingest::config::Sweep;
use lambda_ingest::handler::Handler;
use payment_core::Timestamp;
use payment_store::Store;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

pub use self::notices::notify;
use crate::bucket::{self, Bucket};
use crate::database::Model;
use crate::fault::Fault;
use crate::world::{World, lock};
use crate::{clock, event};

const FUNCTION_TIMEOUT: Duration = Duration::from_mins(1);

/// Most concurrent invocations.
const CONCURRENCY: usize = 3;

/// Attempts at an event, or receives of a queue message.
const TRIES: u32 = 3;

/// Delay after the first attempt; twice that after the second. A queue message is hidden for as long.
const RETRY: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Lambda {
    world: Arc<World>,
    bucket: Bucket,
    database: Model,
    slots: Semaphore,
    /// Environments that are warm and idle.
    warm: Mutex<Vec<Environment>>,
    dead: Mutex<Vec<Delivery>>,
}

type Environment = Handler<Bucket, Model>;

/// Something to deliver until it succeeds or is given up.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// An event from Lambda's own queue.
    Event(String),
    /// A batch of SQS messages.
    Messages(Vec<Message>),
}

#[derive(Debug, Clone)]
pub struct Message {
    pub id: String,
    pub body: String,
    pub tried: u32,
}

/// The function failed, was killed, or timed out.
#[derive(Debug)]
struct Failed;

impl Lambda {
    pub fn new(bucket: &Bucket, database: &Model) -> Arc<Self> {
        Arc::new(Self {
            world: Arc::clone(&bucket.world),
            bucket: bucket.clone(),
            database: database.clone(),
            slots: Semaphore::new(CONCURRENCY),
            warm: Mutex::default(),
            dead: Mutex::default(),
        })
    }

    /// Delivers in the background.
    pub fn deliver(self: &Arc<Self>, delivery: Delivery) {
        let (lambda, busy) = (Arc::clone(self), self.world.busy());
        tokio::spawn(async move {
            match delivery {
                Delivery::Event(payload) => lambda.event(payload).await,
                Delivery::Messages(messages) => lambda.messages(messages).await,
            }
            drop(busy);
        });
    }

    /// Invokes the function as the schedule does; returns whether it succeeded.
    pub async fn sweep(&self) -> bool {
        self.invoke(&event::schedule().to_string()).await.is_ok()
    }

    /// Redrives all dead letters.
    pub fn redrive(self: &Arc<Self>) {
        let letters = std::mem::take(&mut *lock(&self.dead));
        for letter in letters {
            self.world.hit(Fault::Redriven);
            self.deliver(letter);
        }
    }

    async fn event(&self, payload: String) {
        for tried in 1..=TRIES {
            if self.invoke(&payload).await.is_ok() {
                return;
            }
            if tried < TRIES {
                sleep(RETRY * tried + self.world.ms(0..=5_000)).await;
            }
        }
        self.give_up(Delivery::Event(payload));
    }

    async fn messages(&self, mut messages: Vec<Message>) {
        loop {
            let batch = messages
                .iter()
                .map(|message| (message.id.as_str(), message.body.as_str()));
            // If the function failed, the whole batch failed; otherwise, what its answer names.
            if let Ok(failed) = self.invoke(&event::sqs(batch).to_string()).await {
                messages.retain(|message| failed.contains(&message.id));
            }
            for message in &mut messages {
                message.tried += 1;
            }
            let given_up: Vec<_> = messages
                .extract_if(.., |message| message.tried >= TRIES)
                .map(|message| Message {
                    tried: 0,
                    ..message
                })
                .collect();
            if !given_up.is_empty() {
                self.give_up(Delivery::Messages(given_up));
            }
            if messages.is_empty() {
                return;
            }
            sleep(RETRY).await;
        }
    }

    fn give_up(&self, delivery: Delivery) {
        self.world.hit(Fault::DeadLettered);
        lock(&self.dead).push(delivery);
    }

    /// Invokes the function once; returns the messages that it reports as failed.
    async fn invoke(&self, payload: &str) -> Result<Vec<String>, Failed> {
        // Lambda holds an event back while it may not invoke the function, and counts no attempt.
        while self.world.weather().lambda.is_some() || self.world.fault(Fault::LambdaThrottled) {
            self.world.pass(1_000..=60_000).await;
        }
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await.map_err(|_| Failed)?;
        let warm = lock(&self.warm).pop();
        let environment = warm.unwrap_or_else(|| self.environment());
        let steps = self.world.fault(Fault::LambdaKilled).then(|| self.steps());
        let deadline = Timestamp::new(clock::now().to_utc() + FUNCTION_TIMEOUT);
        let answer = Mortal {
            work: Box::pin(environment.answer(payload, Some(deadline))),
            steps,
        };
        // The function stops before its deadline: it times out only if the platform brings that forward.
        let limit = if self.world.fault(Fault::LambdaTimedOut) {
            self.world.ms(1..=5_000)
        } else {
            FUNCTION_TIMEOUT
        };
        let Ok(Some((tally, answer))) = timeout(limit, answer).await else {
            return Err(Failed);
        };
        self.world.trace(|| {
            let went = if answer.is_ok() { "done" } else { "failed" };
            format!(
                "function {went}: {} objects, {} rows, {} duplicates, {} conflicts, {} rejects, {} swept",
                tally.objects, tally.rows, tally.duplicates, tally.conflicts, tally.rejects, tally.swept
            )
        });
        lock(&self.warm).push(environment);
        let response = answer.map_err(|_| Failed)?.unwrap_or_default();
        Ok(response
            .batch_item_failures
            .into_iter()
            .map(|failure| failure.item_identifier)
            .collect())
    }

    fn environment(&self) -> Environment {
        let sweep = Sweep {
            bucket: Some(bucket::NAME.to_owned()),
            prefix: crate::run::PREFIX.to_owned(),
            hours: 24,
        };
        let store = Store::over(self.database.clone());
        Handler::with_clock(self.bucket.clone(), store, sweep, clock::now)
    }

    fn steps(&self) -> usize {
        1 + self.world.below(40)
    }
}

/// Work that is killed after so many of its steps, wherever it then waits.
struct Mortal<F> {
    work: Pin<Box<F>>,
    steps: Option<usize>,
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(steps) = &mut self.steps {
            if *steps == 0 {
                return Poll::Ready(None);
            }
            *steps -= 1;
        }
        self.work.as_mut().poll(context).map(Some)
    }
}
