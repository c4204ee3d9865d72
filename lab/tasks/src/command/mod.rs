//! The commands, one module each.

pub mod release;
pub mod runbook;
pub mod screenshots;
