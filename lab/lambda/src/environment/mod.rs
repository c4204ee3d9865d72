//! Execution environments: a process of the function's binary with a Runtime API of its own.
//!
//! [`Environment::launch`] starts the process, [`Environment::initialise`] waits for its first poll,
//! [`Environment::run`] runs one invocation in it, and [`Environment::settle`] freezes it when it polls again.
//! [`crate::function`] decides who may use one, and when.

mod exchange;
mod output;
mod process;
mod runtime_api;
mod variables;

use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::process::Command;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::arn::FunctionArn;
use crate::config::FunctionConfig;
use crate::fault::InjectedFault;
use crate::function_log::{FunctionLog, LogStream};
use crate::invocation::{Failure, FailureCause, Invocation, Outcome, Run};
use crate::leftovers::Leftovers;
use crate::proc;
use crate::report;
use crate::status::{Board, EnvironmentState, Listing};
use crate::timestamp::Timestamp;
use exchange::{Answer, Delivery};
use output::Output;
use process::Process;
use runtime_api::{RESPONSE_BYTES_MAX, RuntimeApi};

/// What every environment of a function is created from.
#[derive(Debug)]
pub struct Blueprint {
    pub function: FunctionConfig,
    /// Absolute path.
    pub binary: PathBuf,
    pub arn: FunctionArn,
    pub region: String,
    pub log: FunctionLog,
    pub board: Arc<Board>,
    pub leftovers: Leftovers,
}

impl Blueprint {
    /// Folder of the binary: `/var/task` on AWS.
    fn task_root(&self) -> &Path {
        self.binary.parent().unwrap_or(Path::new("/"))
    }
}

/// A running process of the function. Dropping it ends the process; [`Environment::end`] also waits.
#[derive(Debug)]
pub struct Environment {
    blueprint: Arc<Blueprint>,
    process: Process,
    runtime: RuntimeApi,
    output: Output,
    stream: LogStream,
    listing: Listing,
    launched: Instant,
    /// Duration of the init; reported once, by the first invocation.
    init: Option<Duration>,
    /// Deadline of the current or latest invocation.
    deadline: Instant,
    frozen_since: Instant,
    runs: u64,
    peak_memory_mb: u64,
}

/// Why waiting for the function failed.
#[derive(Debug)]
enum Interruption {
    InitError(Bytes),
    Exited(Option<String>),
    DeadlinePassed,
}

impl Environment {
    /// Starts the process, which begins its init.
    pub async fn launch(blueprint: Arc<Blueprint>) -> io::Result<Self> {
        let runtime = RuntimeApi::listen().await?;
        let stream = LogStream::new(stream_name(), blueprint.log.clone());
        stream.line(report::init_start().as_bytes()).await;
        let mut command = Command::new(&blueprint.binary);
        command
            .env_clear()
            .envs(variables::of(&blueprint, runtime.addr(), stream.name()))
            .current_dir(blueprint.task_root());
        let (process, pipe) = Process::start(command, &blueprint.leftovers)?;
        let now = Instant::now();
        Ok(Self {
            output: Output::forward(pipe, stream.clone())?,
            listing: blueprint.board.list(stream.name(), process.pid()),
            blueprint,
            process,
            runtime,
            stream,
            launched: now,
            init: None,
            deadline: now,
            frozen_since: now,
            runs: 0,
            peak_memory_mb: 0,
        })
    }

    /// Waits until the function polls for work; returns `false` if it fails to do so within `limit`.
    pub async fn initialise(&mut self, limit: Duration) -> bool {
        let outcome = self.until_ready(self.launched + limit).await;
        let took = self.launched.elapsed();
        let status = match outcome {
            Ok(()) => {
                self.init = Some(took);
                return true;
            }
            Err(Interruption::DeadlinePassed) => "timeout",
            Err(Interruption::InitError(_) | Interruption::Exited(_)) => "error",
        };
        self.output.flush().await;
        self.stream
            .line(report::init_report(took, status).as_bytes())
            .await;
        false
    }

    /// Runs one invocation. Afterwards the process is idle or dead.
    pub async fn run(&mut self, invocation: &Invocation, injected: InjectedFault) -> Run {
        let Invocation { request_id, .. } = *invocation;
        let timeout = self.blueprint.function.timeout();
        let timeout = injected.times_out_after.unwrap_or(timeout).min(timeout);
        self.stream.line(report::start(request_id).as_bytes()).await;
        self.listing.set(EnvironmentState::Running);
        self.process.thaw();
        self.runs += 1;
        let begun = Instant::now();
        self.deadline = begun + timeout;
        let outcome = match self.invoke(invocation, injected).await {
            Ok(outcome) => outcome,
            Err(interruption) => Outcome::Failure(interruption.into_failure(request_id, timeout)),
        };
        // No process can hold more memory than the machine has.
        let memory_mb = self.blueprint.function.memory_mb.into();
        self.peak_memory_mb = self.peak_memory_mb.max(self.process.peak_memory_mb());
        let mut run = Run {
            outcome,
            cold: self.runs == 1,
            duration: begun.elapsed().min(timeout),
            init: self.init.take(),
            peak_memory_mb: self.peak_memory_mb.min(memory_mb),
            log_tail: Vec::new(),
        };
        self.conclude(request_id, timeout, &mut run).await;
        run
    }

