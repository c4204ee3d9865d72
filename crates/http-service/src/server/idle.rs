//! Which connections are without a whole request, longest first: new, kept alive, or with a head or body that is half
//! sent.
//!
//! A request costs two writes to its own connection's state, and no lock: who has waited for longest is found out only
//! where somebody must give way.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::yield_now;

/// State of a connection with a request.
const BUSY: u64 = 0;
/// State of a connection that was asked to close.
const ASKED: u64 = 1;
/// The first place of those that are idle; the lower, the longer.
const FIRST: u64 = 2;

/// So many of the longest idle are looked up at once, so that a crowd of newcomers does not look at all connections for
/// each of them.
const LOOKED_UP: usize = 64;

#[derive(Debug, Clone, Default)]
pub(super) struct Idle(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Idle places given away so far.
    places: AtomicU64,
    /// Nobody could give way: whoever ends a request next does.
    wanted: AtomicBool,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    chairs: BTreeMap<u64, Arc<Chair>>,
    /// Those that were idle for longest, last first, with the places that they had then. Whoever became idle later has
    /// a higher place than all of them.
    longest: Vec<(u64, Arc<Chair>)>,
}

/// What is known of one connection.
#[derive(Debug)]
struct Chair {
    /// [`BUSY`], [`ASKED`], or its place among the idle.
    state: AtomicU64,
    go: Notify,
}

/// One connection's place among the others.
#[derive(Debug)]
pub(crate) struct Seat {
    idle: Idle,
    number: u64,
    chair: Arc<Chair>,
}

/// While it lives, the connection has a request.
#[derive(Debug)]
pub(super) struct Busy(Arc<Seat>);

impl Idle {
    pub(super) fn seat(&self) -> Arc<Seat> {
        let chair = Arc::new(Chair {
            state: AtomicU64::new(BUSY),
            go: Notify::new(),
        });
        let number = {
            let mut open = self.open();
            open.next += 1;
            let number = open.next;
            open.chairs.insert(number, Arc::clone(&chair));
            number
        };
        self.enter(&chair);
        Arc::new(Seat {
            idle: self.clone(),
            number,
            chair,
        })
    }

    /// Asks the connection to go that has been without a request for longest, or will be the first without one.
    pub(super) fn give_way(&self) {
        let mut open = self.open();
        while !open.ask_longest() {
            self.0.wanted.store(true, SeqCst);
            // One that became idle just before did not see the wish; one that sees it takes it back.
            if !open.has_idle() || !self.0.wanted.swap(false, SeqCst) {
                return;
            }
        }
    }

    /// There is room by now, whoever made it.
    pub(super) fn given_way(&self) {
        self.0.wanted.store(false, SeqCst);
    }

