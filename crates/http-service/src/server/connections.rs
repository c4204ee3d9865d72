//! Open connections: accepted within a bound, served, and at the end brought to theirs.
//!
//! At the bound nobody is kept out for long: a connection without a whole request gives way to the next one. Those with
//! one are bounded by the deadlines of the layers, so that a load balancer's health check always gets through.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::idle::{Idle, Seat};
use super::tls::Handshakes;

/// Bytes of one request's head; hyper would buffer some 400 KB.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How long open requests have to finish once the listener is closed: longer than any request's deadline.
const FINISH: Duration = Duration::from_secs(12);

/// Pause after the system could not give a file descriptor, so that the accept loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Connections {
    http: http1::Builder,
    router: Router,
    /// Where the server speaks TLS.
    handshakes: Option<Handshakes>,
    slots: Arc<Semaphore>,
    idle: Idle,
    /// Accepted, and not yet served. Kept here, so that it is not lost if the drain begins at that moment.
    newcomer: Option<TcpStream>,
    graceful: GracefulShutdown,
    /// Dropped at the end, so that no handshake holds it up.
    handshaking: watch::Sender<()>,
}

impl Connections {
    pub(super) fn new(
        router: Router,
        handshakes: Option<Handshakes>,
        idle: Duration,
        slots: Arc<Semaphore>,
    ) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(idle)
            .max_buf_size(HEAD_BYTES_MAX);
        Self {
            http,
            router,
            handshakes,
            slots,
            idle: Idle::default(),
            newcomer: None,
            graceful: GracefulShutdown::new(),
            handshaking: watch::Sender::default(),
        }
    }

    /// Never returns; the caller drops it.
    pub(super) async fn accept_from(&mut self, listener: &TcpListener) {
        loop {
            if self.newcomer.is_none() {
                self.newcomer = self.accept(listener).await;
            }
            let Some(slot) = self.slot().await else {
                return;
            };
            if let Some(stream) = self.newcomer.take() {
                self.start(stream, slot);
            }
        }
    }

    async fn accept(&self, listener: &TcpListener) -> Option<TcpStream> {
        match listener.accept().await {
            Ok((stream, _)) => return Some(stream),
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be accepted");
                self.idle.give_way();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        None
    }

    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        let slots = Arc::clone(&self.slots);
        if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
            return Some(slot);
        }
        self.idle.give_way();
        // The semaphore is never closed.
        let slot = slots.acquire_owned().await.ok();
        self.idle.given_way();
        slot
    }

    fn start(&self, stream: TcpStream, slot: OwnedSemaphorePermit) {
        // Answers are single small writes: waiting to fill a segment only adds delay.
        let _ = stream.set_nodelay(true);
        let seat = self.idle.seat();
        let router = TowerToHyperService::new(self.router.clone());
        let service = {
            let seat = Arc::clone(&seat);
            service_fn(move |mut request: Request<Incoming>| {
                let busy = seat.busy();
                if !request.body().is_end_stream() {
                    request.extensions_mut().insert(Arc::clone(&seat));
                }
                let answer = router.call(request);
                async move {
                    let answer = answer.await;
                    drop(busy);
                    answer
                }
            })
        };
        let Some(handshakes) = &self.handshakes else {
            let connection = self.http.serve_connection(TokioIo::new(stream), service);
            hold(slot, seat, self.graceful.watch(connection));
            return;
        };
        // Without a request meanwhile, it gives way like any other that is idle.
        let handshake = handshakes.accept(stream);
        let (http, watcher) = (self.http.clone(), self.graceful.watcher());
        let mut handshaking = self.handshaking.subscribe();
        hold(slot, seat, async move {
            let stream = tokio::select! {
                stream = handshake => stream,
                _ = handshaking.changed() => None,
            };
            let Some(stream) = stream else {
                return Ok(());
            };
            let connection = http.serve_connection(TokioIo::new(stream), service);
            watcher.watch(connection).await
        });
    }

    pub(super) async fn finish(self) {
        drop(self.handshaking);
        let open = self.graceful.count();
        if tokio::time::timeout(FINISH, self.graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!(open, "requests were cut off: they did not finish in time");
        }
    }
}

/// Serves a connection to its end, or until it is asked to give way; its slot is free then.
fn hold(
    slot: OwnedSemaphorePermit,
    seat: Arc<Seat>,
    connection: impl Future<Output = hyper::Result<()>> + Send + 'static,
) {
    tokio::spawn(async move {
        tokio::select! {
            biased;
            ended = connection => if let Err(error) = ended {
                tracing::debug!(error = %error, "a connection ended early");
            },
            () = seat.asked_to_go() => tracing::debug!("a connection gave way"),
        }
        drop(slot);
    });
}

/// The client was gone before it was accepted. Other errors tell that this system has no file descriptor or memory.
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}