    /// Waits until the function polls again, and freezes it; returns `false` if it does not poll by the deadline.
    pub async fn settle(&mut self) -> bool {
        if !self.process.is_alive() || self.until_ready(self.deadline).await.is_err() {
            return false;
        }
        self.process.freeze();
        self.frozen_since = Instant::now();
        self.listing.set(EnvironmentState::Frozen);
        true
    }

    pub fn is_alive(&mut self) -> bool {
        self.process.is_alive()
    }

    /// Whether it has been frozen for longer than the function's idle time.
    pub fn is_expired(&self) -> bool {
        self.frozen_since.elapsed() >= self.blueprint.function.idle()
    }

    /// Kills the process and waits until it is gone. There is no SIGTERM first: Lambda sends that only to functions
    /// with extensions.
    pub async fn end(mut self) {
        self.process.kill().await;
        self.output.flush().await;
    }

    async fn invoke(
        &mut self,
        invocation: &Invocation,
        injected: InjectedFault,
    ) -> Result<Outcome, Interruption> {
        let (begun, deadline) = (Instant::now(), self.deadline);
        // Returns at once, unless the first init failed and this one is part of the invocation.
        self.until_ready(deadline).await?;
        // The deadline that the function is told is real, unless a fault brings it forward.
        let allowed = self.blueprint.function.timeout();
        let remaining = allowed.saturating_sub(begun.elapsed());
        let answer = self.runtime.exchange().deliver(Delivery {
            request_id: invocation.request_id,
            payload: invocation.payload.clone(),
            deadline_ms: Timestamp::now().unix_milliseconds(remaining),
            function_arn: self.blueprint.arn.to_string(),
            trace_id: trace_id(invocation.request_id),
        });
        let out_of_memory = self.out_of_memory();
        tokio::select! {
            biased;
            Ok(answer) = answer => Ok(answer.into()),
            termination = self.process.exited() => Err(Interruption::Exited(termination)),
            () = out_of_memory => Err(self.kill_for_memory().await),
            () = sleep_until(deadline) => Err(Interruption::DeadlinePassed),
            () = after(injected.killed_after) => {
                Err(Interruption::Exited(self.process.kill().await))
            }
        }
    }

    async fn until_ready(&mut self, deadline: Instant) -> Result<(), Interruption> {
        let out_of_memory = self.out_of_memory();
        tokio::select! {
            biased;
            ready = self.runtime.exchange().ready() => ready.map_err(Interruption::InitError),
            termination = self.process.exited() => Err(Interruption::Exited(termination)),
            () = out_of_memory => Err(self.kill_for_memory().await),
            () = sleep_until(deadline) => Err(Interruption::DeadlinePassed),
        }
    }

    /// Resolves when the process has held more memory than the function may. The pid belongs to the process as long as
    /// the environment exists.
    fn out_of_memory(&self) -> impl Future<Output = ()> + use<> {
        let limit_kib = u64::from(self.blueprint.function.memory_mb) * 1024;
        proc::exceeds(self.process.pid(), limit_kib)
    }

    /// Kills the process and reports it in Lambda's words.
    async fn kill_for_memory(&mut self) -> Interruption {
        self.peak_memory_mb = self.process.peak_memory_mb();
        self.process.kill().await;
        Interruption::Exited(Some("signal: killed".to_owned()))
    }

    /// Kills a process that cannot continue, and writes the platform's final log lines.
    async fn conclude(&mut self, request_id: Uuid, timeout: Duration, run: &mut Run) {
        let memory_mb = self.blueprint.function.memory_mb;
        if let Outcome::Failure(Failure {
            cause: cause @ (FailureCause::Timeout | FailureCause::Exit),
            ..
        }) = run.outcome
        {
            self.process.kill().await;
            if cause == FailureCause::Timeout {
                let line = report::timed_out(request_id, timeout);
                self.stream.line(line.as_bytes()).await;
            }
        }
        self.output.flush().await;
        self.stream.line(report::end(request_id).as_bytes()).await;
        let line = report::report(request_id, run, memory_mb);
        self.stream.line(line.as_bytes()).await;
        run.log_tail = self.stream.take_tail();
    }
}

/// Sleeps for this time, or forever if there is none.
async fn after(time: Option<Duration>) {
    match time {
        Some(time) => sleep(time).await,
        None => pending().await,
    }
}

impl Interruption {
    fn into_failure(self, request_id: Uuid, timeout: Duration) -> Failure {
        match self {
            Self::InitError(report) => Failure::reported(report),
            Self::Exited(termination) => Failure::exited(request_id, termination.as_deref()),
            Self::DeadlinePassed => Failure::timed_out(request_id, timeout),
        }
    }
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Response(body) => Self::Success(body),
            Answer::Error(body) => Self::Failure(Failure::reported(body)),
            Answer::TooLarge => Self::Failure(Failure::response_too_large(RESPONSE_BYTES_MAX)),
        }
    }
}

/// Returns a stream name in CloudWatch's format: `2026/11/22/[$LATEST]` and a unique part.
fn stream_name() -> String {
    let date = Timestamp::now().date().to_string().replace('-', "/");
    format!("{date}/[$LATEST]{}", Uuid::now_v7().simple())
}

/// Returns an X-Ray header of an unsampled trace. A version 7 id begins with a timestamp, as a trace's root must.
fn trace_id(request_id: Uuid) -> String {
    let hex = request_id.simple().to_string();
    let seconds = request_id
        .get_timestamp()
        .map_or(0, |timestamp| timestamp.to_unix().0);
    format!(
        "Root=1-{seconds:08x}-{};Parent={};Sampled=0",
        &hex[8..],
        &hex[16..]
    )
}
