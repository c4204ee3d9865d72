//! Connections of one core: served, and at the end brought to theirs.

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
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::cores::{Newcomer, Slot};
use super::idle::Seat;
use super::tls::Handshakes;

/// Bytes of one request's head; hyper would buffer some 400 KB.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How long open requests have to finish once the listener is closed: longer than any request's deadline.
const FINISH: Duration = Duration::from_secs(12);

/// Connections of one core.
#[derive(Clone)]
pub(super) struct Connections {
    http: http1::Builder,
    /// Where the server speaks TLS.
    handshakes: Option<Handshakes>,
}

impl Connections {
    pub(super) fn new(handshakes: Option<Handshakes>, idle: Duration) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(idle)
            .max_buf_size(HEAD_BYTES_MAX);
        Self { http, handshakes }
    }

    /// Serves those that come until no more can, and then to their ends.
    pub(super) async fn serve(
        self,
        router: Router,
        mut newcomers: mpsc::UnboundedReceiver<Newcomer>,
    ) {
        let open = Open {
            connections: self,
            router,
            graceful: GracefulShutdown::new(),
            handshaking: watch::Sender::default(),
        };
        while let Some((stream, slot, seat)) = newcomers.recv().await {
            match TcpStream::from_std(stream) {
                Ok(stream) => open.start(stream, slot, seat),
                Err(error) => tracing::warn!(error = %error, "a connection could not be served"),
            }
        }
        open.finish().await;
    }
}

/// What is open on one core.
struct Open {
    connections: Connections,
    router: Router,
    graceful: GracefulShutdown,
    /// Dropped at the end, so that no handshake holds it up.
    handshaking: watch::Sender<()>,
}

impl Open {
    fn start(&self, stream: TcpStream, slot: Slot, seat: Arc<Seat>) {
        // Answers are single small writes: waiting to fill a segment only adds delay.
        let _ = stream.set_nodelay(true);
        let Connections { http, handshakes } = &self.connections;
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
        let Some(handshakes) = handshakes else {
            let connection = http.serve_connection(TokioIo::new(stream), service);
            hold(slot, seat, self.graceful.watch(connection));
            return;
        };
        // Without a request meanwhile, it gives way like any other that is idle.
        let handshake = handshakes.accept(stream);
        let (http, watcher) = (http.clone(), self.graceful.watcher());
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

    async fn finish(self) {
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
    slot: Slot,
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
