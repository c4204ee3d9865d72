//! The life of an HTTP server: a port, connections within bounds, and an end that no load balancer notices.
//!
//! On the first SIGTERM or SIGINT the server drains: `/health` turns 503 and answers say `Connection: close`,
//! while requests are served as before, so that the load balancer takes the target out before the port is
//! gone. After the drain time, or a second signal, the listener closes and open requests are finished.

mod accept;
mod connections;
mod cores;
mod idle;
mod tls;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};

use self::accept::Acceptor;
use self::connections::Connections;
use self::cores::Cores;
use self::idle::Idle;
pub(crate) use self::idle::Seat;
use self::tls::Handshakes;
pub use self::tls::Tls;
use crate::access_log;
use crate::metrics::Metrics;
use program::env::{Env, Variable};

/// Idle keep-alive connections are kept for longer than the load balancer keeps them (ALB: 60 s by default), since
/// the side that closes first risks a request that is already on its way, which a client sees as a 502.
/// hyper applies this limit to half-sent headers too.
const IDLE_OR_HEADER: Duration = Duration::from_secs(75);

/// Connections that wait to be accepted; the kernel takes the smaller of this and `net.core.somaxconn`. For one more the
/// kernel drops the client's SYN, which comes again after a second.
const BACKLOG: u32 = 4096;

/// Most open connections. For one more, the one without a complete request for longest is closed.
const CONNECTIONS_MAX: usize = 8192;

/// Where a server listens, how long it drains, and whether it speaks TLS.
#[derive(Debug, Clone)]
pub struct Listen {
    pub addr: SocketAddr,
    pub drain: Duration,
    pub tls: Option<Tls>,
}

impl Listen {
    pub const ADDR: Variable = Variable {
        name: "LISTEN_ADDR",
        default: "0.0.0.0:3000",
        help: "address and port to serve on",
    };

    pub const DRAIN: Variable = Variable {
        name: "DRAIN_SECONDS",
        default: "25",
        help: "how long /health says 503 before the port closes",
    };

    pub fn from_env(env: &mut Env) -> Self {
        let addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 3000);
        Self {
            addr: env.or(Self::ADDR.name, addr),
            // Two health checks of 10 s, and a margin.
            drain: Duration::from_secs(env.or(Self::DRAIN.name, 25)),
            tls: Tls::from_env(env),
        }
    }
}

/// Tells handlers whether the server is draining.
#[derive(Debug, Clone)]
pub struct Drain(watch::Receiver<bool>);

impl Drain {
    /// Whether the server is about to stop.
    pub fn is_draining(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once the server drains, or is gone.
    pub async fn wait_until_draining(&mut self) {
        let _ = self.0.wait_for(|draining| *draining).await;
    }
}

/// A bound port, before it serves.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    draining: watch::Sender<bool>,
    drain_time: Duration,
    tls: Option<Tls>,
    idle: Duration,
    connections_max: usize,
    cores: usize,
    /// One for each connection that may still come.
    slots: Arc<Semaphore>,
}

impl Server {
    /// Binds the port; nothing is served yet.
    #[expect(
        clippy::unused_async,
        reason = "needs a runtime, as all that is awaited"
    )]
    pub async fn bind(listen: Listen) -> Result<Self, BindError> {
        let Listen { addr, drain, tls } = listen;
        let listener = listen_on(addr)?;
        Ok(Self {
            listener,
            draining: watch::Sender::new(false),
            drain_time: drain,
            tls,
            idle: IDLE_OR_HEADER,
            connections_max: CONNECTIONS_MAX,
            cores: available_parallelism().map_or(1, NonZero::get),
            slots: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        })
    }

    /// Another limit than 75 s for idle connections and half-sent heads.
    #[must_use]
    pub fn with_idle_limit(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Another limit than 8192 for open connections.
    #[must_use]
    pub fn with_connections_max(mut self, connections_max: usize) -> Self {
        self.connections_max = connections_max;
        self.slots = Arc::new(Semaphore::new(connections_max));
        self
    }

    /// Another number of cores than the process may use.
    #[must_use]
    pub fn with_cores(mut self, cores: usize) -> Self {
        self.cores = cores;
        self
    }

    /// The address with the port that was really taken.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Returns what handlers ask whether the server drains.
    pub fn drain(&self) -> Drain {
        Drain(self.draining.subscribe())
    }

    /// Shows its connections, and whether it drains.
    pub fn register(&self, metrics: &mut Metrics) {
        let (slots, max) = (Arc::clone(&self.slots), self.connections_max);
        metrics.show("connections", "Open connections.", move || {
            max - slots.available_permits()
        });
        let drain = self.drain();
        let help = "1 while the server drains, else 0.";
        metrics.show("draining", help, move || usize::from(drain.is_draining()));
    }

    /// Serves until a signal, then drains and ends. Each core makes a router of its own, on its own runtime.
    pub async fn serve<R>(self, router: R) -> io::Result<()>
    where
        R: Fn() -> Router + Clone + Send + 'static,
    {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        self.serve_until(router, async move || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
        .await;
        access_log::flush();
        Ok(())
    }

    /// Like [`Server::serve`], with a caller's signal: its first completion starts the drain, its second ends it.
    pub async fn serve_until<R>(self, router: R, mut signal: impl AsyncFnMut())
    where
        R: Fn() -> Router + Clone + Send + 'static,
    {
        let handshakes = self.tls.map(Handshakes::start);
        let connections = Connections::new(handshakes, self.idle);
        let cores = Cores::start(self.cores, &connections, &router);
        let mut acceptor = Acceptor {
            listener: self.listener,
            slots: self.slots,
            idle: Idle::default(),
            newcomer: None,
        };
        tokio::select! {
            () = acceptor.deal_to(&cores) => {}
            () = signal() => {}
        }
        tracing::info!(drain_seconds = self.drain_time.as_secs(), "draining");
        self.draining.send_replace(true);
        tokio::select! {
            () = acceptor.deal_to(&cores) => {}
            () = tokio::time::sleep(self.drain_time) => {}
            () = signal() => {}
        }
        drop(acceptor);
        cores.finish().await;
    }
}

/// Unlike [`TcpListener::bind`], with a backlog for a burst of connections.
pub(crate) fn listen_on(addr: SocketAddr) -> Result<TcpListener, BindError> {
    let listen = || {
        let socket = match addr {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        // The port of a program that just ended is free at once.
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|source| BindError { addr, source })
}

/// The port can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {addr}; is the port taken, or the address not of this machine?")]
pub struct BindError {
    pub(crate) addr: SocketAddr,
    pub(crate) source: io::Error,
}
