//! The pipeline in one thread: the real intake, committer, event handler and insert over models of S3, Lambda and
//! MySQL, with a clock that stands still until everybody waits, and every fault drawn from one seed.
//!
//! A seed is a whole history: the same seed gives the same run to the millisecond, so that what fails once fails
//! again under `cargo run --release --bin sim -- --seed N`.
//!
//! - [`run`](mod@run): one seed, from the first client to the verdict; [`many`]: thousands of them.
//! - [`world`]: the seed's random numbers, the clock, the trace. [`fault`]: what can go wrong, and how often it did.
//! - [`bucket`], [`lambda`], [`database`]: the models. [`node`], [`client`]: who sends what to whom.
//!   `older` are systems that write to the bucket themselves, `outage` is what befalls all from outside.
//! - [`backlog`]: a day of millions of objects, made as they are listed, and what its sweeps cost.
//! - [`audit`]: what must hold beside the verdict: no line of the log is left out.
//!
//! A model shows what the real thing may do and no more. The model of the database passes the same tests as
//! MySQL does (`tests/it/conformance`). Payments are checked by the `verdict` crate, which shares no code with the
//! pipeline.

pub mod audit;
pub mod backlog;
pub mod bucket;
pub mod client;
pub mod clock;
pub mod database;
mod event;
pub mod fault;
pub mod lambda;
pub mod many;
pub mod node;
mod older;
mod outage;
mod payments;
pub mod run;
pub mod world;

pub use fault::{Defect, Fault};
pub use run::{Options, Report, run};
