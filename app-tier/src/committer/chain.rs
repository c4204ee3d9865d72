//! The chain of this process's batches: what the next header names, and when one has to be put for its own sake.
//!
//! Locked by the committer and its PUTs alone, for as long as it takes to copy a list: no request waits for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use payment_core::Timestamp;
use payment_core::chain::{Node, ObjectHash, Purpose, Run, RunId, Sealed};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

/// A process that puts nothing for so long names what is unnamed, so that a quiet node leaves nothing open for hours.
const IDLE: Duration = Duration::from_secs(10);

/// Shared by the committer and its PUTs.
#[derive(Debug, Clone)]
pub(super) struct Chain(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// A PUT was settled.
    settled: Notify,
}

#[derive(Debug)]
struct State {
    run: Run,
    /// When an object was sealed or settled last.
    touched_at: Instant,
    /// When each object was sealed whose PUT is at work.
    at_work: BTreeMap<u64, (Timestamp, Instant)>,
}

/// An object's place in the chain. Dropped without S3's confirmation, the object is named as unconfirmed.
#[derive(Debug)]
pub(super) struct InChain {
    chain: Chain,
    /// Taken when it is settled.
    sealed: Option<Sealed>,
    /// The UUID in its key, and the hash of its body.
    key: Uuid,
    sha256: ObjectHash,
}

impl Chain {
    pub fn start(run: RunId, node: Node) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                run: Run::new(run, node),
                touched_at: Instant::now(),
                at_work: BTreeMap::new(),
            }),
            settled: Notify::new(),
        }))
    }

    /// The next object's header. The object is to be [written](Self::written) whatever happens: its number is taken.
    pub fn seal(&self, purpose: Purpose, clock: Timestamp) -> Sealed {
        let mut state = self.lock();
        let now = Instant::now();
        state.touched_at = now;
        let clock = state.steady(clock, now);
        let sealed = state.run.seal(purpose, clock);
        state.at_work.insert(sealed.header().seq, (clock, now));
        sealed
    }

    /// The object of this header, as it will be put.
    pub fn written(&self, sealed: Sealed, key: Uuid, sha256: ObjectHash) -> InChain {
        InChain {
            chain: self.clone(),
            sealed: Some(sealed),
            key,
            sha256,
        }
    }

    /// Returns once the run has been idle with payments that no header names.
    pub async fn idle(&self) {
        loop {
            let settled = self.0.settled.notified();
            let due_at = {
                let state = self.lock();
                state.run.is_owing().then_some(state.touched_at + IDLE)
            };
            match due_at {
                Some(at) if at <= Instant::now() => return,
                Some(at) => sleep_until(at).await,
                None => settled.await,
            }
        }
    }

    /// The idle time begins again: nothing can be put now.
    pub fn put_off(&self) {
        self.lock().touched_at = Instant::now();
    }

    /// Size of the next header, in bytes, at the most.
    pub fn header_bytes(&self) -> usize {
        self.lock().run.header_bytes()
    }

    /// What is to be put next so that the run ends; `None` if it never put anything.
    pub fn closing(&self) -> Option<Purpose> {
        let run = &self.lock().run;
        let purpose = if run.fits_one_header() {
            Purpose::End
        } else {
            Purpose::Seal
        };
        run.has_begun().then_some(purpose)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let state = &self.0.state;
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The clock, but for a step since the oldest PUT at work began: by the times in headers, a reader tells which PUTs
    /// had to be settled when a header was sealed.
    fn steady(&self, clock: Timestamp, now: Instant) -> Timestamp {
        let Some((sealed_at, began)) = self.at_work.values().next() else {
            return clock;
        };
        let passed = now.saturating_duration_since(*began);
        let steady = sealed_at
            .to_utc()
            .saturating_add(passed.try_into().unwrap_or_default());
        clock.min(Timestamp::new(steady))
    }
}

impl InChain {
    /// S3 holds the object.
    pub fn confirm(mut self) {
        self.settle(Run::confirmed);
    }

    fn settle(&mut self, settle: impl FnOnce(&mut Run, Sealed, Uuid, ObjectHash)) {
        if let Some(sealed) = self.sealed.take() {
            let mut state = self.chain.lock();
            state.touched_at = Instant::now();
            state.at_work.remove(&sealed.header().seq);
            settle(&mut state.run, sealed, self.key, self.sha256);
            self.chain.0.settled.notify_one();
        }
    }
}

impl Drop for InChain {
    fn drop(&mut self) {
        self.settle(Run::unconfirmed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// A clock that is set while a PUT is at work, as after a machine was suspended: the PUT is not late for that.
    #[tokio::test(start_paused = true)]
    async fn p11_a_step_of_the_clock_does_not_make_a_put_late() {
        let unique = Uuid::from_u128(0x019a_b0f2_77aa_7c11_8e11_9d0f_a1c2_b3d4);
        let chain = Chain::start(RunId::new(unique).unwrap(), Node::new(1));
        let at = |text| Timestamp::parse(text).unwrap();
        let sealed = |clock| {
            let sealed = chain.seal(Purpose::Payments, at(clock));
            let clock = sealed.header().clock;
            let hash = ObjectHash::of(b"");
            (chain.written(sealed, unique, hash), clock)
        };
        let (slow, _) = sealed("2026-11-22T07:30:00Z");
        advance(Duration::from_secs(2)).await;
        let (quick, clock) = sealed("2026-11-22T07:32:00Z");
        assert_eq!(clock, at("2026-11-22T07:30:02Z"));
        slow.confirm();
        let (third, clock) = sealed("2026-11-22T07:32:00Z");
        assert_eq!(clock, at("2026-11-22T07:30:02Z"), "by the one before");
        quick.confirm();
        third.confirm();
        let (_last, clock) = sealed("2026-11-22T07:32:01Z");
        assert_eq!(clock, at("2026-11-22T07:32:01Z"));
    }
}
