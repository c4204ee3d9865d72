//! One run: who claims each of its numbers, and what its headers say of them.

mod behind;
mod judge;
mod unvouched;

use std::collections::BTreeMap;

use self::unvouched::Numbers;
use super::super::{Header, Link, NAMES_MAX, Node, NumberSet, ObjectHash, RunId};
use super::fault::{Fault, Inserted, OpenRun, What};
use super::object::Name;
use super::view::View;
use crate::object_key::ObjectKey;
use crate::timestamp::Timestamp;

/// Numbers that are kept before a run is judged for the first time.
const SLOTS_MIN: usize = 256;

#[derive(Debug)]
pub(super) struct Run {
    /// By the first of its objects that was seen: somebody may take the node's name for a run of his own.
    id: RunId,
    node: Node,
    /// Numbers that are not judged yet.
    slots: BTreeMap<u64, Slot>,
    /// All lower numbers are judged. Unknown until then, for a run that began before the span.
    below: Option<u64>,
    /// Judged numbers that have an object.
    decided: NumberSet,
    /// A header of the span names objects outside it.
    has_outside: bool,
    /// Its highest number before the span.
    passed: Option<u64>,
    /// Its last number, once nothing more can be right, and the object that has it.
    ended_with: Option<(u64, Name)>,
    /// Its highest number, and the object that has it.
    last: Option<(u64, Name)>,
    /// The newest of its objects' keys.
    last_at: Timestamp,
    judge_at: usize,
    is_judged_silent: bool,
    /// Objects in the judged window that no header names.
    open: u64,
    is_in_window: bool,
    /// The last numbers that nobody vouches for: more of them may follow.
    unvouched: Option<Numbers>,
    /// Headers that vouch for the object that is asked for.
    pub vouchers: Vec<Name>,
}

/// One number of a run.
#[derive(Debug, Default)]
struct Slot {
    claims: Vec<Claim>,
    stated: Vec<Stated>,
}

/// An object whose header has the number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub name: Name,
    run: RunId,
    sha256: ObjectHash,
    clock: Timestamp,
    is_end: bool,
    /// It names as many as a header may, and leaves others to the next.
    is_full: bool,
}

/// What a header says of the number.
#[derive(Debug, Clone, Copy)]
struct Stated {
    by: (u64, Name),
    fate: Fate,
}

/// Which object has the number, if one has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fate {
    name: Name,
    sha256: ObjectHash,
    /// S3 confirmed it; else it may be stored or not.
    is_confirmed: bool,
}

impl Fate {
    fn is_of(&self, claim: &Claim) -> bool {
        (self.name, self.sha256) == (claim.name, claim.sha256)
    }
}

impl Claim {
    pub fn new(name: Name, sha256: ObjectHash, header: &Header) -> Self {
        Self {
            name,
            run: header.run,
            sha256,
            clock: header.clock,
            is_end: header.end,
            is_full: header.confirmed.len() + header.unconfirmed.len() >= NAMES_MAX,
        }
    }
}

/// By their nodes. A process has one run; a name may come again, or somebody takes it.
#[derive(Debug, Default)]
pub(super) struct Runs(BTreeMap<Node, Vec<Run>>);

impl Runs {
    /// The run that a header belongs to: the one that it names or, since somebody may have taken the node's name, the
    /// last one, unless that was silent for long.
    pub fn of(&mut self, node: Node, id: RunId, view: &View) -> &mut Run {
        let runs = self.0.entry(node).or_default();
        let place = runs.iter().position(|run| run.id == id);
        let is_over = |last: &Run| last.is_over_before(id, view);
        if place.is_none() && runs.last().is_none_or(is_over) {
            runs.push(Run::new(id, node));
        }
        let last = runs.len() - 1;
        &mut runs[place.unwrap_or(last)]
    }

    pub fn all(&mut self) -> impl Iterator<Item = &mut Run> {
        self.0.values_mut().flatten()
    }
}

impl Run {
    pub fn new(id: RunId, node: Node) -> Self {
        Self {
            id,
            node,
            slots: BTreeMap::new(),
            below: None,
            decided: NumberSet::default(),
            has_outside: false,
            passed: None,
            ended_with: None,
            last: None,
            last_at: Timestamp::EPOCH,
            judge_at: SLOTS_MIN,
            is_judged_silent: false,
            open: 0,
            is_in_window: false,
            unvouched: None,
            vouchers: Vec::new(),
        }
    }

