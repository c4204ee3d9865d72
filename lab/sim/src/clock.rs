//! The simulated time: a fixed beginning, plus what the runtime's clock has advanced since.

use std::cell::Cell;
use std::time::Duration;

use payment_core::Timestamp;
use tokio::time::Instant;

/// 2026-11-22T06:58:00Z: two minutes before the journal's next hour begins.
const BEGIN_MS: i64 = 1_795_330_680_000;

thread_local! {
    /// When this thread's run began: one thread is one run.
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Begins a run on this thread.
pub(crate) fn begin() {
    BEGAN.set(Some(Instant::now()));
}

pub fn since_begin() -> Duration {
    BEGAN
        .get()
        .map_or(Duration::ZERO, |began| Instant::now() - began)
}

pub fn ms() -> u64 {
    u64::try_from(since_begin().as_millis()).unwrap_or(u64::MAX)
}

pub fn now() -> Timestamp {
    skewed(0)
}

/// A machine's clock that is wrong by `by_ms`.
pub fn skewed(by_ms: i64) -> Timestamp {
    let ms = i64::try_from(ms()).unwrap_or(i64::MAX);
    Timestamp::from_unix_millis(BEGIN_MS + ms + by_ms).unwrap_or(Timestamp::EPOCH)
}
