//! Knows whether S3 is away, so that payments are refused at once instead of waiting for PUTs that will fail
//! (promise P5).
//!
//! Closed, it lets everything through. It opens after failures in a row, or where PUTs hang and none is confirmed.
//! Open, it lets no payment through: the committer probes with empty objects, so that no client waits for a try.
//! The first PUT that S3 confirms, probe or not, closes it.
//!
//! A PUT that S3 denies counts as a failure: it stores as little as one that S3 never saw, and each further try
//! would keep a client waiting and fill the log. A role that is fixed is noticed by the next probe.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_service::metrics::Metrics;
use payment_core::ObjectKey;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use crate::counters::Puts;
use crate::journal::{JournalError, Put};

/// PUTs that fail in a row before it opens. Each has had tries of its own: one may be bad luck.
const FAILURES_TO_OPEN: u32 = 2;

/// It opens where PUTs are at work and none was confirmed for this long: the time of one try.
const SILENCE: Duration = Duration::from_secs(2);

/// Longest time for one probe; the next one asks again.
const PROBE: Duration = Duration::from_secs(2);

/// While it is open, the reason is logged this often.
const REMINDER: Duration = Duration::from_mins(1);

/// Stops PUTs while S3 is away, and probes by itself until it is back.
#[derive(Debug, Clone, Default)]
pub struct Breaker(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    opened: Notify,
    puts: Puts,
}

#[derive(Debug, Default)]
struct State {
    /// PUTs at work.
    at_work: usize,
    /// Since when none of those at work was confirmed.
    silent_since: Option<Instant>,
    /// PUTs that failed since one was confirmed.
    failures: u32,
    /// PUTs confirmed so far, by number only to tell earlier PUTs from later ones.
    confirmed: u64,
    confirmed_at: Option<Instant>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    since: Instant,
    remind_at: Instant,
}

/// Permission for one PUT. Dropped without S3's confirmation, it counts as a failure.
#[derive(Debug)]
pub struct Attempt {
    breaker: Breaker,
    probe: bool,
    /// What was confirmed when this began.
    began_after: u64,
    confirmed: bool,
}

impl Breaker {
    /// Shows the PUTs, and whether S3 is away.
    pub fn register(&self, metrics: &mut Metrics) {
        self.0.puts.register(metrics);
        let breaker = self.clone();
        let help = "1 while S3 is known to be away and payments are refused, else 0.";
        metrics.show("s3_away", help, move || usize::from(breaker.is_open()));
    }

    /// Whether S3 is known to be away.
    pub fn is_open(&self) -> bool {
        self.with(|state, _| state.open.is_some())
    }

    /// Whether S3 is there, and confirmed a PUT in the last `time`.
    pub fn confirmed_within(&self, time: Duration) -> bool {
        self.with(|state, now| {
            let recent = |at: Instant| now.saturating_duration_since(at) < time;
            state.open.is_none() && state.confirmed_at.is_some_and(recent)
        })
    }

    /// Leave for a PUT; none while S3 is away.
    pub fn begin(&self) -> Option<Attempt> {
        self.attempt(false)
    }

    /// Leave for a probe; none unless S3 is away.
    pub fn begin_probe(&self) -> Option<Attempt> {
        self.attempt(true)
    }

    fn attempt(&self, probe: bool) -> Option<Attempt> {
        let began_after = self.with(|state, now| {
            let wanted = state.open.is_some() == probe;
            wanted.then(|| state.begin(now))
        })?;
        Some(Attempt {
            breaker: self.clone(),
            probe,
            began_after,
            confirmed: false,
        })
    }

    /// Returns once it has opened since this was last called.
    pub async fn opened(&self) {
        self.0.opened.notified().await;
    }

    /// Returns once it is open.
    pub async fn wait_until_open(&self) {
        let next = |state: &mut State, now| match state.open {
            Some(_) => None,
            None => Some(state.silent_since.unwrap_or(now) + SILENCE),
        };
        while let Some(look_again) = self.with(next) {
            sleep_until(look_again).await;
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State, Instant) -> T) -> T {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let was_open = state.open.is_some();
        state.notice_silence(now);
        let result = act(&mut state, now);
        if !was_open && state.open.is_some() {
            self.0.opened.notify_one();
        }
        result
    }
}

impl State {
    fn begin(&mut self, now: Instant) -> u64 {
        self.at_work += 1;
        self.silent_since.get_or_insert(now);
        self.confirmed
    }

    fn confirm(&mut self, now: Instant) {
        self.at_work -= 1;
        self.silent_since = (self.at_work > 0).then_some(now);
        self.failures = 0;
        self.confirmed += 1;
        self.confirmed_at = Some(now);
        if let Some(open) = self.open.take() {
            let away_ms = (now - open.since).as_millis();
            tracing::info!(away_ms, "S3 is back: payments are taken again");
        }
    }

    fn fail(&mut self, now: Instant, began_after: u64) {
        self.at_work -= 1;
        if self.at_work == 0 {
            self.silent_since = None;
        }
        // One that began before another was confirmed says nothing of S3 as it is now.
        if began_after == self.confirmed {
            self.failures += 1;
        }
        if self.failures >= FAILURES_TO_OPEN {
            self.open(now);
        }
    }

    fn notice_silence(&mut self, now: Instant) {
        let silent = |since| now.saturating_duration_since(since) >= SILENCE;
        if self.silent_since.is_some_and(silent) {
            self.open(now);
        }
    }

    fn open(&mut self, now: Instant) {
        self.open.get_or_insert_with(|| {
            tracing::error!("S3 is away: payments are refused until it confirms a PUT");
            Open {
                since: now,
                remind_at: now + REMINDER,
            }
        });
    }

    /// Whether a failed probe is to be told to the log.
    fn reminds(&mut self, now: Instant) -> bool {
        match &mut self.open {
            Some(open) if now >= open.remind_at => {
                open.remind_at = now + REMINDER;
                true
            }
            _ => false,
        }
    }
}

impl Attempt {
    /// Sees the PUT of an object with so many records through, and logs its failure.
    /// Logs failed probes once a minute during a long outage.
    pub async fn run(
        mut self,
        key: &ObjectKey,
        records: usize,
        put: impl Future<Output = Result<Put, JournalError>>,
    ) -> Result<Put, JournalError> {
        let began = Instant::now();
        let result = if self.probe {
            timeout(PROBE, put).await.unwrap_or_else(|_| {
                let detail = format!("no answer to a probe within {} s", PROBE.as_secs());
                Err(JournalError::new("PUT", detail, false))
            })
        } else {
            put.await
        };
        let puts = &self.breaker.0.puts;
        match &result {
            Ok(_) => puts.confirmed(records, began.elapsed()),
            Err(_) => puts.failed(),
        }
        match &result {
            Ok(_) => self.confirmed = true,
            Err(error) if self.probe && !self.breaker.with(State::reminds) => {
                tracing::debug!(error = %error, "a probe failed");
            }
            Err(error) => error.log(key, records),
        }
        result
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let Self {
            began_after,
            confirmed,
            ..
        } = *self;
        self.breaker.with(|state, now| {
            if confirmed {
                state.confirm(now);
            } else {
                state.fail(now, began_after);
            }
        });
    }
}
