//! What is right about a run's numbers, decided from the last to the first.

mod unnamed;

use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;

use super::super::fault::{Fault, Inserted, What};
use super::super::object::Name;
use super::super::view::View;
use super::behind::{Behind, Sealed, silence};
use super::unvouched::Numbers;
use super::{Claim, Fate, ObjectHash, Run, Slot, Stated, began};

/// More numbers than that are never at work at one time.
const IN_FLIGHT_MAX: u64 = 1024;

/// The pass over a run: what is known of the numbers behind the one at work.
struct Pass<'a> {
    run: &'a Run,
    view: &'a View,
    is_final: bool,
    /// The number of each object.
    numbers: BTreeMap<Name, u64>,
    /// Of objects that share a number with others: whom their headers name.
    named_by_rivals: BTreeMap<Name, Vec<Name>>,
    /// Headers that count.
    trusted: BTreeSet<(u64, Name)>,
    /// The nearest is last.
    behind: Vec<Behind>,
    /// The number behind, with its object.
    next: Option<(u64, Name)>,
    /// By the numbers that they are certain with; of those of one object the first certain one is told.
    faults: Vec<(u64, Option<Name>, Fault)>,
    /// From the highest to the lowest.
    unvouched: Vec<Numbers>,
    accused: BTreeSet<Name>,
    /// Headers behind an end for which nothing vouches: they accuse nobody.
    unheard: BTreeSet<Name>,
    is_behind_an_end: bool,
    /// What is not there, by the word of headers that do not count: its number, the header, and its hash.
    doubts: BTreeMap<Name, (u64, Name, ObjectHash)>,
    /// The lowest number that a later header may still explain.
    undecided: Option<u64>,
    open: u64,
    has_outside: bool,
    ended_with: Option<(u64, Name)>,
    /// The number of the object that is asked for, and who vouches for it.
    vouchers: Option<(u64, Vec<Name>)>,
}

impl Run {
    /// Judges the numbers that are old enough, or at the end all, and forgets what is decided.
    pub fn judge(&mut self, view: &View, is_final: bool, faults: &mut Vec<Fault>) {
        let mut pass = Pass::new(self, view, is_final);
        let end = self.undisputed_end();
        if let Some(end) = end {
            pass.behind_the_end(end);
        }
        let last = end.map_or(u64::MAX, |(end, _)| end);
        for (seq, slot) in self.slots.range(..=last).rev() {
            pass.number(*seq, slot);
        }
        pass.begin();
        pass.tell_doubts();
        let settled = self.settled(view);
        let below = match pass.undecided {
            _ if is_final => u64::MAX,
            Some(undecided) => settled.min(undecided),
            None => settled,
        };
        let vouchers = pass.vouchers.filter(|(seq, _)| *seq < below);
        let (open, ended_with) = (pass.open, pass.ended_with);
        let has_outside = pass.has_outside;
        let mut told = BTreeSet::new();
        let certain = pass
            .faults
            .into_iter()
            .filter(|(seq, name, _)| *seq < below && name.is_none_or(|name| told.insert(name)));
        faults.extend(certain.map(|(.., fault)| fault));
        let unvouched = pass.unvouched.into_iter().rev();
        let unvouched = unvouched.filter(|numbers| numbers.is_certain(view, below));
        self.tell_unvouched(view, unvouched, below, faults);
        self.ended_with = self
            .ended_with
            .or(ended_with.filter(|(end, _)| *end < below));
        if let Some((_, vouchers)) = vouchers {
            self.vouchers = vouchers;
        }
        self.open = open;
        self.has_outside |= has_outside;
        self.is_judged_silent = true;
        let first = self.slots.first_key_value().map(|(first, _)| *first);
        if first.is_some_and(|first| first < below) {
            let open = self.slots.split_off(&below);
            let decided = std::mem::replace(&mut self.slots, open);
            for seq in decided.into_keys() {
                self.decided.insert(seq);
            }
            self.below = Some(below);
        }
    }

