//! Committed rows, pending rows, and who holds which unique key.

use std::collections::{BTreeMap, HashMap};

use payment_core::{LogRecord, ObjectVersion, PaymentKey};
use payment_store::backend::VersionColumns;
use payment_store::{Fingerprint, Outcome};

/// One value of one unique key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unique {
    Payment(PaymentKey),
    Conflict(Version, u32),
    Reject(Version, u32),
    Object(Version),
}

/// An object version, as its columns store it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub key: String,
    pub etag: String,
}

/// One row of any table.
#[derive(Debug, Clone)]
pub enum Write {
    Payment(Row),
    Conflict(Row),
    Reject {
        object: Version,
        line: u32,
        /// The payment and the reason, for a line of the system's own.
        own: Option<(PaymentKey, &'static str)>,
    },
    Object {
        object: Version,
        outcome: Outcome,
        fingerprint: Fingerprint,
    },
}

/// A row of `transactions` or of `conflicts`.
#[derive(Debug, Clone)]
pub struct Row {
    pub record: LogRecord,
    pub extra: String,
    pub object: Version,
    pub line: u32,
    pub recorded_ms: u64,
}

/// The content of all tables.
#[derive(Debug, Default)]
pub struct Recorded {
    pub rows: Vec<Row>,
    pub conflicts: Vec<Row>,
    pub rejects: Vec<(Version, u32)>,
    pub objects: BTreeMap<Version, (Outcome, Fingerprint)>,
}

/// Outcome of a claim on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    Free,
    Taken,
    /// Held by a transaction that has not ended.
    Held,
    /// Waiting for the holder would never end.
    Deadlock,
}

#[derive(Debug, Default)]
pub struct Tables {
    /// A key has more than one row only if uniqueness is broken on purpose.
    committed: BTreeMap<Unique, Vec<Write>>,
    open: BTreeMap<u64, Open>,
    holders: HashMap<Unique, u64>,
    begun: u64,
    /// How far each pass of the sweep got.
    pub positions: HashMap<String, String>,
    /// Rows in the order of their numbers, from 1.
    pub deferred: Vec<ObjectVersion>,
}

#[derive(Debug, Default)]
struct Open {
    writes: Vec<Write>,
    claimed: Vec<Unique>,
    waits_for: Option<u64>,
}

impl Version {
    pub fn of(columns: VersionColumns<'_>) -> Self {
        Self {
            key: columns.key().to_owned(),
            etag: columns.etag().to_owned(),
        }
    }
}

impl Write {
    pub fn unique(&self) -> Unique {
        match self {
            Self::Payment(row) => Unique::Payment(row.record.payment.key().clone()),
            Self::Conflict(row) => Unique::Conflict(row.object.clone(), row.line),
            Self::Reject { object, line, .. } => Unique::Reject(object.clone(), *line),
            Self::Object { object, .. } => Unique::Object(object.clone()),
        }
    }
}

impl Tables {
    pub fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.open.insert(self.begun, Open::default());
        self.begun
    }

    /// Claims a key for a transaction, or returns who holds it.
    pub fn claim(&mut self, transaction: u64, unique: &Unique) -> Claim {
        if self.committed.contains_key(unique) {
            return Claim::Taken;
        }
        match self.holders.get(unique) {
            Some(holder) if *holder == transaction => Claim::Taken,
            Some(holder) => {
                let holder = *holder;
                self.wait(transaction, holder)
            }
            None => {
                self.holders.insert(unique.clone(), transaction);
                if let Some(open) = self.open.get_mut(&transaction) {
                    open.claimed.push(unique.clone());
                }
                Claim::Free
            }
        }
    }

    fn wait(&mut self, transaction: u64, holder: u64) -> Claim {
        let mut next = Some(holder);
        while let Some(waiting) = next {
            if waiting == transaction {
                return Claim::Deadlock;
            }
            next = self.open.get(&waiting).and_then(|open| open.waits_for);
        }
        if let Some(open) = self.open.get_mut(&transaction) {
            open.waits_for = Some(holder);
        }
        Claim::Held
    }

    pub fn waits_no_longer(&mut self, transaction: u64) {
        if let Some(open) = self.open.get_mut(&transaction) {
            open.waits_for = None;
        }
    }

    /// Releases the claims of a failed statement: those after the first `kept`.
    pub fn unclaim(&mut self, transaction: u64, kept: usize) {
        let Some(open) = self.open.get_mut(&transaction) else {
            return;
        };
        open.waits_for = None;
        for unique in open.claimed.split_off(kept) {
            self.holders.remove(&unique);
        }
    }

    pub fn claims(&self, transaction: u64) -> usize {
        self.open
            .get(&transaction)
            .map_or(0, |open| open.claimed.len())
    }

    pub fn write(&mut self, transaction: u64, writes: Vec<Write>) {
        if let Some(open) = self.open.get_mut(&transaction) {
            open.writes.extend(writes);
        }
    }

    pub fn commit(&mut self, transaction: u64) {
        for write in self.close(transaction) {
            self.committed
                .entry(write.unique())
                .or_default()
                .push(write);
        }
    }

    /// Commits only the mark that the object is ingested.
    pub fn commit_mark_alone(&mut self, transaction: u64) {
        if let Some(open) = self.open.get_mut(&transaction) {
            open.writes
                .retain(|write| matches!(write, Write::Object { .. }));
        }
        self.commit(transaction);
    }

    pub fn roll_back(&mut self, transaction: u64) {
        self.close(transaction);
    }

    fn close(&mut self, transaction: u64) -> Vec<Write> {
        let Some(open) = self.open.remove(&transaction) else {
            return Vec::new();
        };
        for unique in &open.claimed {
            self.holders.remove(unique);
        }
        open.writes
    }

    /// Returns the row as the transaction sees it: its own, or a committed one.
    pub fn find(&self, transaction: Option<u64>, unique: &Unique) -> Option<&Write> {
        let open = transaction.and_then(|transaction| self.open.get(&transaction));
        let own = open.and_then(|open| open.writes.iter().find(|write| write.unique() == *unique));
        own.or_else(|| self.committed.get(unique)?.first())
    }

    /// Committed conflicts of a payment.
    pub fn conflicts_of(&self, payment: &PaymentKey) -> usize {
        let is_of = |write: &&Write| matches!(write, Write::Conflict(row) if row.record.payment.key() == payment);
        self.committed.values().flatten().filter(is_of).count()
    }

    /// Why a committed line of the system's own for this payment is a reject.
    pub fn own_reject(&self, payment: &PaymentKey) -> Option<&'static str> {
        let reason = |write: &Write| match write {
            Write::Reject {
                own: Some((own, reason)),
                ..
            } if own == payment => Some(*reason),
            _ => None,
        };
        self.committed.values().flatten().find_map(reason)
    }

    pub fn recorded(&self) -> Recorded {
        let mut recorded = Recorded::default();
        for write in self.committed.values().flatten().cloned() {
            match write {
                Write::Payment(row) => recorded.rows.push(row),
                Write::Conflict(row) => recorded.conflicts.push(row),
                Write::Reject { object, line, .. } => recorded.rejects.push((object, line)),
                Write::Object {
                    object,
                    outcome,
                    fingerprint,
                } => {
                    recorded.objects.insert(object, (outcome, fingerprint));
                }
            }
        }
        recorded
    }
}
