//! Knows whether S3 is away, so that payments are refused at once instead of waiting for PUTs that will fail
//! (promise P5).
//!
//! Closed, it lets everything through. It opens after failures in a row, or where PUTs hang and none is confirmed.
//! Open, it lets one PUT through at a time, as a probe; the first that S3 confirms, probe or not, closes it. It has
//! no task of its own: while nobody pays, nothing is probed.
//!
//! A PUT that S3 denies counts as a failure: it stores as little as one that S3 never saw, and each further try
//! would keep a client waiting and fill the log. A role that is mended is noticed by the next probe.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use payment_core::ObjectKey;
use tokio::time::{Instant, sleep_until, timeout};

use crate::log::{LogError, Put};

/// PUTs that fail in a row before it opens. Each has had tries of its own: one may be bad luck.
const FAILURES_TO_OPEN: u32 = 2;

/// It opens where PUTs are at work and none was confirmed for this long: the time of one try.
const SILENCE: Duration = Duration::from_secs(2);

/// From the end of a probe to the next.
const PROBE_PAUSE: Duration = Duration::from_millis(500);

/// A probe gets the time of one try, so that the clients in it do not wait for three.
const PROBE: Duration = Duration::from_secs(2);

/// While it is open, the reason is logged this often.
const REMINDER: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Default)]
pub struct Breaker(Arc<Mutex<State>>);

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
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    since: Instant,
    probing: bool,
    probe_at: Instant,
    remind_at: Instant,
}

/// Leave for one PUT. Dropped without S3's yes, it counts as a failure.
#[derive(Debug)]
pub struct Attempt {
    breaker: Breaker,
    probe: bool,
    /// What was confirmed when this began.
    began_after: u64,
    confirmed: bool,
}

impl Breaker {
    /// Whether it makes sense to queue a payment.
    pub fn admits(&self) -> bool {
        self.with(|state, now| state.open.as_ref().is_none_or(|open| open.probe_due(now)))
    }

    /// Leave for a PUT; none while S3 is away, but for the probe.
    pub fn begin(&self) -> Option<Attempt> {
        let (probe, began_after) = self.with(State::begin)?;
        Some(Attempt {
            breaker: self.clone(),
            probe,
            began_after,
            confirmed: false,
        })
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
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        state.notice_silence(now);
        act(&mut state, now)
    }
}

impl State {
    fn begin(&mut self, now: Instant) -> Option<(bool, u64)> {
        let probe = match &mut self.open {
            None => false,
            Some(open) if open.probe_due(now) => {
                open.probing = true;
                true
            }
            Some(_) => return None,
        };
        self.at_work += 1;
        self.silent_since.get_or_insert(now);
        Some((probe, self.confirmed))
    }

    fn confirm(&mut self, now: Instant) {
        self.at_work -= 1;
        self.silent_since = (self.at_work > 0).then_some(now);
        self.failures = 0;
        self.confirmed += 1;
        if let Some(open) = self.open.take() {
            let away_ms = (now - open.since).as_millis();
            tracing::info!(away_ms, "S3 is back: payments are taken again");
        }
    }

    fn fail(&mut self, now: Instant, probe: bool, began_after: u64) {
        self.at_work -= 1;
        if self.at_work == 0 {
            self.silent_since = None;
        }
        // One that began before another was confirmed says nothing of S3 as it is now.
        if began_after == self.confirmed {
            self.failures += 1;
        }
        match &mut self.open {
            Some(open) if probe => {
                open.probing = false;
                open.probe_at = now + PROBE_PAUSE;
            }
            Some(_) => {}
            None if self.failures >= FAILURES_TO_OPEN => self.open(now, now + PROBE_PAUSE),
            None => {}
        }
    }

    /// The next payment is the probe, since PUTs that hang may be bad luck.
    fn notice_silence(&mut self, now: Instant) {
        let silent = |since| now.saturating_duration_since(since) >= SILENCE;
        if self.open.is_none() && self.silent_since.is_some_and(silent) {
            self.open(now, now);
        }
    }

    fn open(&mut self, now: Instant, probe_at: Instant) {
        tracing::error!("S3 is away: payments are refused until it confirms one");
        self.open = Some(Open {
            since: now,
            probing: false,
            probe_at,
            remind_at: now + REMINDER,
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

impl Open {
    fn probe_due(&self, now: Instant) -> bool {
        !self.probing && now >= self.probe_at
    }
}

impl Attempt {
    /// Sees the PUT of an object with so many records through, and logs its failure.
    pub async fn run(
        mut self,
        key: &ObjectKey,
        records: usize,
        put: impl Future<Output = Result<Put, LogError>>,
    ) -> Result<Put, LogError> {
        let result = if self.probe {
            timeout(PROBE, put).await.unwrap_or_else(|_| {
                let detail = format!("no answer to a probe within {} s", PROBE.as_secs());
                Err(LogError::new("PUT", detail, false))
            })
        } else {
            put.await
        };
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
            probe,
            began_after,
            confirmed,
            ..
        } = *self;
        self.breaker.with(|state, now| {
            if confirmed {
                state.confirm(now);
            } else {
                state.fail(now, probe, began_after);
            }
        });
    }
}
