//! The chain: how the batch objects of the journal vouch for each other (promise P11).
//!
//! A *run* is one life of an app tier process. The run numbers its batch objects from 0, and the first line of each is
//! a [`Header`]: it names the run, the object's number, and the SHA-256 of earlier objects' whole bodies. Who removes,
//! changes, inserts or reorders an object contradicts what another object says. `docs/PROOF.md` states what follows from that, and what does not.

pub mod checker;
pub(crate) mod header;
mod ids;
mod number_set;
mod run;

pub use self::header::{Header, InvalidHeader, Link, NAMES_MAX};
pub use self::ids::{Node, ObjectHash, Position, RunId};
pub use self::number_set::NumberSet;
pub use self::run::{Purpose, Run, Sealed};
