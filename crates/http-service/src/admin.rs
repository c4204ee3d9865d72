//! A second listener, for who operates the tier: `/metrics`, and `/ready`, which unlike `/health` looks behind.
//!
//! It is no load balancer's business: an outage behind would take every target out at once.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::metrics::Metrics;
use crate::server::{BindError, listen_on};
use program::env::{Env, Variable};

/// An answer is kept this long, however often it is asked for.
const FRESH: Duration = Duration::from_secs(5);

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a tier needs behind it.
pub trait Readiness: Send + Sync + 'static {
    /// Whether it is there; if not, why.
    fn check(&self) -> impl Future<Output = Result<(), String>> + Send;
}

/// A bound port, before it serves.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    addr: SocketAddr,
}

impl Admin {
    pub const ADDR: Variable = Variable {
        name: "ADMIN_LISTEN_ADDR",
        default: "127.0.0.1:9464",
        help: "address and port of /metrics and /ready",
    };

    pub fn addr_from_env(env: &mut Env) -> SocketAddr {
        let addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);
        env.or(Self::ADDR.name, addr)
    }

    /// Binds the port; nothing is served yet.
    #[expect(
        clippy::unused_async,
        reason = "needs a runtime, as all that is awaited"
    )]
    pub async fn bind(addr: SocketAddr) -> Result<Self, BindError> {
        let failed = |source| BindError { addr, source };
        let listener = listen_on(addr)?;
        let addr = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, addr })
    }

    /// Serves for as long as the answer is kept.
    pub fn serve(self, metrics: Metrics, readiness: impl Readiness) -> Serving {
        let router = router(metrics, readiness);
        let Self { listener, addr } = self;
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(error = %error, "the admin listener broke");
            }
        });
        Serving { addr, task }
    }
}

/// Ends the listener when it is dropped: there is nothing here that would have to be finished.
#[derive(Debug)]
pub struct Serving {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Serving {
    /// The address with the port that was really taken.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Shared<R> {
    metrics: Metrics,
    readiness: R,
    known: Mutex<Known>,
}

/// The last answer, and when it was given.
type Known = Option<(Instant, Result<(), String>)>;

fn router<R: Readiness>(metrics: Metrics, readiness: R) -> Router {
    let known = Mutex::new(None);
    Router::new()
        .route("/metrics", get(show::<R>))
        .route("/ready", get(ready::<R>))
        .with_state(Arc::new(Shared {
            metrics,
            readiness,
            known,
        }))
}

async fn show<R: Readiness>(shared: State<Arc<Shared<R>>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, OPENMETRICS)], shared.metrics.text())
}

async fn ready<R: Readiness>(State(shared): State<Arc<Shared<R>>>) -> (StatusCode, String) {
    // In a task of its own: who asked may hang up, and a check is not to be left half done.
    match tokio::spawn(fresh(shared)).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n".to_owned()),
        Ok(Err(why)) => (StatusCode::SERVICE_UNAVAILABLE, why + "\n"),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// The answer of the last seconds, or a new one; those who ask meanwhile wait for it.
async fn fresh<R: Readiness>(shared: Arc<Shared<R>>) -> Result<(), String> {
    let mut known = shared.known.lock().await;
    match &*known {
        Some((since, answer)) if since.elapsed() < FRESH => answer.clone(),
        _ => {
            let answer = shared.readiness.check().await;
            *known = Some((Instant::now(), answer.clone()));
            answer
        }
    }
}
