//! Objects of a number that no header names: which of them may be right.

use std::collections::BTreeSet;

use super::super::super::fault::{Inserted, What};
use super::super::super::object::Name;
use super::super::behind::{Behind, silence};
use super::super::unvouched::Numbers;
use super::super::{Claim, Slot};
use super::{IN_FLIGHT_MAX, Pass};

impl Pass<'_> {
    /// The objects of a number that no header names.
    pub(super) fn unnamed(&mut self, seq: u64, slot: &Slot) {
        let mut is_outside = false;
        let mut possible = Vec::new();
        for claim in &slot.claims {
            let silence = silence(&self.behind, Some(claim.clock));
            is_outside |= silence.is_outside;
            match silence.broken_by.filter(|_| !silence.is_outside) {
                Some(by) => self.never_named(seq, [claim.name, by], silence.is_lost),
                None => possible.push(claim),
            }
        }
        if possible.is_empty() {
            self.hole(Behind::Lost);
            return;
        }
        let only = self.only_one(seq, &possible);
        if let (Some(claim), Some(what)) = (only, self.run.passed(seq)) {
            self.accuse(seq, [claim.name; 2], what);
        }
        if is_outside {
            if let Some(claim) = only {
                self.trust(seq, claim);
            }
            return;
        }
        let Some(claim) = only else {
            self.undecide(seq);
            return;
        };
        // One far from all others is not to accuse them. A full header left the numbers between to the next.
        let is_near = claim.is_full || self.follows(seq);
        // Nobody names the end of a run.
        if !(is_near && claim.is_end && self.behind.is_empty()) {
            // Nothing vouches for what it says of the numbers before it.
            self.undecide(self.behind_the_last_object(seq));
            self.open += u64::from(self.view.is_judged(claim.name));
        }
        if is_near {
            if self.is_behind_an_end {
                self.unheard.insert(claim.name);
            }
            self.trust(seq, claim);
        }
    }

    /// A header leaves out an object that it had to name, unless one that can't be read did.
    fn never_named(&mut self, seq: u64, [name, by]: [Name; 2], is_lost: bool) {
        if let Some(what) = self.run.passed(seq).filter(|_| is_lost) {
            self.accuse(seq, [name; 2], what);
        } else if !is_lost && !self.view.is_unread_of(name) {
            if let Some(key) = by.key(&self.view.prefix) {
                let why = Inserted::NeverNamed(key);
                self.accuse(seq, [name, by], What::Inserted(why));
            }
        } else if self.accused.insert(name) {
            self.unvouched.push(Numbers::of(seq, name));
        }
    }

    /// The one object that may have the number. Of several, those go out that a header of the others gives another
    /// number; if that does not decide it, each is named.
    fn only_one<'s>(&mut self, seq: u64, claims: &[&'s Claim]) -> Option<&'s Claim> {
        if let [only] = claims {
            return Some(only);
        }
        let named_by = |claim: &&Claim| self.named_by_rivals.get(&claim.name).into_iter().flatten();
        let renumbered: BTreeSet<_> = claims.iter().flat_map(named_by).collect();
        let is_right = |claim: &&Claim| !renumbered.contains(&claim.name);
        let right: Vec<_> = claims.iter().copied().filter(is_right).collect();
        let only = match right.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        for (claim, rival) in claims.iter().zip(claims.iter().cycle().skip(1)) {
            let other = only.unwrap_or(rival).name;
            if other == claim.name {
                continue;
            }
            if let Some(key) = other.key(&self.view.prefix) {
                let why = match only {
                    Some(_) => Inserted::Renumbered(key),
                    None => Inserted::Twice(key),
                };
                self.accuse(seq, [claim.name, other], What::Inserted(why));
            }
        }
        // Copies of one object say the same.
        let first = claims.first().copied();
        let is_copy = |claim: &&Claim| Some(claim.sha256) == first.map(|first| first.sha256);
        let only = only.or(first.filter(|_| claims.iter().all(is_copy)));
        if only.is_none() {
            self.hole(Behind::Lost);
        }
        only
    }

    /// The number behind the highest lower one that has an object.
    fn behind_the_last_object(&self, seq: u64) -> u64 {
        let mut before = self.run.slots.range(..seq).rev();
        let before = before.find(|(_, slot)| !slot.claims.is_empty());
        let before = before.map(|(before, _)| before + 1);
        before.or(self.run.below).unwrap_or(0).min(seq)
    }

    /// Whether the numbers before are known, but for those that may have been in flight.
    fn follows(&self, seq: u64) -> bool {
        let before = self.run.slots.range(..seq).next_back();
        let before = before.map(|(before, _)| *before).or(self.run.below);
        before.is_none_or(|before| seq - before <= IN_FLIGHT_MAX)
    }
}