    /// An object of this run: its own number, and what it says of others.
    pub fn see(&mut self, view: &View, claim: Claim, header: &Header, faults: &mut Vec<Fault>) {
        let seq = header.seq;
        let below = self.below.unwrap_or(0);
        let end = self.ended_with.filter(|(end, _)| *end < seq);
        if seq < below || end.is_some() {
            let late = |(_, last): (u64, Name)| Some(Inserted::Late(last.key(&view.prefix)?));
            // Where the clock was set back, what names it may have been written before the span.
            let what = if let Some((_, end)) = end {
                let end = end.key(&view.prefix).map(Inserted::AfterEnd);
                end.map(What::Inserted)
            } else if !self.has_outside || self.decided.contains(seq) {
                self.last.and_then(late).map(What::Inserted)
            } else {
                self.passed(seq)
            };
            faults.extend(what.and_then(|what| self.fault(view, [claim.name; 2], seq, what)));
            return;
        }
        self.is_judged_silent = false;
        if self.last.is_none_or(|(last, _)| last <= seq) {
            self.last = Some((seq, claim.name));
        }
        self.is_in_window |= view.is_judged(claim.name);
        let at = ObjectKey::time_of(claim.name.uuid);
        self.last_at = at.map_or(self.last_at, |at| self.last_at.max(at));
        self.slots.entry(seq).or_default().claims.push(claim);
        let node = claim.name.node;
        let fate = |link: &Link, is_confirmed| {
            let uuid = link.key;
            let fate = Fate {
                name: Name { uuid, node },
                sha256: link.sha256,
                is_confirmed,
            };
            (link.seq, fate)
        };
        let confirmed = header.confirmed.iter().map(|link| fate(link, true));
        let unconfirmed = header.unconfirmed.iter().map(|link| fate(link, false));
        let by = (seq, claim.name);
        for (of, fate) in confirmed.chain(unconfirmed) {
            if of >= below {
                let slot = self.slots.entry(of).or_default();
                slot.stated.push(Stated { by, fate });
            }
        }
        if self.slots.len() >= self.judge_at {
            self.judge(view, false, faults);
            self.judge_at = SLOTS_MIN.max(2 * self.slots.len());
        }
    }

    /// An object before the span has the number; whether it can still count.
    pub fn note_before(&mut self, seq: u64) -> bool {
        self.passed = self.passed.max(Some(seq));
        let is_decided = self.below.is_some_and(|below| seq < below);
        if is_decided {
            self.decided.insert(seq);
        }
        !is_decided
    }

    /// Whether the run of the object that is seen now is another, which began long after this one's last object.
    fn is_over_before(&self, other: RunId, view: &View) -> bool {
        other != self.id
            && view.is_silent_since(self.last_at)
            && view.has_run_since(self.last_at, began(other))
    }

    /// Whether it wrote nothing for long, and is to be judged for that.
    pub fn is_silent(&self, view: &View) -> bool {
        !self.is_judged_silent && view.is_silent_since(self.last_at)
    }

    /// The run as it stands at the end, if it did not end itself.
    pub fn open(&self) -> Option<OpenRun> {
        let last = self
            .last
            .filter(|_| self.is_in_window && self.ended_with.is_none());
        last.map(|(last, _)| OpenRun {
            run: self.id,
            node: self.node,
            last,
            last_at: self.last_at,
            open: self.open,
        })
    }

    /// What is to be said of a number that no header of the span names, if the run had a higher one before.
    fn passed(&self, seq: u64) -> Option<What> {
        let last = self.passed.filter(|last| seq < *last)?;
        Some(What::Passed { last })
    }

    fn numbers(&self) -> BTreeMap<Name, u64> {
        let claims = self.slots.iter();
        let numbers =
            claims.flat_map(|(seq, slot)| slot.claims.iter().map(|claim| (claim.name, *seq)));
        numbers.collect()
    }

    /// Whom the headers name of objects that share a number with others.
    fn named_by_rivals(&self) -> BTreeMap<Name, Vec<Name>> {
        let shared = self.slots.values().filter(|slot| slot.claims.len() > 1);
        let mut rivals: BTreeMap<Name, Vec<Name>> = shared
            .flat_map(|slot| &slot.claims)
            .map(|claim| (claim.name, Vec::new()))
            .collect();
        if !rivals.is_empty() {
            for Stated { by, fate } in self.slots.values().flat_map(|slot| &slot.stated) {
                if let Some(named) = rivals.get_mut(&by.1).filter(|_| by.1 != fate.name) {
                    named.push(fate.name);
                }
            }
        }
        rivals
    }

    /// The run as the object's own header has it.
    fn id_of(&self, name: Name, seq: u64) -> RunId {
        let slot = self.slots.get(&seq);
        let mut claims = slot.iter().flat_map(|slot| &slot.claims);
        let own = claims.find(|claim| claim.name == name);
        own.map_or(self.id, |claim| claim.run)
    }

    /// A fault of the first object, borne out by the other: `None` if neither is judged, nor one that has the number as
    /// well.
    fn fault(&self, view: &View, [name, by]: [Name; 2], seq: u64, what: What) -> Option<Fault> {
        let rivals = self.slots.get(&seq).into_iter();
        let mut rivals = rivals.flat_map(|slot| &slot.claims);
        let is_judged = view.is_judged(name)
            || view.is_judged(by)
            || rivals.any(|rival| view.is_judged(rival.name));
        Some(Fault {
            object: is_judged.then(|| name.key(&view.prefix))??,
            run: Some(self.id_of(name, seq)),
            seq: Some(seq),
            what,
        })
    }
}

fn began(run: RunId) -> Timestamp {
    ObjectKey::time_of(run.as_uuid()).unwrap_or(Timestamp::EPOCH)
}
