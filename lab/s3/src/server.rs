//! The server: its assembly, its connections, its shutdown.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use server_kit::fault::Faults;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::access::Access;
use crate::clock::Clock;
use crate::config::{Checked, Config, check};
use crate::error::Error;
use crate::fault::{RequestFaults, kinds};
use crate::front::Front;
use crate::notify::{Notifier, RegionAccount};
use crate::ops::{ObjectWriter, Ops};
use crate::store::{Store, Uploads};

const MAX_CONNECTIONS: usize = 1024;
/// Timeout of a request's head, and of an idle connection: longer than clients keep one idle.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// Time that requests in flight have to finish at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest XML body: a `DeleteObjects` of a thousand keys.
const MAX_XML: usize = 4 * 1024 * 1024;
/// Delay after a failed accept, for example when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running server. Dropping it stops it too, without waiting.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Opens the root, loads the policies and listens. Undelivered events of an earlier run are sent again.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let checked = check(config)?;
        let listen = checked.listen;
        let mut deliveries = JoinSet::new();
        let front = Arc::new(assemble(checked, &mut deliveries).await?);
        let bound = |source| Error::Listen {
            addr: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(bound)?;
        let addr = listener.local_addr().map_err(bound)?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            serve(listener, front, stopped).await;
            deliveries.shutdown().await;
        });
        tracing::info!(%addr, "listening");
        Ok(Self { addr, stop, task })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops accepting connections, lets requests in flight finish, and stops. Undelivered events stay in the spool.
    pub async fn shutdown(self) {
        let Self { stop, task, .. } = self;
        drop(stop);
        if let Err(error) = task.await {
            tracing::error!(%error, "the server ended badly");
        }
    }
}

async fn assemble(config: Checked, deliveries: &mut JoinSet<()>) -> Result<Front, Error> {
    let root = config.root;
    std::fs::create_dir_all(&root).map_err(|source| Error::Root {
        path: root.clone(),
        source,
    })?;
    let buckets = config.buckets.iter();
    let buckets = buckets.map(|bucket| (bucket.name.as_str(), bucket.object_lock));
    let store = Arc::new(Store::open(&root, buckets.collect()).await?);
    let uploads = Arc::new(Uploads::open(&root)?);
    let clock = Arc::new(Clock::default());
    if let Some(newest) = store.newest() {
        clock.advance_past(newest);
    }
    let (mut policies, mut rules) = (HashMap::new(), HashMap::new());
    for bucket in config.buckets {
        policies.extend(bucket.policy.map(|policy| (bucket.name.clone(), policy)));
        rules.insert(bucket.name, bucket.rules);
    }
    let faults = Arc::new(Faults::new(&kinds::KINDS, config.control_token));
    let admins = config.identities.iter().filter(|identity| identity.admin);
    let admins = admins
        .map(|identity| identity.access_key_id.clone())
        .collect();
    let account = config.account;
    let notifier = Notifier::start(
        &root,
        RegionAccount {
            region: config.region.clone(),
            account: account.clone(),
        },
        rules,
        &store,
        &faults,
        deliveries,
    )?;
    let access = Access::new(
        account,
        config.identities,
        policies,
        Arc::clone(&store),
        Arc::clone(&uploads),
    );
    let s3 = protocol(Ops {
        store,
        uploads,
        access,
        writer: ObjectWriter {
            clock,
            notifier: Arc::new(notifier),
            faults: Arc::clone(&faults),
        },
        region: config.region,
        put_latency: config.put_latency,
    });
    Ok(Front::new(s3, RequestFaults::new(faults, admins)))
}

fn protocol(ops: Ops) -> S3Service {
    let mut config = S3Config::default();
    config.xml_max_body_size = MAX_XML;
    let access = ops.access.clone();
    let mut builder = S3ServiceBuilder::new(ops);
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    // s3s checks access only if there is an auth provider: never set one without the other.
    builder.set_auth(access.clone());
    builder.set_access(access);
    builder.build()
}

async fn serve(listener: TcpListener, front: Arc<Front>, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        tokio::select! {
            _ = &mut stopped => break,
            accepted = accept(&listener, &permits) => {
                let (stream, peer, permit) = accepted;
                connect(stream, peer, permit, &front, &graceful, &mut connections);
            }
        }
    }
    drop(listener);
    front.stop();
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests were cut off at the end");
    }
    connections.shutdown().await;
}

/// Returns the next connection, once a permit is free for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    let permit = Arc::clone(permits).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn connect(
    stream: TcpStream,
    peer: SocketAddr,
    permit: Option<OwnedSemaphorePermit>,
    front: &Arc<Front>,
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY not set");
    }
    let front = Arc::clone(front);
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { front.handle(request, peer).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    connections.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended badly");
        }
        drop(permit);
    });
}
