//! The lab's Lambda: runs a function's real binary in execution environments, serves Lambda's Invoke API, and handles
//! asynchronous events as the Lambda service does. One host serves one function, on loopback.
//!
//! It owns the function's processes, its concurrency, the event queue with retries and dead letters, and the function's
//! log. It knows nothing of payments: the binary may be any program that speaks the Runtime API, and the payload any
//! JSON.
//!
//! Path of an invocation:
//!
//! - `api` takes it, and either runs it at once or puts it into the `queue`; the `schedule` puts events there too.
//! - `event_source` polls an SQS queue, and invokes the function with its messages.
//! - `function` grants concurrency slots. A `concurrency_slot` runs one invocation.
//! - `environment` is a process with a Runtime API of its own: started when no frozen one is free, frozen between
//!   invocations, killed at the deadline.
//!
//! To extend it: a new source of events reserves a slot and runs an invocation in it, as `queue::Dispatcher` and
//! `event_source` do. Whatever changes what a source sees, such as a `fault`, belongs in `function`: refusals in
//! `reserve` and `try_reserve`, failed invocations in `drive` and `run`. There is no other way to reach a process.
//!
//! A function that exceeds its memory is killed, as on AWS. The host watches its resident memory, because a cgroup
//! needs more privileges than a lab has.
//!
//! Differences from AWS: memory is checked every 10 ms; the only version is `$LATEST`; no extensions, layers,
//! destinations or response streaming; a synchronous answer is held until the function polls again. See `leftovers` for
//! processes of a killed host, and `api` for authentication.

mod access;
mod api;
mod arn;
mod concurrency_slot;
mod config;
mod environment;
mod event_source;
mod fault;
mod function;
mod function_log;
mod invocation;
mod leftovers;
mod proc;
mod queue;
mod report;
mod schedule;
mod server;
mod sqs;
mod state;
mod status;
mod sync;
mod timestamp;
mod variables;

pub use config::{
    AsynchronousConfig, Config, EventSourceConfig, FunctionConfig, QueueConfig, ScheduleConfig,
};
pub use server::Server;
pub use state::StateError;
pub use variables::Variables;
