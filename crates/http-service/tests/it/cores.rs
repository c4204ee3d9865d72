//! Connections and the cores that serve them.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::routing::get;

use crate::server::{ask, connect, end, run};

const IDLE: Duration = Duration::from_secs(30);

/// A load balancer holds few connections: none of the cores may be left without.
#[tokio::test]
async fn few_connections_are_spread_evenly_over_the_cores() {
    let which = async || format!("{:?}.", thread::current().id());
    let server = run(Router::new().route("/", get(which)), IDLE).await;
    let cores = thread::available_parallelism().unwrap().get();
    let mut streams = Vec::new();
    for each in 1..=3 {
        for _ in 0..cores {
            streams.push(connect(&server).await);
        }
        let mut by_core = HashMap::<String, usize>::new();
        for stream in &mut streams {
            let answer = ask(stream, ".").await;
            let core = answer.rsplit('\n').next().unwrap_or_default();
            *by_core.entry(core.to_owned()).or_default() += 1;
        }
        assert_eq!(by_core.len(), cores);
        assert!(by_core.values().all(|count| *count == each), "{by_core:?}");
    }
    drop(streams);
    end(server).await;
}
