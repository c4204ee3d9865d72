//! What the runs are judged by besides their own objects.

use std::collections::BTreeSet;

use time::Duration;
use uuid::Uuid;

use super::object::Name;
use crate::object_key::ObjectKey;
use crate::timestamp::Timestamp;

/// How long after an object was sealed a later header may leave it out. A PUT takes seconds, and what is confirmed is
/// named by the next header.
pub(super) const NAMED_WITHIN: Duration = Duration::minutes(1);

/// Objects of a run are judged once the journal has been seen so far behind them.
const SETTLED_AFTER: Duration = Duration::minutes(2);

/// A run that wrote nothing for so long is judged as far as can be.
const SILENT_AFTER: Duration = Duration::hours(1);

/// Objects without a right header that are remembered, the newest, to tell a changed object from a missing one.
const ODD_MAX: usize = 10_000;

/// Unread objects that are remembered; with more, no object counts as missing.
const UNREAD_MAX: usize = 10_000;

/// Times from one to another, by the UUIDs of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    pub from: Option<Timestamp>,
    /// The first moment that is outside.
    pub to: Option<Timestamp>,
}

/// Which objects are seen, and which of them are judged. More have to be seen: those behind name those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub read: Window,
    pub judged: Window,
}

#[derive(Debug)]
pub(super) struct View {
    pub prefix: String,
    pub span: Span,
    /// The objects up to this one were seen.
    pub at: Uuid,
    /// Objects that are there, without a right header.
    pub odd: BTreeSet<Name>,
    unread: BTreeSet<Name>,
    /// The object whose vouchers are asked for.
    pub asked: Option<Name>,
}

impl Window {
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

impl Span {
    /// The span that judges `judged` rightly: it reaches as far before and behind as headers and PUTs take.
    pub fn around(judged: Window) -> Self {
        let moved = |at: Option<Timestamp>, by: Duration| {
            at.map(|at| Timestamp::new(at.to_utc().saturating_add(by)))
        };
        Self {
            read: Window {
                from: moved(judged.from, -NAMED_WITHIN),
                to: moved(judged.to, SETTLED_AFTER),
            },
            judged,
        }
    }
}

impl View {
    pub fn new(prefix: &str, span: Span) -> Self {
        Self {
            prefix: prefix.to_owned(),
            span,
            at: Uuid::nil(),
            odd: BTreeSet::new(),
            unread: BTreeSet::new(),
            asked: None,
        }
    }

    pub fn note_odd(&mut self, name: Name) {
        self.odd.insert(name);
        if self.odd.len() > ODD_MAX {
            self.odd.pop_first();
        }
    }

    pub fn note_unread(&mut self, name: Name) {
        if self.unread.len() <= UNREAD_MAX {
            self.unread.insert(name);
        }
    }

    /// Whether the object may be there, and could not be read.
    pub fn is_unread(&self, name: Name) -> bool {
        self.unread.len() > UNREAD_MAX || self.unread.contains(&name)
    }

    /// Whether one of the node's objects could not be read.
    pub fn is_unread_of(&self, name: Name) -> bool {
        self.unread.len() > UNREAD_MAX || self.unread.iter().any(|other| other.node == name.node)
    }

    pub fn is_ahead(&self, name: Name) -> bool {
        self.at < name.uuid
    }

    pub fn is_read(&self, name: Name) -> bool {
        ObjectKey::time_of(name.uuid).is_some_and(|at| self.span.read.contains(at))
    }

    pub fn is_judged(&self, name: Name) -> bool {
        ObjectKey::time_of(name.uuid).is_some_and(|at| self.span.judged.contains(at))
    }

    /// Whether the run began where its first objects are seen.
    pub fn has_begin(&self, began: Timestamp) -> bool {
        self.span.read.from.is_none_or(|from| from <= began)
    }

    /// Whether the journal has been seen far enough behind this moment.
    pub fn is_settled(&self, at: Timestamp) -> bool {
        self.is_behind(at, SETTLED_AFTER)
    }

    /// Whether a run that began then is to be told from one that was silent since.
    pub fn has_run_since(&self, silent_since: Timestamp, began: Timestamp) -> bool {
        let silence = began.to_utc() - silent_since.to_utc();
        let is_begun = ObjectKey::time_of(self.at)
            .is_some_and(|at| began.to_utc() <= at.to_utc().saturating_add(NAMED_WITHIN));
        silence > SILENT_AFTER && is_begun
    }

    pub fn is_silent_since(&self, at: Timestamp) -> bool {
        self.is_behind(at, SILENT_AFTER)
    }

    fn is_behind(&self, at: Timestamp, by: Duration) -> bool {
        ObjectKey::time_of(self.at)
            .is_some_and(|seen| at.to_utc().saturating_add(by) < seen.to_utc())
    }
}
