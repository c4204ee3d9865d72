//! From S3 to Lambda: the event service, which loses, duplicates, delays and wraps events.

use std::sync::Arc;

use payment_core::ObjectKey;
use tokio::sync::mpsc;

use super::{Delivery, Lambda, Message};
use crate::bucket::Created;
use crate::event;
use crate::fault::Fault;

/// Most messages in a batch.
const BATCH_MAX: usize = 10;

/// Sends the events of new objects until the channel closes.
pub async fn notify(lambda: Arc<Lambda>, mut created: mpsc::UnboundedReceiver<Created>) {
    while let Some((key, busy)) = created.recv().await {
        let world = Arc::clone(&lambda.world);
        if world.fault(Fault::EventLost) {
            continue;
        }
        let mut keys = vec![key];
        if world.fault(Fault::EventMerged) {
            world.pass(0..=2_000).await;
            while keys.len() < BATCH_MAX
                && let Ok((next, _)) = created.try_recv()
            {
                keys.push(next);
            }
        }
        let copies = if world.fault(Fault::EventDuplicated) {
            2 + world.below(4)
        } else {
            1
        };
        for _ in 0..copies {
            let (lambda, keys, busy) = (Arc::clone(&lambda), keys.clone(), world.busy());
            let delay = if world.fault(Fault::EventDelayed) {
                world.ms(1_000..=300_000)
            } else {
                world.ms(1..=800)
            };
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                lambda.deliver_wrapped(&keys);
                drop(busy);
            });
        }
        drop(busy);
    }
}

impl Lambda {
    /// Each service between S3 and the function wraps events in its own format.
    fn deliver_wrapped(self: &Arc<Self>, keys: &[ObjectKey]) {
        let world = &self.world;
        world.trace(|| {
            let names: Vec<_> = keys.iter().map(|key| self.bucket.name(key)).collect();
            format!("event of {}", names.join(", "))
        });
        if world.fault(Fault::EventOfTest) {
            self.deliver(Delivery::Event(event::test().to_string()));
        }
        if world.fault(Fault::EventBySqs) {
            let sns = world.chance(0.3);
            let message = |(id, key): (usize, &ObjectKey)| {
                let event = event::s3(std::slice::from_ref(key));
                // SNS in front of SQS puts the event into a member `Message` of the body.
                let body = if sns {
                    serde_json::json!({"Type": "Notification", "Message": event.to_string()})
                } else {
                    event
                };
                Message {
                    id: format!("m{id}"),
                    body: body.to_string(),
                    tried: 0,
                }
            };
            self.deliver(Delivery::Messages(
                keys.iter().enumerate().map(message).collect(),
            ));
        } else if world.fault(Fault::EventBySns) {
            self.deliver(Delivery::Event(event::sns(&event::s3(keys)).to_string()));
        } else if world.fault(Fault::EventByEventBridge) {
            for key in keys {
                self.deliver(Delivery::Event(event::event_bridge(key).to_string()));
            }
        } else {
            self.deliver(Delivery::Event(event::s3(keys).to_string()));
        }
    }
}
