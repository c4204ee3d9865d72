//! Faults from outside: nodes that end, services that are unavailable.

use std::sync::Arc;
use std::time::Duration;

use crate::clock;
use crate::fault::Fault;
use crate::node::Nodes;
use crate::world::World;

/// Crashes a node, or stops it gracefully, once in a while.
pub async fn operator(nodes: Arc<Nodes>, world: Arc<World>, until: Duration) {
    while clock::since_begin() < until {
        world.pass(1_000..=40_000).await;
        let place = world.below(nodes.count());
        if world.fault(Fault::NodeCrashed) {
            nodes.crash(place).await;
        } else if world.fault(Fault::NodeRestarted) {
            nodes.restart(place).await;
        }
    }
}

/// Outages, each for a while.
pub async fn weather(world: Arc<World>, until: Duration) {
    while clock::since_begin() < until {
        world.pass(1_000..=60_000).await;
        let hit = |fault| world.fault(fault).then_some(fault);
        let s3 = hit(Fault::S3Down).or_else(|| hit(Fault::S3Silent));
        let database = hit(Fault::DatabaseDown).or_else(|| hit(Fault::DatabaseReadOnly));
        let lambda = hit(Fault::LambdaDown);
        world.set_weather(|weather| {
            weather.s3 = s3;
            weather.database = database;
            weather.lambda = lambda;
        });
        world.pass(500..=30_000).await;
        world.set_weather(|weather| {
            weather.s3 = None;
            // A database may be unavailable for much longer.
            if !world.chance(0.3) {
                weather.database = None;
            }
            weather.lambda = None;
        });
    }
}
