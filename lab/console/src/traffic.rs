//! Payments sent by the console itself, so that there is something to see.
//!
//! Each is sent as a client should: again under the same id, until it is answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{Either, select};
use lab_runner::lab::Lab;
use lab_runner::payment::Door;
use rand::RngExt as _;
use serde_json::json;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

pub const RATE_MAX: u32 = 500;
pub const SECONDS_MAX: u64 = 600;

/// Delay before a client that got no answer sends again.
const AGAIN: Duration = Duration::from_millis(500);

/// Time after which a client gives up.
const TIMEOUT: Duration = Duration::from_mins(2);

const PAYERS: [&str; 8] = [
    "Ada Lovelace",
    "Alan Turing",
    "Barbara Liskov",
    "Edsger Dijkstra",
    "Grace Hopper",
    "Katherine Johnson",
    "Ken Thompson",
    "Zoë Müller",
];

/// Longest wait for an answer: longer than the load balancer's, so that its answer is seen.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub struct Traffic {
    door: Arc<Door>,
    run: Mutex<Option<Run>>,
}

#[derive(Debug)]
struct Run {
    rate: u32,
    until: Instant,
    counts: Arc<Counts>,
    task: AbortHandle,
}

#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    accepted: AtomicU64,
    repeats: AtomicU64,
    given_up: AtomicU64,
}

/// The current run, or the last one.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Payments per second.
    pub rate: u32,
    /// `None` once it is over.
    pub left: Option<Duration>,
    pub sent: u64,
    pub accepted: u64,
    /// Retries, because no answer or a 5xx came.
    pub repeats: u64,
    pub given_up: u64,
}

impl Traffic {
    /// Will send to the front door of a lab.
    pub fn to(lab: &Lab) -> anyhow::Result<Self> {
        Ok(Self {
            door: Arc::new(Door::of(lab, ANSWER_TIME_MAX)?),
            run: Mutex::default(),
        })
    }

    /// Sends `rate` payments per second for `length`. An earlier run sends nothing new.
    pub fn start(&self, rate: u32, length: Duration) {
        let counts = Arc::<Counts>::default();
        let until = Instant::now() + length;
        let sending = send(rate, until, Arc::clone(&counts), Arc::clone(&self.door));
        let run = Run {
            rate,
            until,
            counts,
            task: tokio::spawn(sending).abort_handle(),
        };
        let mut held = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = held.replace(run) {
            before.task.abort();
        }
    }

    pub fn stop(&self) {
        let mut held = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = &mut *held {
            run.task.abort();
            run.until = Instant::now();
        }
    }

    pub fn report(&self) -> Option<Report> {
        let held = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        let run = held.as_ref()?;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let left = run.until.saturating_duration_since(Instant::now());
        Some(Report {
            rate: run.rate,
            left: (!left.is_zero()).then_some(left),
            sent: count(&run.counts.sent),
            accepted: count(&run.counts.accepted),
            repeats: count(&run.counts.repeats),
            given_up: count(&run.counts.given_up),
        })
    }
}

async fn send(rate: u32, until: Instant, counts: Arc<Counts>, door: Arc<Door>) {
    let mut ticks = interval(Duration::from_secs(1) / rate.max(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        // The end comes first, or one payment for one second would be two.
        let end = Box::pin(tokio::time::sleep_until(until));
        match select(end, Box::pin(ticks.tick())).await {
            Either::Left(_) => return,
            Either::Right(_) => {}
        }
        // Not aborted with the run: what was sent is retried until it is answered.
        tokio::spawn(pay(Arc::clone(&counts), Arc::clone(&door)));
    }
}

async fn pay(counts: Arc<Counts>, door: Arc<Door>) {
    let (cents, payer, id) = {
        let mut random = rand::rng();
        let payer = PAYERS[random.random_range(0..PAYERS.len())];
        let id = random.random_range(0..1_u64 << 48);
        (random.random_range(100..100_000_u32), payer, id)
    };
    let body = json!({
        // Short, so that a table of rows fits on a screen.
        "id": format!("console-{:012x}", id),
        "amount": format!("{}.{:02}", cents / 100, cents % 100),
        "currency": "USD",
        "payer_name": payer,
        "transaction": "sent by the console",
    })
    .to_string();
    let deadline = Instant::now() + TIMEOUT;
    counts.sent.fetch_add(1, Ordering::Relaxed);
    loop {
        let answer = door.post(body.clone()).await;
        if answer.is_ok_and(|answer| answer.status.is_success()) {
            counts.accepted.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if Instant::now() >= deadline {
            counts.given_up.fetch_add(1, Ordering::Relaxed);
            return;
        }
        counts.repeats.fetch_add(1, Ordering::Relaxed);
        sleep(AGAIN).await;
    }
}
