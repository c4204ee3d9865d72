//! The web tier: the only part of the pipeline that the internet reaches.
//!
//! It bounds what comes in, serves the pay page, and hands payments to the app tier ([`upstream`]). It holds no
//! state, has no rights in AWS, and decides nothing about a payment: the rules live in the app tier.

mod accept;
mod address;
mod answer;
pub mod api;
mod assets;
pub mod config;
mod door;
mod form;
mod origin;
mod page;
mod people;
mod ready;
mod receipt;
mod refused;
mod routes;
pub mod upstream;
mod words;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_service::admin::{Admin, Serving};
use http_service::http::{Around, Batches, Layers, StatusQueries};
use http_service::metrics::Metrics;
use http_service::server::{BindError, Server};
use http_service::spans::Spans;
use payment_core::{CardCheck, ErrorCode};

use crate::config::Config;
use crate::door::{Door, Watch};
use crate::ready::Ready;
use crate::routes::State;
use crate::upstream::{AppTier, HostPort, Resolve};

/// Time from the head of a request to its answer: less than a client's usual 10 s, more than the app tier's 6 s.
const DEADLINE: Duration = Duration::from_secs(8);

/// Requests at work at one time, each with a body of at most 16 KiB.
const REQUESTS_MAX: usize = 4096;

/// Status queries at work at one time, apart from the requests: what they wait for may be silent.
const STATUS_QUERIES: StatusQueries = StatusQueries {
    route: routes::STATUS,
    max: 1024,
};

/// The tier, bound to its port and not yet serving.
#[derive(Debug)]
pub struct App {
    server: Server,
    routers: Routers,
    admin: Serving,
    door: Arc<Door>,
    spans: Spans,
}

/// Makes a core's router, with connections of its own.
#[derive(Debug, Clone)]
struct Routers {
    around: Around,
    app_tier: AppTier,
    door: Arc<Door>,
    batches: Batches,
    cards: CardCheck,
}

impl Routers {
    fn router(&self) -> axum::Router {
        let state = State {
            upstream: self.app_tier.connect(),
            door: Arc::clone(&self.door),
            batches: self.batches.clone(),
            cards: self.cards.clone(),
        };
        let router = self.around.wrap(routes::routes(state));
        people::around(router, self.cards.clone())
    }
}

impl App {
    /// Binds both ports; nothing is served yet.
    pub async fn build(config: Config) -> Result<Self, BindError> {
        let resolver = HostPort(config.app_tier.origin.address());
        Self::with_resolver(resolver, config).await
    }

    /// Like [`App::build`], with addresses of the caller's.
    pub async fn with_resolver(resolver: impl Resolve, config: Config) -> Result<Self, BindError> {
        let app_tier = AppTier::new(&config.app_tier, resolver);
        let server = Server::bind(config.listen).await?;
        let admin = Admin::bind(config.admin).await?;
        let mut metrics = Metrics::default();
        let spans = Spans::start(config.spans.as_ref(), "web-tier");
        server.register(&mut metrics);
        app_tier.register(&mut metrics);
        let door = Door::new(config.clients, config.address_rate, &mut metrics);
        let door = Arc::new(door);
        let layers = Layers {
            drain: server.drain(),
            deadline: DEADLINE,
            late: ErrorCode::UpstreamTimeout,
            spans: spans.clone(),
            requests_max: REQUESTS_MAX,
            status_queries: STATUS_QUERIES,
        };
        let around = layers.register(&mut metrics);
        let batches = Batches::register(&mut metrics);
        Ok(Self {
            admin: admin.serve(metrics, Ready(app_tier.connect())),
            routers: Routers {
                around,
                app_tier,
                door: Arc::clone(&door),
                batches,
                cards: config.cards,
            },
            server,
            door,
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

    /// Serves until a signal.
    pub async fn run(self) -> std::io::Result<()> {
        let (addr, admin) = (self.local_addr()?, self.admin_addr());
        let _watch = Watch::start(self.door)?;
        tracing::info!(%addr, %admin, "listening");
        let routers = self.routers;
        self.server.serve(move || routers.router()).await?;
        self.spans.finish().await;
        tracing::info!("stopped");
        Ok(())
    }
}
