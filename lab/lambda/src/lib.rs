//! The lab's Lambda: runs a function's real binary in execution environments, takes invocations by Lambda's
//! Invoke API, and treats asynchronous events as the Lambda service does. One host serves one function, on
//! loopback.
//!
//! What it owns: the processes of the function, its concurrency, the queue of events with retries and dead
//! letters, and the function's log. It knows nothing of payments: any binary that speaks the Runtime API will
//! do, and any JSON is a payload.
//!
//! The way of an invocation:
//!
//! - `api` takes it, and either runs it at once or puts it in the `queue`; the `schedule` puts events there
//!   too.
//! - `event_source` polls a queue of SQS, and runs the function with its messages.
//! - `function` gives out places within the concurrency. A `place` runs one invocation.
//! - `environment` is a process with a Runtime API of its own: started when no frozen one is free, frozen
//!   between invocations, killed at the deadline.
//!
//! How to extend it: a new source of events reserves a place and runs an invocation in it, as `queue::Dispatcher`
//! and `event_source` do. Whatever must change what a source sees, such as a `fault` on command, belongs in
//! `function`: refusals in `reserve` and `try_reserve`, broken runs in `drive` and `run`. Nothing reaches a process
//! but through there.
//!
//! A function that holds more memory than it has is killed, as on AWS: its resident memory is watched, since a cgroup
//! wants more rights than a lab has.
//!
//! Differences from AWS: memory is looked at every 10 ms; there is one version, `$LATEST`; no extensions,
//! layers, destinations or response streaming; a synchronous answer is held until the function polls again.
//! What becomes of processes whose host is killed is told in `leftovers`, who may call in `api`.

mod access;
mod api;
mod arn;
mod config;
mod environment;
mod event_source;
mod fault;
mod function;
mod function_log;
mod invocation;
mod leftovers;
mod place;
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
pub use server::{Server, StartError};
pub use state::StateError;
pub use variables::Variables;
