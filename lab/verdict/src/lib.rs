//! Judges a history: what clients were answered, compared with what the tables hold.
//!
//! Owns the rules of "nothing lost, nothing twice" (promises P1, P2, P4, P6 and P10), and nothing else: it does no I/O,
//! has no clock, and takes its facts from whoever collected them, in any order. It must not share code with the
//! pipeline that it judges, because a mistake there must not be repeated here.
//!
//! - [`history`]: the facts. What was sent and answered, and which rows there are.
//! - [`judge`]: collects the facts, and keeps for each id what the verdict needs.
//! - [`verdict`]: the result.

pub mod content;
pub mod history;
pub mod judge;
mod rules;
pub mod verdict;

pub use content::Content;
pub use history::{Answer, Attempt, Row};
pub use judge::Judge;
pub use verdict::{Breach, BreachKind, Verdict};
