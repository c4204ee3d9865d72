//! A running host, from start to graceful shutdown.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use server_kit::fault::Faults;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::access::Access;
use crate::api::{self, Api};
use crate::arn::FunctionArn;
use crate::config::Config;
use crate::environment::Blueprint;
use crate::event_source::EventSource;
use crate::fault;
use crate::function::Function;
use crate::function_log::FunctionLog;
use crate::leftovers::Leftovers;
use crate::queue::{DeadLetterQueue, Dispatcher, Queue};
use crate::schedule::Schedule;
use crate::state::State;
use crate::status::Board;

/// Time that invocations in flight have to finish at shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);
/// Limit for the whole shutdown. Processes that are left are killed when their environments are dropped.
const SHUTDOWN_MAX: Duration = Duration::from_secs(8);
/// Time that answers then have to reach their callers.
const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// A running host. [`Server::shutdown`] stops it gracefully. Dropping it stops it at once if it is idle, otherwise
/// after the last invocation.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    function: Arc<Function>,
    log: FunctionLog,
    stopping: watch::Sender<bool>,
    api: JoinHandle<io::Result<()>>,
    /// Dispatcher, schedule, event source and dead-letter queue: each ends when told to, after its invocations.
    sources: Vec<JoinHandle<()>>,
    idle: JoinHandle<()>,
    /// Declared last, so that it is unlocked last.
    _state: State,
}

impl Server {
    /// Cleans up what an earlier host left, and starts to serve. Returns once the API answers.
    pub async fn start(config: Config) -> Result<Self> {
        config.check()?;
        let access = Access::load(&config)?;
        let state = State::open(&config.state)?;
        let unusable = |source| state.unusable(source);
        let leftovers = Leftovers::open(&state.processes()).map_err(unusable)?;
        leftovers.end_all().map_err(unusable)?;
        let log = FunctionLog::open(&state.log()).map_err(unusable)?;
        let queue = Queue::open(&state.queue(), &state.dead_letters()).map_err(unusable)?;
        let listener = listen(config.listen).await?;
        let addr = listener.local_addr().map_err(unusable)?;

        let board = Arc::new(Board::default());
        let queue = Arc::new(queue);
        let token = config.control_token.clone();
        let faults = Arc::new(Faults::new(&fault::KINDS, token));
        let blueprint = blueprint(&config, &log, &board, leftovers);
        let function = Function::new(blueprint, Arc::clone(&faults));
        let stopping = watch::Sender::new(false);
        let api = Api {
            access: Arc::new(access),
            function: Arc::clone(&function),
            queue: Arc::clone(&queue),
            board: Arc::clone(&board),
            faults,
        };
        let sources = start_sources(config, &function, &queue, board, &stopping);
        Ok(Self {
            addr,
            api: tokio::spawn(serve(listener, api, stopping.subscribe())),
            sources,
            idle: tokio::spawn(end_idle(Arc::clone(&function), stopping.subscribe())),
            function,
            log,
            stopping,
            _state: state,
        })
    }

    /// Address of the API.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops accepting requests, lets invocations finish for a short time, and ends every process. Queued events stay
    /// on disk.
    pub async fn shutdown(self) {
        if timeout(SHUTDOWN_MAX, self.wind_down()).await.is_err() {
            tracing::warn!("the end was cut short: a part did not stop in time");
        }
    }

    async fn wind_down(mut self) {
        self.stopping.send_replace(true);
        self.idle.await.ok();
        self.function.stop(SHUTDOWN_GRACE).await;
        for source in self.sources {
            source.await.ok();
        }
        if timeout(ANSWER_GRACE, &mut self.api).await.is_err() {
            self.api.abort();
        }
        self.log.flush().await;
    }
}

fn start_sources(
    config: Config,
    function: &Arc<Function>,
    queue: &Arc<Queue>,
    board: Arc<Board>,
    stopping: &watch::Sender<bool>,
) -> Vec<JoinHandle<()>> {
    let mut sources = Vec::new();
    let dispatcher = Arc::new(Dispatcher {
        queue: Arc::clone(queue),
        function: Arc::clone(function),
        policy: config.asynchronous,
        board,
    });
    sources.push(tokio::spawn(dispatcher.run(stopping.subscribe())));
    let region = config.region;
    if let Some(letters) = &config.dead_letter_queue {
        let letters = DeadLetterQueue::new(letters, &region, Arc::clone(queue));
        sources.push(tokio::spawn(letters.run(stopping.subscribe())));
    }
    if let Some(source) = config.event_source {
        let source = EventSource::new(source, region.clone(), Arc::clone(function));
        sources.push(tokio::spawn(source.run(stopping.subscribe())));
    }
    if let Some(schedule) = config.schedule {
        let schedule = Schedule {
            config: schedule,
            queue: Arc::clone(queue),
            region,
            account_id: config.account_id,
        };
        sources.push(tokio::spawn(schedule.run(stopping.subscribe())));
    }
    sources
}

async fn listen(addr: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(addr)
        .await
        .with_context(|| format!("cannot listen on {addr}; is the port taken?"))
}

fn blueprint(
    config: &Config,
    log: &FunctionLog,
    board: &Arc<Board>,
    leftovers: Leftovers,
) -> Blueprint {
    let function = config.function.clone();
    Blueprint {
        binary: absolute(&function.binary),
        arn: FunctionArn::new(&config.region, &config.account_id, &function.name),
        region: config.region.clone(),
        log: log.clone(),
        board: Arc::clone(board),
        leftovers,
        function,
    }
}

/// Makes a path absolute, because the process starts in another folder.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.into())
}

async fn serve(listener: TcpListener, api: Api, stopping: watch::Receiver<bool>) -> io::Result<()> {
    axum::serve(listener, api::router(api))
        .with_graceful_shutdown(told(stopping))
        .await
}

async fn end_idle(function: Arc<Function>, stopping: watch::Receiver<bool>) {
    tokio::select! {
        () = function.end_idle() => {}
        () = told(stopping) => {}
    }
}

async fn told(mut stopping: watch::Receiver<bool>) {
    // An error means that the server was dropped, which also ends it.
    stopping.wait_for(|stopping| *stopping).await.ok();
}
