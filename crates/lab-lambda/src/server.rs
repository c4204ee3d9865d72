//! A running host: everything put together, started and ended in order.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::api::{self, Api};
use crate::arn::FunctionArn;
use crate::config::{Config, ConfigError};
use crate::environment::Blueprint;
use crate::function::Function;
use crate::function_log::FunctionLog;
use crate::leftovers::Leftovers;
use crate::queue::{Dispatcher, Queue};
use crate::schedule::Schedule;
use crate::state::{State, StateError};
use crate::status::Board;

/// What invocations that run at shutdown may still take.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);
/// The whole end, whatever hangs. Processes that are left are killed as their environments are dropped.
const SHUTDOWN_MAX: Duration = Duration::from_secs(8);
/// What answers may then take to reach their callers.
const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// Why a host did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("cannot listen on {addr}; is the port taken?")]
    Listen {
        addr: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("cannot wait for signals")]
    Signals(#[source] io::Error),
}

/// A host that serves. [`Server::shutdown`] ends it in order. A drop ends it too: at once where nothing runs,
/// else with the last invocation.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    function: Arc<Function>,
    log: FunctionLog,
    stopping: watch::Sender<bool>,
    api: JoinHandle<io::Result<()>>,
    dispatcher: JoinHandle<()>,
    schedule: Option<JoinHandle<()>>,
    idle: JoinHandle<()>,
    /// Last, so that it is unlocked last.
    _state: State,
}

impl Server {
    /// Ends what an earlier host left, and serves. Returns once the API answers.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        config.check()?;
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
        let function = Function::new(blueprint(&config, &log, &board, leftovers));
        let stopping = watch::Sender::new(false);
        let api = Api {
            access_key_ids: config.access_key_ids,
            function: Arc::clone(&function),
            queue: Arc::clone(&queue),
            board: Arc::clone(&board),
        };
        let dispatcher = Arc::new(Dispatcher {
            queue: Arc::clone(&queue),
            function: Arc::clone(&function),
            policy: config.asynchronous,
            board,
        });
        let schedule = config.schedule.map(|schedule| Schedule {
            config: schedule,
            queue,
            region: config.region,
            account_id: config.account_id,
        });
        Ok(Self {
            addr,
            api: tokio::spawn(serve(listener, api, stopping.subscribe())),
            dispatcher: tokio::spawn(dispatcher.run(stopping.subscribe())),
            schedule: schedule.map(|schedule| tokio::spawn(schedule.run(stopping.subscribe()))),
            idle: tokio::spawn(end_idle(Arc::clone(&function), stopping.subscribe())),
            function,
            log,
            stopping,
            _state: state,
        })
    }

    /// Where the API listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes nothing more, gives running invocations a moment, ends every process. What is queued stays on
    /// disk.
    pub async fn shutdown(self) {
        if timeout(SHUTDOWN_MAX, self.wind_down()).await.is_err() {
            tracing::warn!("the end was cut short: a part did not stop in time");
        }
    }

    async fn wind_down(mut self) {
        self.stopping.send_replace(true);
        self.idle.await.ok();
        self.function.stop(SHUTDOWN_GRACE).await;
        self.dispatcher.await.ok();
        if let Some(schedule) = self.schedule {
            schedule.await.ok();
        }
        if timeout(ANSWER_GRACE, &mut self.api).await.is_err() {
            self.api.abort();
        }
        self.log.flush().await;
    }
}

async fn listen(addr: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(addr)
        .await
        .map_err(|source| StartError::Listen { addr, source })
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

/// The process starts in another folder, so a relative path would not be found there.
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
    // An error means that the server was dropped: an end as well.
    stopping.wait_for(|stopping| *stopping).await.ok();
}
