//! A running server, from start to graceful shutdown.

use std::io;
use std::net::SocketAddr;
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
use crate::arn::Account;
use crate::config::Config;
use crate::fault;
use crate::store::Store;

/// Time that requests in flight have to finish at shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);

/// A running server. [`Server::shutdown`] stops it gracefully; dropping it stops it at once.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    stopping: watch::Sender<bool>,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Opens the queues and starts to serve. Returns once the API answers.
    pub async fn start(config: Config) -> Result<Self> {
        config.check()?;
        let access = Access::load(&config)?;
        let Config {
            listen,
            root,
            queues,
            ..
        } = config;
        let store = Store::open(&root, queues)?;
        let failed = || format!("cannot listen on {listen}; is the port taken?");
        let listener = TcpListener::bind(listen).await.with_context(failed)?;
        let addr = listener.local_addr().with_context(failed)?;
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
