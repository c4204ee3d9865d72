//! Room for requests at work. A request gives its own back for as long as its body is on its way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Extensions;
use payment_core::ErrorCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Refusal;
use crate::server::Seat;

/// One request's share of what may be at work at one time; given back with the last clone.
#[derive(Debug, Clone)]
pub(super) struct Slot(Arc<Share>);

#[derive(Debug)]
struct Share {
    slots: Arc<Semaphore>,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Slot {
    /// A slot of `slots`, unless all are taken.
    pub(super) fn take(slots: &Arc<Semaphore>) -> Option<Self> {
        let permit = permit_of(slots)?;
        Some(Self(Arc::new(Share {
            slots: Arc::clone(slots),
            permit: Mutex::new(Some(permit)),
        })))
    }

    fn give_back(&self) {
        self.permit().take();
    }

    fn take_again(&self) -> Result<(), Refusal> {
        let permit = permit_of(&self.0.slots).ok_or_else(overloaded)?;
        *self.permit() = Some(permit);
        Ok(())
    }

    fn permit(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.0.permit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn permit_of(slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(slots).try_acquire_owned().ok()
}

/// What the client of one request too many is told.
pub(super) fn overloaded() -> Refusal {
    Refusal::new(
        ErrorCode::Overloaded,
        "send it again in a moment, under the same id",
    )
}

/// A request whose body is on its way. It holds no slot, and once it is slow its connection gives way like one without a
/// request: however many send slowly, those that are whole are served.
pub(super) struct Waiting<'a> {
    slot: Option<&'a Slot>,
    seat: Option<&'a Arc<Seat>>,
}

impl<'a> Waiting<'a> {
    pub(super) fn begin(extensions: &'a Extensions) -> Self {
        let slot: Option<&Slot> = extensions.get();
        if let Some(slot) = slot {
            slot.give_back();
        }
        let seat = extensions.get();
        Self { slot, seat }
    }

    pub(super) fn is_slow(&self) {
        if let Some(seat) = self.seat {
            seat.may_give_way();
        }
    }

    /// The body is there.
    pub(super) fn end(self) -> Result<(), Refusal> {
        if let Some(seat) = self.seat {
            seat.stays();
        }
        self.slot.map_or(Ok(()), Slot::take_again)
    }
}
