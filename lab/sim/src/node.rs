//! A node of the app tier: the real intake and committer, which can crash, stop gracefully and start again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use app_tier::committer::{Committer, Settings};
use app_tier::intake::Intake;
use app_tier::records::Database;
use payment_store::Store;
use tokio::sync::SetOnce;

use crate::bucket::{Bucket, NodeLog};
use crate::clock;
use crate::database::Model;
use crate::fault::Fault;
use crate::world::{World, lock};

/// Longest time that a stopping node waits for S3 to take what is queued, as in the app tier.
const FLUSH: Duration = Duration::from_secs(6);

/// Whether a node still lives. A dead node's tasks cannot be found and aborted, so what they wait for never comes.
#[derive(Debug, Clone, Default)]
pub struct Life(Arc<SetOnce<()>>);

impl Life {
    pub fn end(&self) {
        let _ = self.0.set(());
    }

    pub async fn ended(&self) {
        self.0.wait().await;
    }

    /// Does the work, or waits forever once the node is dead.
    pub async fn unless_dead<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            () = self.ended() => std::future::pending().await,
            done = work => done,
        }
    }
}

/// One life of a node, from start to crash or stop.
#[derive(Debug)]
pub struct Node {
    pub name: usize,
    pub intake: Intake,
    pub life: Life,
    /// Offset of its clock, in milliseconds.
    pub skew_ms: i64,
    committer: Arc<Committer>,
}

/// What all nodes share.
#[derive(Debug)]
pub struct Site {
    pub world: Arc<World>,
    pub bucket: Bucket,
    /// The database in which nodes look up ids, if they have one.
    pub reader: Option<Model>,
    pub settings: Settings,
}

/// The nodes by number; `None` for one that is down.
#[derive(Debug)]
pub struct Nodes {
    site: Site,
    places: Vec<Mutex<Option<Arc<Node>>>>,
}

impl Nodes {
    pub fn start(site: Site, count: usize) -> Arc<Self> {
        let places = (0..count)
            .map(|name| Mutex::new(Some(site.node(name))))
            .collect();
        Arc::new(Self { site, places })
    }

    pub fn count(&self) -> usize {
        self.places.len()
    }

    pub fn at(&self, place: usize) -> Option<Arc<Node>> {
        lock(&self.places[place]).clone()
    }

    /// Crashes a node.
    pub async fn crash(&self, place: usize) {
        let Some(node) = lock(&self.places[place]).take() else {
            return;
        };
        node.life.end();
        self.come_back(place).await;
    }

    /// Restarts a node gracefully: it takes no more requests, and ends once S3 has what is queued.
    pub async fn restart(&self, place: usize) {
        let Some(node) = lock(&self.places[place]).take() else {
            return;
        };
        // Requests in flight end first.
        self.site.world.pass(0..=6_000).await;
        let _ = tokio::time::timeout(FLUSH, node.committer.close()).await;
        node.life.end();
        self.come_back(place).await;
    }

    /// Stops all nodes gracefully, for good.
    pub async fn stop(&self) {
        for place in &self.places {
            let node = lock(place).take();
            if let Some(node) = node {
                node.committer.close().await;
            }
        }
    }

    async fn come_back(&self, place: usize) {
        self.site.world.pass(0..=8_000).await;
        *lock(&self.places[place]) = Some(self.site.node(place));
    }
}

impl Site {
    fn node(&self, name: usize) -> Arc<Node> {
        let life = Life::default();
        let log = NodeLog::new(self.bucket.clone(), life.clone());
        let records = Database::new(self.reader.clone().map(Store::over));
        let settings = self.settings.clone();
        let skew_ms = if self.world.fault(Fault::ClockSkew) {
            self.world.number(-300_000..=300_000)
        } else {
            0
        };
        let clock = move || clock::skewed(skew_ms);
        let committer = Arc::new(Committer::start(log, records, settings, clock));
        self.world
            .trace(|| format!("node {name} starts, its clock wrong by {skew_ms} ms"));
        Arc::new(Node {
            name,
            intake: Intake::new(Arc::clone(&committer)),
            life,
            skew_ms,
            committer,
        })
    }
}
