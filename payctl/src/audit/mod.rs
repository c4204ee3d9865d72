//! The journal held against the database, in three parts that run one after the other.
//!
//! - [`journal`]: every object, by the ledger (`object`) and line by line (`check`). Several are read at a time.
//! - [`rows`]: rows that no line accounts for. Their `marks` say whether there are any; only then are they searched for.
//! - [`hashes`]: every row against its own hash.
//!
//! [`setup`] says what is audited, `scope` what belongs to it. Findings go to the `report` as they are made, and what
//! can't be looked at is counted and said: nothing ends an audit but its end. At most 8 MiB of objects are in memory, or
//! a larger one alone, of up to 64 MiB, since its conflicts may be held against any of its lines. Besides, 512 rows and a
//! thousand versions for each object at work, however large the journal is; 16 bytes for each object whose key is too
//! long for the tables and, in a run with a range, for each of its objects that is not in an hour's folder; and 8 bytes
//! for each of the first 100,000 differences. Objects that are read for the sake of a row come part by part.

mod check;
mod content;
mod counts;
pub mod difference;
pub mod hashes;
pub mod journal;
mod ledger;
mod marks;
mod object;
pub mod origin;
mod replaced;
pub mod report;
pub mod rows;
mod scope;
pub mod setup;
