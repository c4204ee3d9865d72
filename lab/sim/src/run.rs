//! One seed: a period of faults, then calm until all is quiet, then the verdict.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app_tier::committer::{Layout, Settings};
use tokio::time::sleep;
use verdict::{Judge, Verdict};

use crate::bucket::Bucket;
use crate::client::Crowd;
use crate::database::Model;
use crate::fault::{Counts, Defect};
use crate::lambda::{Delivery, Lambda, notify};
use crate::node::{Nodes, Site};
use crate::proof::Proof;
use crate::world::{World, lock};
use crate::{audit, clock, event, older, outage, payments, proof};

/// Prefix of all keys.
pub const PREFIX: &str = "transactions/";

const NODES: usize = 2;

/// Time after which every hour of the run has closed, and the sweep lists it once more.
const CLOSED: Duration = Duration::from_mins(80);

#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    pub seed: u64,
    pub defect: Option<Defect>,
    /// Whether to record a trace.
    pub traced: bool,
}

#[derive(Debug)]
pub struct Report {
    pub seed: u64,
    pub verdict: Verdict,
    /// Lines of the journal that were not ingested.
    pub left_out: Vec<String>,
    pub proof: Proof,
    pub faults: Counts,
    pub trace: Vec<String>,
    /// Duration by the run's own clock.
    pub took: Duration,
}

impl Report {
    pub fn holds(&self) -> bool {
        self.verdict.holds() && self.left_out.is_empty() && self.proof.broken.is_empty()
    }
}

/// Runs a seed to its end, on this thread.
pub fn run(options: Options) -> io::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    Ok(runtime.block_on(simulate(options)))
}

async fn simulate(options: Options) -> Report {
    clock::begin();
    let world = World::new(options.seed, options.defect, options.traced);
    let (bucket, created) = Bucket::new(&world);
    let database = Model::new(&world);
    let lambda = Lambda::new(&bucket, &database);
    tokio::spawn(notify(Arc::clone(&lambda), created));
    let crowd = crowd(&world, &bucket, &database);

    faults(&crowd, &bucket, &lambda).await;
    world.trace(|| "calm".to_owned());
    world.calm_down();
    let sweeps_went_well = settle(&crowd, &lambda).await;

    let recorded = database.recorded();
    let mut left_out = audit::left_out(&bucket, &recorded);
    if !sweeps_went_well {
        left_out.push("a sweep failed, and nothing was amiss".to_owned());
    }
    // A defect is for the judge to find.
    let proof = match options.defect {
        None => proof::check(options.seed, &bucket, &recorded),
        Some(_) => Proof::default(),
    };
    let mut judge = Judge::new();
    for attempt in &lock(&crowd.history).attempts {
        judge.attempt(attempt);
    }
    audit::judge(recorded, &mut judge);
    Report {
        seed: options.seed,
        verdict: judge.verdict(),
        left_out,
        proof,
        faults: world.counts(),
        trace: world.take_trace(),
        took: clock::since_begin(),
    }
}

fn crowd(world: &Arc<World>, bucket: &Bucket, database: &Model) -> Arc<Crowd> {
    let settings = Settings {
        prefix: PREFIX.to_owned(),
        layout: *world.pick(&[Layout::Batch, Layout::Batch, Layout::Batch, Layout::Object]),
        puts_max: 1 + world.below(4),
        linger: *world.pick(&[Duration::ZERO, Duration::from_millis(20)]),
        headers: world.chance(0.9),
    };
    let site = Site {
        world: Arc::clone(world),
        bucket: bucket.clone(),
        reader: world.chance(0.6).then(|| database.clone()),
        settings,
    };
    let ids = 4 + world.below(16);
    Arc::new(Crowd {
        world: Arc::clone(world),
        nodes: Nodes::start(site, NODES),
        payments: payments::draw(world, ids),
        history: Mutex::default(),
    })
}

/// Injects all outside faults, until the clients are done and the time is over.
async fn faults(crowd: &Arc<Crowd>, bucket: &Bucket, lambda: &Arc<Lambda>) {
    let world = &crowd.world;
    let until = world.ms(30_000..=180_000);
    let mut at_work = tokio::task::JoinSet::new();
    for _ in 0..2 + world.below(5) {
        at_work.spawn(Arc::clone(crowd).client(2 + world.below(9)));
    }
    for number in 0..world.below(4) {
        at_work.spawn(older::write(Arc::clone(crowd), bucket.clone(), number));
    }
    at_work.spawn(outage::operator(
        Arc::clone(&crowd.nodes),
        Arc::clone(world),
        until,
    ));
    at_work.spawn(outage::weather(Arc::clone(world), until));
    let schedule = tokio::spawn(schedule(Arc::clone(lambda), Arc::clone(world)));
    at_work.join_all().await;
    schedule.abort();
}

/// Runs the sweep on its schedule.
async fn schedule(lambda: Arc<Lambda>, world: Arc<World>) {
    loop {
        world.pass(20_000..=120_000).await;
        lambda.deliver(Delivery::Event(event::schedule().to_string()));
    }
}

/// Waits until nobody is busy any more and the sweep has found what was left; returns whether it could.
async fn settle(crowd: &Crowd, lambda: &Arc<Lambda>) -> bool {
    crowd.nodes.stop().await;
    crowd.world.idle().await;
    // A person redrives dead letters, or leaves them to the sweep.
    if crowd.world.chance(0.3) {
        lambda.redrive();
        crowd.world.idle().await;
    }
    sleep(CLOSED).await;
    let first = lambda.sweep().await;
    first && lambda.sweep().await
}
