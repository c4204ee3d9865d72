//! The faults that the server injects on command, as `server_kit::fault` has them switched.
//!
//! Owns what each fault does. Requests meet theirs around s3s, in [`crate::front`]; events theirs on the way from
//! the spool to their destination, in [`crate::notify`]. Only [`kinds::FORGET`] strikes deeper, in the one place
//! where objects are stored, so that its answer is a true one.
//!
//! Requests of an identity with `admin` are spared: the operator, and whoever checks the outcome, see the truth.
//!
//! To add a fault: give it a row in [`kinds`], and ask whether it strikes where it would show.

mod body;
mod control;
mod event;
pub mod kinds;
mod request;
mod target;

pub use control::answer as control;
pub use event::deliveries;
pub use request::{Before, RequestFaults, respond};
pub use target::Target;
