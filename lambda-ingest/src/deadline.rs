//! The time that one run of the function has.

use std::time::Duration;

use payment_core::Timestamp;

/// Says what time it is.
pub type Clock = fn() -> Timestamp;

/// No object is begun, and no page listed, this shortly before the deadline. One object takes milliseconds, and
/// seconds if the database is slow.
const MARGIN: Duration = Duration::from_secs(5);

/// An object that is at work this shortly before the deadline is cut off: what follows is to note it.
const CUT: Duration = Duration::from_secs(2);

/// Nothing at all goes on longer: the answer, the metrics and the log take the rest.
const LAST: Duration = Duration::from_millis(500);

/// Until when work may begin, and until when it may go on. Without a deadline there is no end to either.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    clock: Clock,
    begin_until: Option<Timestamp>,
    end: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Time {
    pub fn until(deadline: Option<Timestamp>, clock: Clock) -> Self {
        let before = |margin| deadline.map(|at| Timestamp::new(at.to_utc() - margin));
        Self {
            clock,
            begin_until: before(MARGIN),
            end: before(CUT),
            last: before(LAST),
        }
    }

    /// Whether work may begin.
    pub fn is_left(&self) -> bool {
        self.begin_until.is_none_or(|until| (self.clock)() < until)
    }

    /// The same time, of which only so many hundredths are left to begin work in.
    #[must_use]
    pub fn hundredths(self, share: u32) -> Self {
        let now = (self.clock)();
        let shared = |until: Timestamp| {
            let left = (until.to_utc() - now.to_utc()).max(time::Duration::ZERO);
            Timestamp::new(now.to_utc() + left * share / 100)
        };
        Self {
            begin_until: self.begin_until.map(shared),
            ..self
        }
    }

    /// Does the work on an object, or cuts it off: `None`.
    pub async fn within<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.cut_at(self.end, work).await
    }

    /// Does all the work of a run, or cuts it off: `None`.
    pub async fn to_the_last<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.cut_at(self.last, work).await
    }

    async fn cut_at<T>(&self, end: Option<Timestamp>, work: impl Future<Output = T>) -> Option<T> {
        let Some(end) = end else {
            return Some(work.await);
        };
        let left = end.to_utc() - (self.clock)().to_utc();
        let left = left.try_into().unwrap_or(Duration::ZERO);
        tokio::time::timeout(left, work).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        Timestamp::parse("2026-11-26T12:00:00Z").unwrap()
    }

    fn deadline(text: &str) -> Time {
        Time::until(Timestamp::parse(text), noon)
    }

    #[test]
    fn work_begins_only_well_before_the_deadline() {
        assert!(Time::until(None, noon).is_left());
        assert!(deadline("2026-11-26T12:00:06Z").is_left());
        assert!(!deadline("2026-11-26T12:00:05Z").is_left());
        assert!(deadline("2026-11-26T12:01:00Z").hundredths(1).is_left());
        assert!(!deadline("2026-11-26T12:00:00Z").hundredths(50).is_left());
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_goes_on_is_cut_off_before_the_deadline() {
        let time = deadline("2026-11-26T12:01:00Z");
        let sleep = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
        assert!(time.within(sleep(57)).await.is_some());
        assert!(time.to_the_last(sleep(59)).await.is_some());
        assert!(time.within(sleep(59)).await.is_none());
        assert!(time.to_the_last(sleep(60)).await.is_none());
        assert!(Time::until(None, noon).within(sleep(3600)).await.is_some());
    }
}
