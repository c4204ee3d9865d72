//! A running server, from start to graceful shutdown.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use server_kit::config::ConfigError;
use server_kit::fault::Faults;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::access::Access;
use crate::api::{self, Api};
use crate::arn::Account;
use crate::config::Config;
use crate::fault;
use crate::store::{OpenError, Store};

/// Time that requests in flight have to finish at shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the root {} is in use by another server; stop that one or choose another folder", path.display())]
    InUse { path: PathBuf },
    #[error("cannot use the root {}", path.display())]
    Root {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot listen on {addr}; is the port taken?")]
    Listen {
        addr: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("cannot wait for signals")]
    Signals(#[source] io::Error),
}

/// A running server. [`Server::shutdown`] stops it gracefully; dropping it stops it at once.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    stopping: watch::Sender<bool>,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Opens the queues and starts to serve. Returns once the API answers.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        config.check()?;
        let access = Access::load(&config)?;
        let Config {
            listen,
            root: path,
            queues,
            ..
        } = config;
        let store = Store::open(&path, queues).map_err(|error| match error {
            OpenError::InUse => StartError::InUse { path },
            OpenError::Disk(source) => StartError::Root { path, source },
        })?;
        let bound = |source| StartError::Listen {
            addr: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(bound)?;
        let addr = listener.local_addr().map_err(bound)?;
        let stopping = watch::Sender::new(false);
        let api = Api {
            account: Account {
                region: config.region,
                id: config.account_id,
            },
            access,
            store: Arc::new(store),
            faults: Faults::new(&fault::KINDS, config.control_token),
            stopping: stopping.subscribe(),
        };
        let told = told(stopping.subscribe());
        let task = tokio::spawn(async move {
            axum::serve(listener, api::router(Arc::new(api)))
                .with_graceful_shutdown(told)
                .await
        });
        Ok(Self {
            addr,
            stopping,
            task,
        })
    }

    /// Address of the API.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops accepting requests, answers long polls with what there is, and lets other requests finish for a short
    /// time.
    pub async fn shutdown(mut self) {
        self.stopping.send_replace(true);
        if timeout(SHUTDOWN_GRACE, &mut self.task).await.is_err() {
            tracing::warn!("requests were cut off at the end");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn told(mut stopping: watch::Receiver<bool>) {
    // An error means that the server was dropped, which also ends it.
    stopping.wait_for(|stopping| *stopping).await.ok();
}
