//! Event notification.
//!
//! Owns the events that S3 emits, and their delivery, at least once: an event is written to the
//! spool before its object becomes visible, handed to its destination's queue once it is, and
//! removed from the spool when the destination took it. What the process leaves behind when it is
//! killed, or what a full queue turned away, is found in the spool again.
//!
//! To deliver to something else, add a variant to [`Destination`]. Faults of delivery (events that
//! are duplicated, delayed, reordered, lost) strike between [`queue`] and [`Destination::deliver`].

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
pub use event::{Created, Origin, Place};
pub use rule::{EventName, Rule};
pub use spool::SpoolError;

use crate::store::Store;
use queue::{Queue, Worker};
use spool::{Spool, Spooled};

/// Emits the events that the buckets' rules ask for.
pub struct Notifier {
    place: Place,
    spool: Arc<Spool>,
    /// By bucket.
    rules: HashMap<String, Vec<Rule>>,
    /// By the destination's ARN.
    queues: HashMap<String, Arc<Queue>>,
}

/// Events that are safe in the spool, and not yet on their way.
pub struct Staged {
    spool: Arc<Spool>,
    events: Vec<(Spooled, Arc<Queue>)>,
}

impl Notifier {
    /// Starts one delivery task for each destination, in `tasks`; they end when that is dropped.
    pub fn start(
        root: &Path,
        place: Place,
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
            place,
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
                event: event::json(created, &rule.id, &self.place)?,
            };
            self.spool.add(&spooled).await?;
            staged.events.push((spooled, Arc::clone(queue)));
        }
        Ok(staged)
    }
}

impl Staged {
    /// The object is there: sends the events, without waiting for their delivery.
    pub fn publish(self) {
        for (event, queue) in self.events {
            queue.offer(event);
        }
    }

    /// The object was not stored: nothing happened.
    pub async fn discard(self) {
        for (event, _) in self.events {
            self.spool.remove(&event.name).await;
        }
    }
}

/// What S3 sends to a queue when its notification is set up, for each rule that names the queue.
fn test_events(rules: &HashMap<String, Vec<Rule>>, arn: &str) -> serde_json::Result<Vec<Bytes>> {
    let pairs = rules
        .iter()
        .flat_map(|(bucket, rules)| rules.iter().map(move |rule| (bucket, rule)));
    let wanted = pairs
        .filter(|(_, rule)| rule.destination.arn() == arn && rule.destination.gets_test_events());
    wanted.map(|(bucket, _)| test_event::json(bucket)).collect()
}
