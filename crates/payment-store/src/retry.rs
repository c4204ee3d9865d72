//! When work that failed for a passing reason is tried again.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::backend::Backend;
use crate::error::Error;

/// Many, since of two transactions in a deadlock only one gets through.
const TRIES_MAX: u32 = 10;

/// No try starts later. A failover takes longer, and is waited for by the caller's own retries.
const START_WITHIN: Duration = Duration::from_secs(20);

/// Longest pause after the first try; it doubles with each. A deadlock is over in the time of one transaction.
const PAUSE_FIRST: Duration = Duration::from_millis(20);

const PAUSE_MAX: Duration = Duration::from_secs(1);

/// The tries of one call.
pub(crate) struct Tries {
    started: Instant,
    failed: u32,
}

impl Tries {
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            failed: 0,
        }
    }

    /// Waits until the next try, or returns the error if there is no next try.
    pub async fn after(&mut self, error: Error, backend: &impl Backend) -> Result<(), Error> {
        self.failed += 1;
        let pause = backend.pause(pause_max(self.failed));
        let in_time = self.started.elapsed() + pause <= START_WITHIN;
        if !error.is_transient() || self.failed >= TRIES_MAX || !in_time {
            return Err(error);
        }
        tracing::info!(tries = self.failed, %error, "the database is to be tried again");
        sleep(pause).await;
        Ok(())
    }
}

fn pause_max(failed: u32) -> Duration {
    let doubled = 1_u32
        .checked_shl(failed.saturating_sub(1))
        .unwrap_or(u32::MAX);
    PAUSE_FIRST.saturating_mul(doubled).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Database, MySqlBackend};

    fn backend() -> MySqlBackend {
        let database = Database::parse("mysql://root@127.0.0.1/payments", None).unwrap();
        MySqlBackend::new(database.pool(1))
    }

    #[tokio::test]
    async fn pauses_grow_to_their_bound() {
        assert_eq!(pause_max(1), PAUSE_FIRST);
        assert_eq!(pause_max(2), PAUSE_FIRST * 2);
        assert_eq!(pause_max(9), PAUSE_MAX);
        assert_eq!(pause_max(1000), PAUSE_MAX);
        let backend = backend();
        assert!((1..100).all(|failed| backend.pause(pause_max(failed)) <= pause_max(failed)));
    }

    #[tokio::test]
    async fn only_passing_errors_are_tried_again_and_not_for_ever() {
        let backend = backend();
        let lasting = Tries::start()
            .after(Error::KeyTooLong { chars: 701 }, &backend)
            .await;
        assert!(matches!(lasting, Err(Error::KeyTooLong { chars: 701 })));

        let mut tries = Tries::start();
        tries.failed = TRIES_MAX - 2;
        assert!(
            tries
                .after(sqlx::Error::PoolTimedOut.into(), &backend)
                .await
                .is_ok()
        );
        assert!(
            tries
                .after(sqlx::Error::PoolTimedOut.into(), &backend)
                .await
                .is_err()
        );

        let mut tries = Tries::start();
        tries.started -= START_WITHIN;
        assert!(
            tries
                .after(sqlx::Error::PoolTimedOut.into(), &backend)
                .await
                .is_err()
        );
    }
}
