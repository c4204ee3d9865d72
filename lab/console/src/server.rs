//! A running console.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::routing::{get, post};
use lab_runner::lab::Lab;
use lab_runner::state::LabDir;
use lab_runner::workspace::Workspace;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::guard::middleware;
use crate::state::Console;
use crate::{action, assets, page, poll};

/// A running console; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    tasks: [JoinHandle<()>; 3],
}

impl Server {
    /// Starts to serve. Returns once it listens.
    pub async fn start(config: Config) -> Result<Self> {
        let dir = LabDir::at(&config.lab)?;
        let lab = Lab::load(dir, Workspace::find()?)?;
        let address = config.listen;
        let console = Arc::new(Console::of(lab, address)?);
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}; is the port taken?"))?;
        let watching = tokio::spawn(poll::run(Arc::clone(&console)));
        let counting = tokio::spawn(poll::count(Arc::clone(&console)));
        let router = router(console);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the console serves no more");
            }
        });
        tracing::info!(addr = %address, "lab-console listens");
        Ok(Self {
            tasks: [watching, counting, serving],
        })
    }

    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn router(console: Arc<Console>) -> Router {
    Router::new()
        .route("/", get(page::overview::show))
        .route("/load-balancers", get(page::balancers::show))
        .route("/s3", get(page::journal::list))
        .route("/s3/object", get(page::journal::object))
        .route("/lambda", get(page::function::show))
        .route("/database", get(page::rows::show))
        .route("/network", get(page::network::show))
        .route("/faults", get(page::faults::show))
        .route("/payment", get(page::payment::find))
        .route("/payments/{id}", get(page::payment::show))
        .route("/series.json", get(page::overview::series))
        .route("/actions/kill", post(action::kill))
        .route("/actions/fault", post(action::fault))
        .route("/actions/heal", post(action::heal))
        .route("/actions/redrive", post(action::redrive))
        .route("/actions/traffic", post(action::traffic))
        .route("/assets/{version}/{name}", get(assets::get))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&console),
            middleware::watch_over,
        ))
        // The supervisor may use any host name.
        .route("/_lab/health", get(|| async { "OK" }))
        .with_state(console)
}
