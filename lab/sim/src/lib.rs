//! The pipeline in one thread: the real intake, committer, event handler and insert over models of S3, Lambda and
//! MySQL, with a clock that advances only when everyone waits, and every fault drawn from one seed.
//!
//! A seed determines a whole history: the same seed gives the same run to the millisecond, so a failure can be
//! reproduced with `cargo run --release --bin sim -- --seed N`.
//!
//! - [`run`](mod@run): one seed, from the first client to the verdict; [`many`]: thousands of them.
//! - [`world`]: the seed's random numbers, the clock, the trace. [`fault`]: what can go wrong, and how often it did.
//! - [`bucket`], [`lambda`], [`database`]: the models. [`node`], [`client`]: the two ends of a request. `older`:
//!   systems that write to the bucket themselves. `outage`: crashes and unavailable services.
//! - [`backlog`]: a day of millions of objects, generated as they are listed, and what its sweeps cost.
//! - [`audit`]: what must hold besides the verdict: no line of the journal is left out.
//!
//! A model shows what the real service may do, and nothing else. The model of the database passes the same tests as
//! MySQL (`tests/it/conformance`). Payments are checked by the `verdict` crate, which shares no code with the pipeline.

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
pub mod proof;
pub mod run;
pub mod world;

pub use fault::{Defect, Fault};
pub use run::{Options, Report, run};
