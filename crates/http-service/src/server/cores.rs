//! One thread a core, each with a runtime and connections of its own.
//!
//! A request is read, handled and answered on one thread: it wakes no other, and what it uses is in that core's cache.
//! Connections are dealt out one by one, to the core with the fewest, since a load balancer holds few of them.

use std::io;
use std::sync::Arc;
use std::thread;

use axum::Router;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::connections::Connections;
use super::idle::Seat;

/// A connection, on its way to the core that serves it.
pub(super) type Newcomer = (std::net::TcpStream, Slot, Arc<Seat>);

/// One connection's share of the bound of all; counts among its core's as long as it lives.
#[derive(Debug)]
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    _of_core: Arc<()>,
}

#[derive(Debug)]
pub(super) struct Cores(Vec<Core>);

#[derive(Debug)]
struct Core {
    newcomers: mpsc::UnboundedSender<Newcomer>,
    /// One more reference for each open connection.
    open: Arc<()>,
    ended: oneshot::Receiver<()>,
}

impl Cores {
    /// The first is the caller's thread, which has other tasks, too.
    pub(super) fn start<R>(count: usize, connections: &Connections, router: &R) -> Self
    where
        R: Fn() -> Router + Clone + Send + 'static,
    {
        let mut cores = vec![Core::here(connections.clone(), router)];
        for number in 1..count {
            match Core::on_thread(number, connections.clone(), router.clone()) {
                Ok(core) => cores.push(core),
                Err(error) => tracing::warn!(error = %error, "one core less serves: no thread"),
            }
        }
        Self(cores)
    }

    pub(super) fn serve(&self, stream: TcpStream, permit: OwnedSemaphorePermit, seat: Arc<Seat>) {
        let fewest = self.0.iter().rev().min_by_key(|core| core.connections());
        let (Some(core), Ok(stream)) = (fewest, stream.into_std()) else {
            return;
        };
        let slot = Slot {
            _permit: permit,
            _of_core: Arc::clone(&core.open),
        };
        // Its receiver lives until the sender is dropped.
        let _ = core.newcomers.send((stream, slot, seat));
    }

    /// Once all connections are closed.
    pub(super) async fn finish(self) {
        let ends: Vec<_> = self.0.into_iter().map(|core| core.ended).collect();
        for ended in ends {
            let _ = ended.await;
        }
    }
}

impl Core {
    fn here<R: Fn() -> Router>(connections: Connections, router: &R) -> Self {
        let (core, newcomers, end) = Self::new();
        let served = connections.serve(router(), newcomers);
        tokio::spawn(async move {
            served.await;
            let _ = end.send(());
        });
        core
    }

    fn on_thread<R>(number: usize, connections: Connections, router: R) -> io::Result<Self>
    where
        R: Fn() -> Router + Send + 'static,
    {
        let (core, newcomers, end) = Self::new();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let name = format!("core-{number}");
        thread::Builder::new().name(name).spawn(move || {
            // The router is made where it runs: what it starts runs there, too.
            runtime.block_on(async { connections.serve(router(), newcomers).await });
            let _ = end.send(());
        })?;
        Ok(core)
    }

    fn new() -> (Self, mpsc::UnboundedReceiver<Newcomer>, oneshot::Sender<()>) {
        let (newcomers, receiver) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let core = Self {
            newcomers,
            open: Arc::default(),
            ended,
        };
        (core, receiver, end)
    }

    fn connections(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }
}
