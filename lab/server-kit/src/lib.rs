//! What the lab's servers share; nothing specific to one of them.
//!
//! - [`program`]: the entry point of `lab-… --config FILE`: arguments, logs, signals, exit status.
//! - [`config`]: configuration files, with every mistake reported at once.
//! - [`caller`]: authentication of callers of an AWS protocol.
//! - [`role`]: authorization of callers by IAM policies.
//! - [`secret`]: text that cannot print itself.
//! - [`fault`]: fault injection.

pub mod caller;
pub mod config;
pub mod fault;
pub mod program;
pub mod role;
pub mod secret;
