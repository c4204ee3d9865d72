//! A pipeline on one machine: what `cargo lab` and its tools stand on.
//!
//! Owns the parts' lives: what the machine must have, which ports and
//! credentials they get, the order of their start and stop, and that one that
//! dies comes back. Each part is a process of its own.
//!
//! Must not know what the programs do. They are an executable, environment
//! variables, a port and a health check; nothing here links against them.
//!
//! A new part is a file under [`part`] that says how to launch it, a name in
//! [`part_name::PartName`] and its place in [`part::START`] and [`part::STOP`].
//! Commands are elsewhere: those of every day in the crate `lab`, the others in `lab-chaos`, `lab-bench` and
//! `lab-tasks`, which `lab` builds when they are first asked for.

pub mod build;
pub mod certificate;
pub mod command_line;
pub mod control;
pub mod database;
pub mod environment;
pub mod fault;
pub mod files;
pub mod health;
pub mod http;
pub mod install;
pub mod lab;
pub mod log;
pub mod output;
pub mod part;
pub mod part_name;
pub mod payment;
pub mod ports;
pub mod process;
pub mod reach;
pub mod relay;
pub mod scratch_lab;
pub mod secret;
pub mod server;
pub mod shutdown;
pub mod state;
pub mod supervisor;
pub mod usage;
pub mod vpc;
pub mod workspace;
