//! The payments that this node saw last, by client and id: repeats are answered from memory, and repeats in flight
//! share one outcome.
//!
//! It may forget: the database then finds the repeat (promise P2), and the client's answer is a second 202.

use std::sync::{Arc, Mutex, PoisonError};

use hashlink::LruCache;
use payment_core::{ContentHash, PaymentKey};

use crate::ticket::Ticket;

/// Ids kept, some 300 bytes each: 5 MiB, and 16 s at 1,000 payments a second. By then they are rows, and the look-up
/// in the database knows them.
const IDS_MAX: usize = 16_384;

/// Tickets of the most recent ids of this node.
#[derive(Debug)]
pub struct Recent(Mutex<LruCache<PaymentKey, Arc<Ticket>>>);

/// Who owns an id.
#[derive(Debug)]
pub enum Claim {
    /// The caller: it must see the payment through.
    New(Arc<Ticket>),
    /// An earlier request, whose outcome is or will be on the ticket.
    Known(Arc<Ticket>),
}

impl Recent {
    pub fn new() -> Self {
        Self::with_capacity(IDS_MAX)
    }

    fn with_capacity(ids_max: usize) -> Self {
        Self(Mutex::new(LruCache::new(ids_max)))
    }

    /// Claims an id. One whose payment failed is free again.
    pub fn claim(&self, payment: &PaymentKey, content_hash: ContentHash) -> Claim {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ticket) = ids.get(payment)
            && !matches!(ticket.settled(), Some(Err(_)))
        {
            return Claim::Known(Arc::clone(ticket));
        }
        let ticket = Ticket::new(content_hash);
        ids.insert(payment.clone(), Arc::clone(&ticket));
        Claim::New(ticket)
    }

    /// Forgets a claim of which nothing was kept, so that refused payments push no accepted ones out.
    pub fn release(&self, payment: &PaymentKey, ticket: &Arc<Ticket>) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ids
            .peek(payment)
            .is_some_and(|held| Arc::ptr_eq(held, ticket))
        {
            ids.remove(payment);
        }
    }

    /// Puts what the row says in the place of what this node took, unless the id has another owner by now.
    pub fn correct(&self, payment: &PaymentKey, ticket: &Arc<Ticket>, row: &Arc<Ticket>) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ids
            .peek(payment)
            .is_some_and(|held| Arc::ptr_eq(held, ticket))
        {
            ids.insert(payment.clone(), Arc::clone(row));
        }
    }

    /// Returns the ticket of an id that this node has seen recently.
    pub fn find(&self, payment: &PaymentKey) -> Option<Arc<Ticket>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(payment)
            .cloned()
    }
}

impl Default for Recent {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::Failure;

    fn id(text: &str) -> PaymentKey {
        of_client(text, "")
    }

    fn of_client(id: &str, client: &str) -> PaymentKey {
        PaymentKey::from_stored(id, client).unwrap()
    }

    fn hash(byte: u8) -> ContentHash {
        ContentHash::from_bytes(&[byte; 32]).unwrap()
    }

    #[test]
    fn p4_an_id_has_one_owner_until_its_payment_fails() {
        let recent = Recent::new();
        let Claim::New(first) = recent.claim(&id("a"), hash(1)) else {
            panic!("the first claim is new")
        };
        let Claim::Known(same) = recent.claim(&id("a"), hash(2)) else {
            panic!("the second is not")
        };
        assert!(Arc::ptr_eq(&first, &same));
        assert_eq!(same.content_hash(), hash(1));
        first.settle(Err(Failure::Unconfirmed));
        assert!(matches!(recent.claim(&id("a"), hash(2)), Claim::New(_)));
    }

    #[test]
    fn p10_an_id_is_each_clients_own() {
        let recent = Recent::new();
        for client in ["", "shop", "other"] {
            let claim = recent.claim(&of_client("a", client), hash(1));
            assert!(matches!(claim, Claim::New(_)), "{client}");
        }
        assert!(recent.find(&of_client("a", "stranger")).is_none());
    }

    #[test]
    fn p5_memory_is_bounded_and_the_oldest_goes_first() {
        let recent = Recent::with_capacity(2);
        for name in ["a", "b", "c"] {
            recent.claim(&id(name), hash(1));
        }
        assert!(recent.find(&id("a")).is_none());
        assert!(recent.find(&id("b")).is_some() && recent.find(&id("c")).is_some());
    }
    #[test]
    fn p4_what_was_refused_pushes_no_accepted_id_out() {
        let recent = Recent::with_capacity(2);
        recent.claim(&id("accepted"), hash(1));
        for name in ["b", "c", "d"] {
            let Claim::New(ticket) = recent.claim(&id(name), hash(1)) else {
                panic!("{name} is new")
            };
            recent.release(&id(name), &ticket);
        }
        let other = Ticket::new(hash(1));
        recent.release(&id("accepted"), &other);
        assert!(recent.find(&id("accepted")).is_some());
        assert!(recent.find(&id("d")).is_none());
    }
}