    /// The first end that no other object takes the number of: what is behind it has no say in what is right before it. One
    /// that the run had passed before the span is none: what names its number lies there.
    fn undisputed_end(&self) -> Option<(u64, Name)> {
        self.slots.iter().find_map(|(seq, slot)| {
            let [only] = slot.claims.as_slice() else {
                return None;
            };
            let is_end = only.is_end
                && self.passed(*seq).is_none()
                && slot.stated.iter().all(|stated| stated.fate.is_of(only));
            is_end.then_some((*seq, only.name))
        })
    }

    /// The first number that is too young to be judged.
    fn settled(&self, view: &View) -> u64 {
        let is_young = |slot: &Slot| {
            let mut claims = slot.claims.iter();
            claims.any(|claim| !view.is_settled(claim.clock))
                || slot
                    .stated
                    .iter()
                    .any(|stated| view.is_ahead(stated.fate.name))
        };
        let mut young = self.slots.iter().filter(|(_, slot)| is_young(slot));
        let after_all = || self.slots.last_key_value().map_or(0, |(last, _)| last + 1);
        young.next().map_or_else(after_all, |(seq, _)| *seq)
    }
}

impl<'a> Pass<'a> {
    fn new(run: &'a Run, view: &'a View, is_final: bool) -> Self {
        Self {
            run,
            view,
            is_final,
            numbers: run.numbers(),
            named_by_rivals: run.named_by_rivals(),
            trusted: BTreeSet::new(),
            behind: Vec::new(),
            next: None,
            faults: Vec::new(),
            unvouched: Vec::new(),
            accused: BTreeSet::new(),
            unheard: BTreeSet::new(),
            is_behind_an_end: false,
            doubts: BTreeMap::new(),
            undecided: None,
            open: 0,
            has_outside: false,
            ended_with: None,
            vouchers: None,
        }
    }

    fn number(&mut self, seq: u64, slot: &Slot) {
        let stated = slot.stated.iter();
        let mut stated: Vec<_> = stated
            .filter(|stated| self.trusted.contains(&stated.by))
            .copied()
            .collect();
        // Of headers that contradict each other, more objects vouch for the earlier one.
        stated.sort_unstable_by_key(|stated| stated.by.0);
        let named = stated.first().copied();
        let claimed = slot.claims.iter().map(|claim| claim.name).min();
        let Some(of) = claimed.or(named.map(|named| named.by.1)) else {
            self.not_there(seq, slot);
            return;
        };
        self.gap(seq + 1);
        let before = self.behind.len();
        match named {
            Some(Stated { by, fate }) => {
                // Of those who say the same, one whose word counts in this span.
                let mut same = stated.iter().filter(|other| other.fate == fate);
                let judged = same.find(|other| self.view.is_judged(other.by.1));
                self.named(seq, slot, judged.map_or(by, |other| other.by).1, fate);
                let is_there = slot.claims.iter().any(|claim| fate.is_of(claim));
                if fate.is_confirmed && is_there && self.view.asked == Some(fate.name) {
                    let same = stated.iter().filter(|other| other.fate == fate);
                    self.vouchers = Some((seq, same.map(|stated| stated.by.1).collect()));
                }
            }
            None => self.unnamed(seq, slot),
        }
        if slot.claims.is_empty() {
            self.not_there(seq, slot);
        }
        let confirmed = named.map(|named| named.fate);
        let confirmed = confirmed.filter(|fate| fate.is_confirmed);
        self.next = Some((seq, confirmed.map_or(of, |fate| fate.name)));
        if let Some(first) = named {
            for other in stated.iter().filter(|other| other.fate != first.fate) {
                self.contradiction(seq, &first, other);
            }
        }
        if let Some(Behind::Header(Sealed { is_end, name, .. })) = self.behind.get(before).copied()
            && is_end
            && self.run.passed(seq).is_none()
        {
            self.end(seq, name);
        }
    }

