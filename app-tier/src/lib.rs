//! The app tier: checks a payment, makes it durable in S3, and only then accepts it.
//!
//! A request's way: [`routes`] reads and checks it, [`intake`] settles whether it is new, a repeat or a conflict,
//! [`committer`] puts all that wait into one object unless [`breaker`] knows that S3 is away, [`journal`] is the bucket.
//! The tier never changes or deletes anything, and it answers without the database.

mod batch;
pub mod breaker;
pub mod circuit;
pub mod committer;
pub mod config;
mod counters;
pub mod intake;
pub mod journal;
mod ready;
pub mod recent;
pub mod records;
mod routes;
pub mod rows;
mod status;
pub mod ticket;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_clients::s3::{self, Bounds};
use http_service::admin::{Admin, Serving};
use http_service::http::{Batches, Layers, StatusQueries};
use http_service::metrics::Metrics;
use http_service::server::{BindError, Server};
use http_service::spans::Spans;
use payment_core::{ErrorCode, Timestamp};
use payment_store::{Pool, Store};
use time::OffsetDateTime;

use crate::committer::Committer;
use crate::config::Config;
use crate::counters::BatchRefused;
use crate::intake::Intake;
use crate::journal::{Journal, S3Journal};
use crate::ready::S3Readiness;
use crate::records::Database;
use crate::routes::State;
use crate::rows::Rows;

/// Time from the head of a request to its answer. The web tier waits 8 s, so that it hears this tier's answer.
const DEADLINE: Duration = Duration::from_secs(6);

/// Bounds of one PUT: three tries fit into the deadline of the requests that wait for it.
const PUT: Bounds = Bounds {
    connect: Duration::from_secs(1),
    attempt: Duration::from_secs(2),
    operation: Duration::from_millis(5500),
    attempts: 3,
};

/// Requests at work at one time; the queue behind them is bounded by itself.
const REQUESTS_MAX: usize = 4096;

/// Status queries at work at one time, apart from the requests: what they wait for may be silent.
const STATUS_QUERIES: StatusQueries = StatusQueries {
    route: routes::STATUS,
    max: 256,
};

/// Connections to the database, for the look-ups during PUTs and, apart from these, for status queries.
const LOOK_UP_CONNECTIONS: u32 = 2;

/// How long records that are already queued have to reach S3 after the last request ended.
const FLUSH: Duration = Duration::from_secs(6);

/// The tier, bound to its port and not yet serving.
#[derive(Debug)]
pub struct App {
    server: Server,
    router: axum::Router,
    committer: Arc<Committer>,
    admin: Serving,
    spans: Spans,
}

/// Why the tier did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Region(#[from] s3::NoRegion),
    #[error(transparent)]
    Bind(#[from] BindError),
}

impl App {
    /// Binds both ports and connects what the configuration names; nothing is served yet.
    pub async fn build(config: Config) -> Result<Self, StartError> {
        let client = s3::client(PUT).await?;
        let journal = S3Journal::new(client, config.bucket.clone(), config.encryption.clone());
        Ok(Self::with_journal(journal, config).await?)
    }

    /// Like [`App::build`], with a journal of the caller's.
    pub async fn with_journal<J: Journal>(journal: J, config: Config) -> Result<Self, BindError> {
        let server = Server::bind(config.listen).await?;
        let admin = Admin::bind(config.admin).await?;
        let mut metrics = Metrics::default();
        let spans = Spans::start(config.spans.as_ref(), "app-tier");
        server.register(&mut metrics);
        let store = || {
            let database = config.database.clone()?;
            Some(Store::new(Pool::new(database, LOOK_UP_CONNECTIONS)))
        };
        let (records, rows) = (Database::new(store()), Rows::new(store()));
        let (journal, prefix) = (Arc::new(journal), config.commit.prefix.clone());
        let committer = Committer::start(Arc::clone(&journal), records, config.commit, now);
        committer.register(&mut metrics);
        let committer = Arc::new(committer);
        let state = State {
            intake: Arc::new(Intake::new(Arc::clone(&committer))),
            rows,
            drain: server.drain(),
            cards: config.cards,
            batches: Batches::register(&mut metrics),
            batch_refused: BatchRefused::register(&mut metrics),
        };
        let layers = Layers {
            drain: server.drain(),
            deadline: DEADLINE,
            late: ErrorCode::StorageUnavailable,
            spans: spans.clone(),
            requests_max: REQUESTS_MAX,
            status_queries: STATUS_QUERIES,
        };
        let router = layers.register(&mut metrics).wrap(routes::routes(state));
        let breaker = committer.breaker();
        let ready = S3Readiness {
            journal,
            breaker,
            prefix,
        };
        Ok(Self {
            router,
            server,
            committer,
            admin: admin.serve(metrics, ready),
            spans,
        })
    }

    /// The address with the port that was really taken.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.server.local_addr()
    }

    /// The address of `/metrics` and `/ready`.
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin.addr()
    }

    /// Serves until a signal; ends once all that was queued is in S3.
    pub async fn run(self) -> std::io::Result<()> {
        let (addr, admin) = (self.local_addr()?, self.admin_addr());
        tracing::info!(%addr, %admin, "listening");
        let router = self.router;
        self.server.serve(move || router.clone()).await?;
        let flushed = tokio::time::timeout(FLUSH, self.committer.close()).await;
        if flushed.is_err() {
            tracing::error!("S3 did not take what was queued; none of it was accepted");
        }
        self.spans.finish().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Returns the time by this machine's clock.
fn now() -> Timestamp {
    Timestamp::new(OffsetDateTime::now_utc())
}
