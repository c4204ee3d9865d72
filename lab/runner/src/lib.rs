//! A pipeline on one machine: the base of `cargo lab` and its tools.
//!
//! Owns the life cycle of the parts: what must be installed, their ports and credentials, the order of start and stop,
//! and the restart of parts that die. Each part is a process of its own.
//!
//! Does not know what the programs do. To it they are an executable, environment variables, a port and a health check;
//! nothing here links against them.
//!
//! A new part needs a file under [`part`] that says how to launch it, a name in [`part_name::PartName`], and a position
//! in [`part::START`] and [`part::STOP`]. The commands are in other crates: everyday ones in `lab`, the others in
//! `lab-chaos`, `lab-bench` and `lab-tasks`, which `lab` builds when they are first used.

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
pub mod known_client;
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
pub mod server;
pub mod shutdown;
pub mod state;
pub mod supervisor;
pub mod usage;
pub mod vpc;
pub mod workspace;

pub use server_kit::secret;