    /// No object has the number. Headers that do not count may be the right ones all the same, and what they confirm is gone.
    fn not_there(&mut self, seq: u64, slot: &Slot) {
        for Stated { by, fate } in slot.stated.iter().filter(|stated| stated.fate.is_confirmed) {
            let Fate { name, sha256, .. } = *fate;
            let may_come = self.view.is_ahead(name) && !self.is_final;
            if self.view.is_read(name) && !self.view.is_unread(name) && !may_come {
                let doubt = self.doubts.entry(name).or_insert((seq, by.1, sha256));
                if self.view.is_judged(by.1) {
                    doubt.1 = by.1;
                }
            }
        }
    }

    fn tell_doubts(&mut self) {
        for (name, (seq, witness, expected)) in std::mem::take(&mut self.doubts) {
            let is_there = self.numbers.contains_key(&name);
            let by = witness.key(&self.view.prefix);
            if let Some(by) = by.filter(|_| !is_there && !self.accused.contains(&name)) {
                let what = What::Doubtful { by, expected };
                let fault = self.run.fault(self.view, [name, witness], seq, what);
                self.faults
                    .extend(fault.map(|fault| (seq, Some(name), fault)));
            }
        }
    }

    /// The object of a number that a header names.
    fn named(&mut self, seq: u64, slot: &Slot, by: Name, fate: Fate) {
        let Fate {
            name,
            sha256: expected,
            is_confirmed,
        } = fate;
        let prefix = &self.view.prefix;
        let witness = by;
        let (Some(by), Some(to)) = (by.key(prefix), name.key(prefix)) else {
            return;
        };
        let taken = Inserted::Taken { by: by.clone(), to };
        match slot.claims.iter().find(|claim| claim.name == name) {
            Some(claim) if claim.sha256 == expected => self.trust(seq, claim),
            Some(_) => self.lost(seq, [name, witness], What::Changed { by, expected }),
            None if !self.view.is_read(name) => {
                if is_confirmed {
                    self.hole(Behind::Outside);
                    self.has_outside = true;
                }
                let unseen = What::Unseen {
                    by,
                    expected,
                    is_confirmed,
                };
                self.accuse(seq, [name, witness], unseen);
            }
            None if self.view.odd.contains(&name) || self.has_other_number(name, seq) => {
                self.lost(seq, [name, witness], What::Changed { by, expected });
            }
            None if self.view.is_ahead(name) && !self.is_final => {
                self.undecide(seq);
                self.hole(Behind::Open);
            }
            None if self.view.is_unread(name) => self.hole(Behind::Lost),
            None if is_confirmed => self.lost(seq, [name, witness], What::Missing { by, expected }),
            None => {}
        }
        for other in slot.claims.iter().filter(|claim| claim.name != name) {
            let what = What::Inserted(taken.clone());
            self.accuse(seq, [other.name, witness], what);
        }
    }

    fn trust(&mut self, seq: u64, claim: &Claim) {
        self.trusted.insert((seq, claim.name));
        self.behind.push(Behind::Header(claim.into()));
    }

    /// Of holes side by side one is enough.
    fn hole(&mut self, hole: Behind) {
        let last = self.behind.last().map(discriminant);
        if last != Some(discriminant(&hole)) {
            self.behind.push(hole);
        }
    }

    fn lost(&mut self, seq: u64, names: [Name; 2], what: What) {
        self.hole(Behind::Lost);
        self.accuse(seq, names, what);
    }

    /// The run ended with this object: what has a higher number does not belong to it, as soon as the end is certain.
    fn end(&mut self, seq: u64, end: Name) {
        self.ended_with = Some((seq, end));
        let Some(key) = end.key(&self.view.prefix) else {
            return;
        };
        for (later, slot) in self.run.slots.range(seq + 1..) {
            for claim in &slot.claims {
                if self.accused.insert(claim.name) {
                    let what = What::Inserted(Inserted::AfterEnd(key.clone()));
                    let fault = self.run.fault(self.view, [claim.name, end], *later, what);
                    self.faults
                        .extend(fault.map(|fault| (seq, Some(claim.name), fault)));
                }
            }
        }
    }

