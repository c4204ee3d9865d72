//! What shows that nothing was taken from the journal (promise P11).
//!
//! - [`chain`]: the objects of a walk in the order of their keys, for `payment-core`'s checker; what it names.
//! - `before`: what the time before a range says of it; `accuser`: what is said of a fault.
//! - [`hours`]: a digest of each hour's objects and rows.
//! - [`checkpoint`]: hours that were clean, signed; a file of them, each linked to the one before.
//! - [`key`]: what signs them.

mod accuser;
mod before;
pub mod chain;
pub mod checkpoint;
pub mod hours;
pub mod key;
