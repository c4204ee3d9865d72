//! The deployed function: its concurrency, and its idle environments.
//!
//! Every source of events takes two steps: it reserves a [`ConcurrencySlot`], then runs one invocation in it.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use server_kit::fault::Faults;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::arn::FunctionArn;
use crate::concurrency_slot::{ConcurrencySlot, Source, end};
use crate::config::FunctionConfig;
use crate::environment::{Blueprint, Environment};
use crate::fault::{self, InjectedFault};
use crate::invocation::{Failure, Invocation, Outcome, Run};
use crate::sync::lock;

/// Lambda's own limit for the init of an on-demand function.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// How often environments are checked for having been idle too long.
const IDLE_CHECK_EVERY: Duration = Duration::from_secs(1);
/// How long a queued event waits after a fault throttled it.
const THROTTLED_FOR: Duration = Duration::from_millis(100);

/// All concurrency is in use.
#[derive(Debug)]
pub struct Throttled;

/// The host stopped before the invocation was complete.
#[derive(Debug)]
pub struct Stopped;

/// The one function of this host.
#[derive(Debug)]
pub struct Function {
    blueprint: Arc<Blueprint>,
    faults: Arc<Faults>,
    places: Arc<Semaphore>,
    /// Frozen environments, most recently used last.
    idle: Mutex<Vec<Environment>>,
    stopped: watch::Sender<bool>,
}

impl Function {
    pub fn new(blueprint: Blueprint, faults: Arc<Faults>) -> Arc<Self> {
        let concurrency = usize::try_from(blueprint.function.concurrency).unwrap_or(1);
        Arc::new(Self {
            blueprint: Arc::new(blueprint),
            faults,
            places: Arc::new(Semaphore::new(concurrency)),
            idle: Mutex::default(),
            stopped: watch::Sender::new(false),
        })
    }

    pub fn arn(&self) -> &FunctionArn {
        &self.blueprint.arn
    }

    pub fn config(&self) -> &FunctionConfig {
        &self.blueprint.function
    }

    /// Returns the number of invocations in flight.
    pub fn running(&self) -> usize {
        let concurrency = usize::try_from(self.config().concurrency).unwrap_or_default();
        concurrency.saturating_sub(self.places.available_permits())
    }

    /// Returns a slot if one is free now: for callers that wait for the answer.
    pub fn try_reserve(self: &Arc<Self>) -> Result<ConcurrencySlot, Throttled> {
        let permit = Arc::clone(&self.places).try_acquire_owned();
        match permit {
            Ok(permit) if !self.is_throttled() => Ok(ConcurrencySlot {
                function: Arc::clone(self),
                permit,
                source: Source::Caller,
            }),
            _ => {
                self.blueprint.board.count(|counts| counts.throttles += 1);
                Err(Throttled)
            }
        }
    }

    /// Waits for the next free slot: for queued events.
    pub async fn reserve(self: &Arc<Self>) -> Result<ConcurrencySlot, Stopped> {
        loop {
            let permit = Arc::clone(&self.places).acquire_owned().await;
            let permit = permit.map_err(|_| Stopped)?;
            if !self.is_throttled() {
                return Ok(ConcurrencySlot {
                    function: Arc::clone(self),
                    permit,
                    source: Source::Queue,
                });
            }
            drop(permit);
            sleep(THROTTLED_FOR).await;
        }
    }

    fn is_throttled(&self) -> bool {
        self.faults.inject(fault::THROTTLE).is_some()
    }

    /// Ends environments that have been idle too long, as long as it is polled.
    pub async fn end_idle(&self) {
        loop {
            sleep(IDLE_CHECK_EVERY).await;
            let over: Vec<_> = lock(&self.idle)
                .extract_if(.., |environment| {
                    !environment.is_alive() || environment.is_expired()
                })
                .collect();
            for environment in over {
                environment.end().await;
            }
        }
    }

