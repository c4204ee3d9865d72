//! Which connections are without a request, longest first: new, kept alive, or with a head that is half sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

#[derive(Debug, Clone, Default)]
pub(super) struct Idle(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    /// Nobody could give way: whoever ends a request next does.
    wanted: bool,
    /// By the order in which their last request ended.
    seats: BTreeMap<u64, Arc<Notify>>,
}

/// One connection's place among the others.
#[derive(Debug)]
pub(super) struct Seat {
    idle: Idle,
    go: Arc<Notify>,
    /// Its place in the order; none while it has a request, or once it was asked to go.
    place: Mutex<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Idle(u64),
    Busy,
}

/// While it lives, the connection has a request.
#[derive(Debug)]
pub(super) struct Busy(Arc<Seat>);

impl Idle {
    pub(super) fn seat(&self) -> Arc<Seat> {
        let go = Arc::new(Notify::new());
        let place = self.enter(&go);
        Arc::new(Seat {
            idle: self.clone(),
            go,
            place: Mutex::new(place),
        })
    }

    /// Asks the connection to go that has been without a request for longest, or will be the first without one.
    pub(super) fn give_way(&self) {
        let mut waiting = self.waiting();
        match waiting.seats.pop_first() {
            Some((_, go)) => go.notify_one(),
            None => waiting.wanted = true,
        }
    }

    /// There is room by now, whoever made it.
    pub(super) fn given_way(&self) {
        self.waiting().wanted = false;
    }

    fn enter(&self, go: &Arc<Notify>) -> Place {
        let mut waiting = self.waiting();
        let place = waiting.next;
        waiting.next += 1;
        if std::mem::take(&mut waiting.wanted) {
            go.notify_one();
        } else {
            waiting.seats.insert(place, Arc::clone(go));
        }
        Place::Idle(place)
    }

    fn leave(&self, place: Place) {
        if let Place::Idle(place) = place {
            self.waiting().seats.remove(&place);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        let mut place = self.place();
        self.idle.leave(*place);
        *place = Place::Busy;
        Busy(Arc::clone(self))
    }

    /// Returns once the connection is to go. One that just got a request lets the next one go in its place.
    pub(super) async fn asked_to_go(&self) {
        loop {
            self.go.notified().await;
            if *self.place() != Place::Busy {
                return;
            }
            self.idle.give_way();
        }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.idle.leave(*self.place());
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let seat = &self.0;
        *seat.place() = seat.idle.enter(&seat.go);
    }
}
