//! A node of the app tier: the real intake and committer, which can crash, stop in order and start again.

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

/// How long a node that stops waits for S3 to take what is queued, as the app tier does.
const FLUSH: Duration = Duration::from_secs(6);

/// Whether a node still lives. Its tasks cannot be found to be ended one by one, so what they wait for never comes.
#[derive(Debug, Clone, Default)]
pub struct Life(Arc<SetOnce<()>>);

impl Life {
    pub fn end(&self) {
        let _ = self.0.set(());
    }

    pub async fn ended(&self) {
        self.0.wait().await;
    }

    /// Does the work, or nothing for ever once the node is dead.
    pub async fn unless_dead<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            () = self.ended() => std::future::pending().await,
            done = work => done,
        }
    }
}

/// One life of a node.
#[derive(Debug)]
pub struct Node {
    pub name: usize,
    pub intake: Intake,
    pub life: Life,
    /// By how much its clock is wrong.
    pub skew_ms: i64,
    committer: Arc<Committer>,
}

/// What every node has in common.
#[derive(Debug)]
pub struct Site {
    pub world: Arc<World>,
    pub bucket: Bucket,
    /// What nodes look up ids in, where they have a database.
    pub reader: Option<Model>,
    pub settings: Settings,
}

/// The places of the nodes; an empty one has no node just now.
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

    /// The node is gone from one moment to the next.
    pub async fn crash(&self, place: usize) {
        let Some(node) = lock(&self.places[place]).take() else {
            return;
        };
        node.life.end();
        self.come_back(place).await;
    }

    /// The node takes no more requests, and ends once S3 has what is queued.
    pub async fn restart(&self, place: usize) {
        let Some(node) = lock(&self.places[place]).take() else {
            return;
        };
        // Requests that are at work end first.
        self.site.world.pass(0..=6_000).await;
        let _ = tokio::time::timeout(FLUSH, node.committer.close()).await;
        node.life.end();
        self.come_back(place).await;
    }

    /// All nodes stop in order, and do not come back.
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
        let committer = Arc::new(Committer::start(log, records, settings, clock::now));
        let skew_ms = if self.world.fault(Fault::ClockSkew) {
            self.world.number(-300_000..=300_000)
        } else {
            0
        };
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
