//! Event notification.
//!
//! Owns the events that S3 emits, and their at-least-once delivery. An event is written to the spool before its object
//! becomes visible, handed to its destination's queue afterwards, and removed from the spool when the destination has
//! taken it. Events that a killed process left behind, or that did not fit into a full queue, are read from the spool
//! later.
//!
//! To add a kind of destination, add a variant to [`Destination`]. Delivery faults (events that are duplicated,
//! delayed, reordered, lost) are injected between [`queue`] and [`Destination::deliver`].

mod api;
mod destination;
mod event;
mod lambda;
mod queue;
mod rule;
mod spool;
mod sqs;
mod test_event;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use server_kit::fault::Faults;
use tokio::task::JoinSet;

pub use api::Api;
pub use destination::Destination;
pub use event::{Created, Origin, RegionAccount};
pub use rule::{EventName, Rule};
pub use spool::SpoolError;

use crate::store::Store;
use queue::{Queue, Worker};
use spool::{Spool, Spooled};

/// Emits the events that the buckets' rules ask for.
pub struct Notifier {
    region_account: RegionAccount,
    spool: Arc<Spool>,
    /// Rules by bucket.
    rules: HashMap<String, Vec<Rule>>,
    /// Queues by the destination's ARN.
    queues: HashMap<String, Arc<Queue>>,
}

/// Events that are in the spool, and not yet sent.
pub struct Staged {
    spool: Arc<Spool>,
    events: Vec<(Spooled, Arc<Queue>)>,
}

impl Notifier {
    /// Starts one delivery task per destination, in `tasks`; they end when that is dropped.
    pub fn start(
        root: &Path,
        region_account: RegionAccount,
        rules: HashMap<String, Vec<Rule>>,
        store: &Arc<Store>,
        faults: &Arc<Faults>,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, SpoolError> {
        let spool = Arc::new(Spool::open(root)?);
        let destinations: HashMap<_, _> = rules
            .values()
            .flatten()
            .map(|rule| (rule.destination.arn().to_owned(), rule.destination.clone()))
            .collect();
        spool.retain(|event| {
            destinations.contains_key(&event.destination) && event.is_stored(store)
        })?;
        let mut queues = HashMap::new();
        for (arn, destination) in destinations {
            let worker = Worker::new(
                destination,
                Arc::clone(&spool),
                Arc::clone(store),
                Arc::clone(faults),
            );
            let queue = Queue::start(worker, test_events(&rules, &arn)?, tasks)?;
            queues.insert(arn, queue);
        }
        Ok(Self {
            region_account,
            spool,
            rules,
            queues,
        })
    }

    /// Writes the events of `created` to the spool.
    pub async fn stage(&self, created: &Created<'_>) -> Result<Staged, SpoolError> {
        let mut staged = Staged {
            spool: Arc::clone(&self.spool),
            events: Vec::new(),
        };
        let rules = self.rules.get(created.bucket).into_iter().flatten();
        let wanted = rules.filter(|rule| rule.selects(created.name, created.key));
        for (at, rule) in wanted.enumerate() {
            let arn = rule.destination.arn();
            let Some(queue) = self.queues.get(arn) else {
                continue;
            };
            let spooled = Spooled {
                name: format!("{}-{at}", created.head.modified),
                destination: arn.to_owned(),
                bucket: created.bucket.to_owned(),
                key: created.key.to_owned(),
                event: event::json(created, &rule.id, &self.region_account)?,
            };
            self.spool.add(&spooled).await?;
            staged.events.push((spooled, Arc::clone(queue)));
        }
        Ok(staged)
    }
}

impl Staged {
    /// Sends the events, because the object is stored. Does not wait for their delivery.
    pub fn publish(self) {
        for (event, queue) in self.events {
            queue.offer(event);
        }
    }

    /// Removes the events, because the object was not stored.
    pub async fn discard(self) {
        for (event, _) in self.events {
            self.spool.remove(&event.name).await;
        }
    }
}

/// The test events that S3 sends to a queue when its notification is configured, for each rule that names the queue.
fn test_events(rules: &HashMap<String, Vec<Rule>>, arn: &str) -> serde_json::Result<Vec<Bytes>> {
    let pairs = rules
        .iter()
        .flat_map(|(bucket, rules)| rules.iter().map(move |rule| (bucket, rule)));
    let wanted = pairs
        .filter(|(_, rule)| rule.destination.arn() == arn && rule.destination.gets_test_events());
    wanted.map(|(bucket, _)| test_event::json(bucket)).collect()
}