    /// The connection has no request.
    fn enter(&self, chair: &Chair) {
        let place = FIRST + self.0.places.fetch_add(1, Relaxed);
        chair.state.store(place, SeqCst);
        let wanted = self.0.wanted.load(SeqCst) && self.0.wanted.swap(false, SeqCst);
        if wanted && !chair.ask(place) {
            // Another wish met it first.
            self.give_way();
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Whether there was one to be asked.
    fn ask_longest(&mut self) -> bool {
        loop {
            while let Some((place, chair)) = self.longest.pop() {
                if chair.ask(place) {
                    return true;
                }
            }
            self.look_up();
            if self.longest.is_empty() {
                return false;
            }
        }
    }

    fn look_up(&mut self) {
        let places = self.chairs.values().map(|chair| (chair.place(), chair));
        let mut idle: Vec<_> = places.filter(|(place, _)| *place >= FIRST).collect();
        idle.sort_unstable_by_key(|(place, _)| *place);
        idle.truncate(LOOKED_UP);
        let longest_last = idle.into_iter().rev();
        self.longest
            .extend(longest_last.map(|(place, chair)| (place, Arc::clone(chair))));
    }

    fn has_idle(&self) -> bool {
        self.chairs.values().any(|chair| chair.place() >= FIRST)
    }
}

impl Chair {
    fn place(&self) -> u64 {
        self.state.load(SeqCst)
    }

    /// Whether it was still idle, and at that place.
    fn ask(&self, place: u64) -> bool {
        let asked = self.state.compare_exchange(place, ASKED, SeqCst, SeqCst);
        if asked.is_ok() {
            self.go.notify_one();
        }
        asked.is_ok()
    }
}

impl Seat {
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.stays();
        Busy(Arc::clone(self))
    }

    /// The request's body is on its way.
    pub(crate) fn may_give_way(&self) {
        self.idle.enter(&self.chair);
    }

    /// The request is whole.
    pub(crate) fn stays(&self) {
        self.chair.state.store(BUSY, Relaxed);
    }

    /// Returns once the connection is to go. One that just got a request lets the next one go in its place.
    pub(super) async fn asked_to_go(&self) {
        loop {
            self.chair.go.notified().await;
            // A request that has arrived by now is read first.
            yield_now().await;
            if self.chair.place() != BUSY {
                return;
            }
            self.idle.give_way();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // It may still be among those that were looked up.
        self.chair.state.store(BUSY, Relaxed);
        self.idle.open().chairs.remove(&self.number);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let Seat { idle, chair, .. } = &*self.0;
        idle.enter(chair);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::FutureExt as _;

    use super::*;

    /// Whether it goes once what has arrived is read.
    fn goes(seat: &Seat) -> bool {
        let mut going = pin!(seat.asked_to_go());
        (0..2).any(|_| going.as_mut().now_or_never().is_some())
    }

    #[test]
    fn who_has_no_request_for_longest_goes_first() {
        let idle = Idle::default();
        let seats: Vec<_> = (0..4).map(|_| idle.seat()).collect();
        // The first is at work, the second was just now.
        let _busy = seats[0].busy();
        drop(seats[1].busy());
        idle.give_way();
        assert_eq!(
            seats.iter().map(|s| goes(s)).collect::<Vec<_>>(),
            [false, false, true, false]
        );
        idle.give_way();
        assert_eq!(
            seats.iter().map(|s| goes(s)).collect::<Vec<_>>(),
            [false, false, false, true]
        );
        idle.give_way();
        assert_eq!(
            seats.iter().map(|s| goes(s)).collect::<Vec<_>>(),
            [false, true, false, false]
        );
    }

    #[test]
    fn where_all_are_at_work_the_first_to_end_goes() {
        let idle = Idle::default();
        let (one, two) = (idle.seat(), idle.seat());
        let (first, second) = (one.busy(), two.busy());
        idle.give_way();
        drop(second);
        assert!(goes(&two));
        drop(first);
        assert!(!goes(&one));
        let busy = one.busy();
        idle.give_way();
        idle.given_way();
        drop(busy);
        assert!(!goes(&one));
    }

    #[test]
    fn who_gets_a_request_lets_the_next_go() {
        let idle = Idle::default();
        let (one, two) = (idle.seat(), idle.seat());
        idle.give_way();
        let busy = one.busy();
        assert!(!goes(&one));
        assert!(goes(&two));
        drop(busy);
        assert!(!goes(&one));
    }

    #[test]
    fn who_waits_for_a_body_gives_way_until_it_is_there() {
        let idle = Idle::default();
        let (slow, whole) = (idle.seat(), idle.seat());
        let _busy = (slow.busy(), whole.busy());
        slow.may_give_way();
        whole.may_give_way();
        whole.stays();
        idle.give_way();
        assert!(goes(&slow));
        assert!(!goes(&whole));
    }

    #[test]
    fn who_is_gone_is_not_asked() {
        let idle = Idle::default();
        let seats: Vec<_> = (0..3).map(|_| idle.seat()).collect();
        idle.give_way();
        assert!(goes(&seats[0]));
        let mut seats = seats.into_iter().skip(1);
        drop(seats.next());
        idle.give_way();
        assert!(seats.next().is_some_and(|last| goes(&last)));
        assert!(idle.open().chairs.is_empty());
    }

    /// However many become idle and are wanted at one time, nobody is wanted for ever while one is idle.
    #[test]
    fn no_wish_is_lost() {
        let idle = Idle::default();
        for _ in 0..2_000 {
            let seat = idle.seat();
            let busy = seat.busy();
            std::thread::scope(|scope| {
                scope.spawn(|| drop(busy));
                idle.give_way();
            });
            assert!(goes(&seat));
            assert!(!idle.0.wanted.load(SeqCst));
        }
    }
}
