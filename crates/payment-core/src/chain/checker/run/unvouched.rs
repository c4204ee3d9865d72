//! Numbers that nobody vouches for any more. A hole takes what vouched for all numbers before it, so they are told as
//! spans, however many they are.

use super::super::fault::{Fault, Unvouched, What};
use super::super::object::Name;
use super::super::view::View;
use super::Run;

/// Numbers next to each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers {
    first: u64,
    last: u64,
    objects: u64,
    /// The objects with the lowest and the highest of the numbers; if there are none, the one behind them.
    from: Name,
    to: Name,
}

impl Numbers {
    /// The number of an object.
    pub fn of(seq: u64, object: Name) -> Self {
        Self {
            objects: 1,
            ..Self::before(object, seq, seq)
        }
    }

    /// Numbers of which no object is known before this one.
    pub fn before(object: Name, first: u64, last: u64) -> Self {
        Self {
            first,
            last,
            objects: 0,
            from: object,
            to: object,
        }
    }

    /// Whether they lie below, and belong to what is judged.
    pub fn is_certain(&self, view: &View, below: u64) -> bool {
        self.last < below && view.is_judged(self.from)
    }

    /// Takes in higher numbers; whether they were next to these.
    fn join(&mut self, higher: &Self) -> bool {
        let is_next = higher.first <= self.last.saturating_add(1);
        if is_next {
            self.last = self.last.max(higher.last);
            if self.objects == 0 {
                self.from = higher.from;
            }
            if self.objects == 0 || higher.objects > 0 {
                self.to = higher.to;
            }
            self.objects += higher.objects;
        }
        is_next
    }
}

impl Run {
    /// Takes numbers in rising order, and tells of those that no more can follow: all below `below` were taken.
    pub(super) fn tell_unvouched(
        &mut self,
        view: &View,
        numbers: impl Iterator<Item = Numbers>,
        below: u64,
        faults: &mut Vec<Fault>,
    ) {
        for next in numbers {
            let last = self.unvouched.as_mut();
            if !last.is_some_and(|last| last.join(&next)) {
                let told = self.unvouched.replace(next);
                faults.extend(told.and_then(|told| self.unvouched_fault(view, &told)));
            }
        }
        let told = self
            .unvouched
            .take_if(|numbers| numbers.last.saturating_add(1) < below);
        faults.extend(told.and_then(|told| self.unvouched_fault(view, &told)));
    }

    fn unvouched_fault(&self, view: &View, numbers: &Numbers) -> Option<Fault> {
        let what = What::Unvouched(Unvouched {
            first: numbers.first,
            last: numbers.last,
            objects: numbers.objects,
            last_object: numbers.to.key(&view.prefix)?,
        });
        self.fault(view, [numbers.from; 2], numbers.first, what)
    }
}