    /// If it is the end that was forged, what is behind it is the run's. So the objects there that are seen before the end
    /// is certain are held against each other.
    fn behind_the_end(&mut self, (end, name): (u64, Name)) {
        self.end(end, name);
        self.is_behind_an_end = true;
        for (seq, slot) in self.run.slots.range(end + 1..).rev() {
            self.number(*seq, slot);
        }
        let before = Self::new(self.run, self.view, self.is_final);
        let behind = std::mem::replace(self, before);
        self.faults = behind.faults;
        self.unvouched = behind.unvouched;
        self.accused = behind.accused;
        self.doubts = behind.doubts;
        self.undecided = behind.undecided;
        self.ended_with = Some((end, name));
    }

    /// Numbers from `first` up to the next one that is known.
    fn gap(&mut self, first: u64) {
        let Some((next, name)) = self.next.filter(|(next, _)| first < *next) else {
            return;
        };
        let last = next - 1;
        let silence = silence(&self.behind, None);
        if silence.is_outside {
            // What these numbers named, another may have named again.
            self.hole(Behind::Outside);
            return;
        }
        // Objects of a clock that was set back are still to be seen, however many they are.
        let may_be_long = match self.behind.last() {
            Some(Behind::Open) => !self.is_final,
            // It left some to the next.
            Some(Behind::Header(next)) => next.is_full,
            _ => false,
        };
        if silence.broken_by.is_none() && (may_be_long || next - first <= IN_FLIGHT_MAX) {
            self.undecide(first);
            self.hole(Behind::Open);
            return;
        }
        if silence.is_lost || self.view.is_unread_of(name) {
            self.unvouched.push(Numbers::before(name, first, last));
        } else {
            let fault = self
                .run
                .fault(self.view, [name; 2], next, What::Gap { first, last });
            self.faults.extend(fault.map(|fault| (last, None, fault)));
        }
        self.hole(Behind::Lost);
    }

    /// Before the first number that is known.
    fn begin(&mut self) {
        let first = self.next.map(|(seq, name)| self.run.id_of(name, seq));
        let has_begin = self.view.has_begin(began(first.unwrap_or(self.run.id)));
        if let Some(first) = self.run.below.or(has_begin.then_some(0)) {
            self.gap(first);
        }
    }

    /// Whether the object's own header gives it another number.
    fn has_other_number(&self, name: Name, seq: u64) -> bool {
        self.numbers.get(&name).is_some_and(|other| *other != seq)
    }

    fn contradiction(&mut self, seq: u64, one: &Stated, other: &Stated) {
        if let Some(key) = one.by.1.key(&self.view.prefix) {
            let what = What::Contradiction { seq, other: key };
            let (by, name) = other.by;
            let fault = self.run.fault(self.view, [name, one.by.1], by, what);
            self.faults.extend(fault.map(|fault| (seq, None, fault)));
        }
    }

    /// The number, and those behind it, are not decided yet.
    fn undecide(&mut self, seq: u64) {
        let lowest = self.undecided.map_or(seq, |lowest| lowest.min(seq));
        self.undecided = Some(lowest);
    }

    /// Names the first object once, by what the other says.
    fn accuse(&mut self, seq: u64, names: [Name; 2], what: What) {
        let [name, witness] = names;
        if self.unheard.contains(&witness) {
            if let What::Missing { expected, .. } = what {
                self.doubts.entry(name).or_insert((seq, witness, expected));
            }
        } else {
            self.accused.insert(name);
            let fault = self.run.fault(self.view, names, seq, what);
            self.faults
                .extend(fault.map(|fault| (seq, Some(name), fault)));
        }
    }
}
