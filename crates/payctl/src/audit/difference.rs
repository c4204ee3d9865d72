//! What an audit counts and names.

use std::fmt;
use std::ops::AddAssign;

use payment_core::ObjectKey;
use serde::Serialize;

use crate::output::safe;

/// One way in which the log and the database do not agree. Nothing of a payment's content is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    #[serde(rename = "difference")]
    pub kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    pub object: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The log holds it, and the ledger does not know it.
    ObjectNotIngested,
    /// The ledger knows it, and the log does not hold it.
    ObjectGone,
    /// The ledger counted otherwise than its lines count now.
    LedgerDiffers,
    /// A payment of the log has no row.
    RowMissing,
    /// A row says something else than the line that it was made of.
    RowDiffers,
    /// The id is held by other content, and no row of `conflicts` says so.
    ConflictMissing,
    /// The line is no payment, and no row of `rejects` says so.
    RejectMissing,
    /// A row names a line that is not its own.
    RowWithoutRecord,
    /// A row's columns are not what its hash was made of.
    RowAltered,
}

impl Difference {
    pub fn of_object(kind: Kind, key: &ObjectKey, detail: Option<String>) -> Self {
        Self {
            kind,
            payment_id: None,
            object: key.as_str().to_owned(),
            line: None,
            detail,
        }
    }

    pub fn of_line(kind: Kind, payment_id: Option<&str>, object: &str, line: u32) -> Self {
        Self {
            kind,
            payment_id: payment_id.map(str::to_owned),
            object: object.to_owned(),
            line: Some(line),
            detail: None,
        }
    }

    pub fn with(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<20}", self.kind.name())?;
        if let Some(id) = &self.payment_id {
            write!(f, " {}", safe(id))?;
        }
        write!(f, " {}", safe(&self.object))?;
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::ObjectNotIngested => "object not ingested",
            Self::ObjectGone => "object gone",
            Self::LedgerDiffers => "ledger differs",
            Self::RowMissing => "row missing",
            Self::RowDiffers => "row differs",
            Self::ConflictMissing => "conflict missing",
            Self::RejectMissing => "reject missing",
            Self::RowWithoutRecord => "row without a record",
            Self::RowAltered => "row altered",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    pub objects: u64,
    pub bytes: u64,
    pub ingested: u64,
    /// Versions in the ledger that other content has replaced since.
    pub replaced: u64,
    /// Younger than the time that an event may take.
    pub on_their_way: u64,
    pub lines: u64,
    /// Lines that are rows.
    pub recorded: u64,
    /// Lines whose payment is recorded from another line.
    pub duplicates: u64,
    pub conflicts: u64,
    pub rejects: u64,
    /// Rows that were held against their own hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_hashed: Option<u64>,
    /// Rows found by the lines that they name, of those that are counted by key.
    #[serde(skip)]
    pub matched: u64,
}

impl Counts {
    pub fn named(&self) -> Vec<(&'static str, u64)> {
        let mut named = vec![
            ("objects in the log", self.objects),
            ("  of them ingested", self.ingested),
            ("  of them on their way", self.on_their_way),
            ("ingested, and replaced since", self.replaced),
            ("bytes read", self.bytes),
            ("lines", self.lines),
            ("  of them rows", self.recorded),
            ("  of them duplicates", self.duplicates),
            ("  of them conflicts", self.conflicts),
            ("  of them rejects", self.rejects),
        ];
        named.extend(
            self.rows_hashed
                .map(|rows| ("rows held against their hash", rows)),
        );
        named
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.ingested += other.ingested;
        self.on_their_way += other.on_their_way;
        self.replaced += other.replaced;
        self.lines += other.lines;
        self.recorded += other.recorded;
        self.duplicates += other.duplicates;
        self.conflicts += other.conflicts;
        self.rejects += other.rejects;
        self.rows_hashed = match (self.rows_hashed, other.rows_hashed) {
            (None, rows) | (rows, None) => rows,
            (Some(one), Some(two)) => Some(one + two),
        };
        self.matched += other.matched;
    }
}

/// Counts and differences of a part of the work.
#[derive(Debug, Default)]
pub struct Findings {
    pub counts: Counts,
    pub differences: Vec<Difference>,
}
