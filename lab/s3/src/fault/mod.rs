//! Faults that this server injects, switched by `server_kit::fault`.
//!
//! Owns what each fault does. Request faults are injected around s3s, in [`crate::front`]; event faults between the
//! spool and the destination, in [`crate::notify`]. Only [`kinds::FORGET`] is injected deeper, at the single point
//! where objects are stored, so that its answer is a real one.
//!
//! Requests of an identity with `admin` are spared, so that the operator, and whoever checks the outcome, see the
//! truth.
//!
//! To add a fault, give it a row in [`kinds`], and check [`Faults::inject`](server_kit::fault::Faults::inject) at the
//! point where it would show.

mod body;
mod control;
mod event;
pub mod kinds;
mod request;
mod target;

pub use control::answer as control;
pub use event::deliveries;
pub use request::{Before, RequestFaults, respond};
pub use target::ObjectRequest;
