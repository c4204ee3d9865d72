//! IAM policies: the JSON language, and who may do what under it.
//!
//! Owns parsing and evaluation after AWS's rules for one account
//! (IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements").
//! Knows nothing of HTTP or of any server.
//!
//! What this module can't evaluate is refused when a policy is read, never skipped: an unknown
//! operator, condition key or policy variable is an error. The one exception is a statement that
//! names the actions of services alone that the lab has not: it can never apply here, so its conditions aren't looked at.
//!
//! To add a condition key, list it in [`context`]; to add an operator, in [`condition`].

mod condition;
mod context;
mod document;
mod evaluate;
mod pattern;
mod syntax;
#[cfg(test)]
mod tests;

pub use context::{Context, Key};
pub use document::{LoadError, Policy, PolicyError};
pub use evaluate::{Decision, Principal, Request, evaluate};
