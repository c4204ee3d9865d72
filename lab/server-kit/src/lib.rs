//! What the lab's servers share, and nothing of what any of them does.
//!
//! - [`program`]: the frame of `lab-… --config FILE`: arguments, logs, signals, exit status.
//! - [`config`]: a configuration file, and every mistake in it at once.
//! - [`caller`]: who may call a server that speaks an AWS protocol.
//! - [`role`]: callers who may do what policies let them.
//! - [`secret`]: text that cannot print itself.
//! - [`fault`]: faults on command.

pub mod caller;
pub mod config;
pub mod fault;
pub mod program;
pub mod role;
pub mod secret;
