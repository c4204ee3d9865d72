//! Backoff before a part that died is restarted.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// A part that ran this long before it died is not in a crash loop.
const STEADY: Duration = Duration::from_secs(10);

/// A delay that doubles with every death.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Self(FIRST)
    }

    /// Returns the delay after a run of `lived`.
    pub(super) fn after(&mut self, lived: Duration) -> Duration {
        if lived >= STEADY {
            self.0 = FIRST;
        }
        let wait = self.0;
        self.0 = LONGEST.min(self.0 * 2);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_its_limit_and_resets_after_a_steady_run() {
        let mut backoff = Backoff::new();
        let waits: Vec<_> = (0..7)
            .map(|_| backoff.after(Duration::ZERO).as_millis())
            .collect();
        assert_eq!(waits, [200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff.after(STEADY), FIRST);
    }
}