    /// Lets invocations in flight finish within `grace`, aborts the rest, and ends every process.
    pub async fn stop(&self, grace: Duration) {
        let all = self.config().concurrency;
        if timeout(grace, self.places.acquire_many(all)).await.is_err() {
            tracing::warn!(
                running = self.running(),
                "aborting invocations: the host is shutting down"
            );
        }
        self.stopped.send_replace(true);
        let places = self.places.acquire_many(all).await;
        self.places.close();
        drop(places);
        let idle = std::mem::take(&mut *lock(&self.idle));
        for environment in idle {
            environment.end().await;
        }
    }

    /// Becomes true when invocations are aborted.
    pub fn stopped(&self) -> watch::Receiver<bool> {
        self.stopped.subscribe()
    }

    /// Keeps a frozen environment for the next invocation.
    pub fn keep(&self, environment: Option<Environment>) {
        lock(&self.idle).extend(environment);
    }

    pub fn take_idle(&self) -> Option<Environment> {
        let mut idle = lock(&self.idle);
        // Drops an environment that was killed from outside meanwhile.
        std::iter::from_fn(|| idle.pop())
            .find_map(|mut environment| environment.is_alive().then_some(environment))
    }

    /// Runs one invocation in `slot`, starting an environment if it is empty. Returns whether the environment can be
    /// used again.
    pub async fn drive(
        &self,
        slot: &mut Option<Environment>,
        invocation: &Invocation,
        source: Source,
        result: &mut Option<Run>,
    ) -> bool {
        if let Some(pause) = self.faults.inject(fault::SLOW) {
            sleep(pause).await;
        }
        let run = result.insert(self.run(slot, invocation).await);
        let succeeded = matches!(run.outcome, Outcome::Success(_));
        let mut reusable = settle(slot).await;
        if succeeded
            && reusable
            && source == Source::Queue
            && self.faults.inject(fault::DUPLICATE).is_some()
        {
            self.run(slot, invocation).await;
            reusable = settle(slot).await;
        }
        reusable
    }

    async fn run(&self, slot: &mut Option<Environment>, invocation: &Invocation) -> Run {
        let injected = InjectedFault::draw(&self.faults);
        let mut run = match self.fill(slot).await {
            Ok(environment) => environment.run(invocation, injected).await,
            Err(error) => self.not_started(invocation, &error),
        };
        if matches!(run.outcome, Outcome::Success(_))
            && self.faults.inject(fault::ANSWER_LOST).is_some()
        {
            run.outcome = Outcome::Failure(Failure::answer_lost(invocation.request_id));
        }
        self.blueprint.board.ran(invocation, &run);
        run
    }

    async fn fill<'a>(&self, slot: &'a mut Option<Environment>) -> io::Result<&'a mut Environment> {
        if slot.is_none() {
            let environment = slot.insert(self.launch().await?);
            if !environment.initialise(INIT_LIMIT).await {
                // As on Lambda, a failed init is repeated as part of the invocation, within the function's own timeout.
                end(slot.take()).await;
                *slot = Some(self.launch().await?);
            }
        }
        slot.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    async fn launch(&self) -> io::Result<Environment> {
        Environment::launch(Arc::clone(&self.blueprint)).await
    }

    fn not_started(&self, invocation: &Invocation, error: &io::Error) -> Run {
        let binary = self.blueprint.binary.display();
        tracing::error!(%binary, %error, "the function's binary cannot be started");
        let reason = format!("fork/exec {binary}: {error}");
        Run {
            outcome: Outcome::Failure(Failure::not_started(invocation.request_id, &reason)),
            cold: true,
            duration: Duration::ZERO,
            init: None,
            peak_memory_mb: 0,
            log_tail: Vec::new(),
        }
    }
}

async fn settle(slot: &mut Option<Environment>) -> bool {
    match slot {
        Some(environment) => environment.settle().await,
        None => false,
    }
}
