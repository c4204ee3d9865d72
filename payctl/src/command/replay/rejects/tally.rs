//! What became of the rejects, counted.

use crate::outcome::Outcome;

/// What became of the rejects so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) rejects: u64,
    pub(super) outside: u64,
    /// They name objects outside the prefix, which are none of the journal's.
    pub(super) elsewhere: u64,
    pub(super) settled_before: u64,
    /// A function that did not know headers rejected them: there is nothing to ingest.
    pub(super) headers: u64,
    pub(super) rows: u64,
    pub(super) duplicates: u64,
    pub(super) conflicts: u64,
    pub(super) refused: u64,
    pub(super) own: u64,
    pub(super) foreign: u64,
    /// Nobody can look into them: too large, or no text.
    pub(super) unreadable: u64,
    pub(super) replaced: u64,
    pub(super) gone: u64,
    pub(super) failed: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.rejects += other.rejects;
        self.outside += other.outside;
        self.elsewhere += other.elsewhere;
        self.settled_before += other.settled_before;
        self.headers += other.headers;
        self.rows += other.rows;
        self.duplicates += other.duplicates;
        self.conflicts += other.conflicts;
        self.refused += other.refused;
        self.own += other.own;
        self.foreign += other.foreign;
        self.unreadable += other.unreadable;
        self.replaced += other.replaced;
        self.gone += other.gone;
        self.failed += other.failed;
    }

    pub(super) fn named(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("rejects", self.rejects),
            ("  outside the range", self.outside),
            ("  outside the prefix", self.elsewhere),
            ("  settled before", self.settled_before),
            ("  headers, which are no payments", self.headers),
            ("  now rows", self.rows),
            ("  now duplicates", self.duplicates),
            ("  now conflicts", self.conflicts),
            ("  refused by the database", self.refused),
            ("  still no payment, own", self.own),
            ("  still no payment, foreign", self.foreign),
            ("  that nobody can look into", self.unreadable),
            ("  of content replaced since", self.replaced),
            ("  of objects or lines that are gone", self.gone),
            ("  that failed", self.failed),
        ]
    }

    pub(super) fn outcome(&self) -> Outcome {
        let is_different = self.refused + self.own + self.gone > 0;
        let is_nothing_in_range = self.outside > 0 && self.outside == self.rejects;
        let unknown = self.failed + self.elsewhere + self.unreadable + self.replaced;
        let is_unfinished = unknown > 0 || is_nothing_in_range;
        Outcome::unfinished_if(is_unfinished).and(Outcome::different_if(is_different))
    }
}
