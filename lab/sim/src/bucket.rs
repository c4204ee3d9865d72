//! The model of S3: objects that are written once, and an event for each.

mod journal;
mod objects;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use payment_core::{ETag, ObjectKey, ObjectVersion, Timestamp};
use tokio::sync::mpsc;

pub use self::journal::NodeLog;
use crate::clock;
use crate::world::{Busy, World, lock};

/// The bucket's name in events.
pub const NAME: &str = "log";

#[derive(Debug, Clone)]
pub struct Bucket {
    pub(crate) world: Arc<World>,
    state: Arc<Mutex<State>>,
    created: mpsc::UnboundedSender<Created>,
}

/// A new object whose event is still to be sent.
pub type Created = (ObjectKey, Busy);

#[derive(Debug, Default)]
struct State {
    /// Objects in the order of the PUTs, which is the order of their keys except for the random part.
    objects: Vec<Stored>,
    places: HashMap<ObjectKey, usize>,
    /// Keys by first appearance: they contain randomness that does not come from the seed.
    names: HashMap<ObjectKey, usize>,
}

#[derive(Debug, Clone)]
pub struct Stored {
    pub key: ObjectKey,
    pub body: Bytes,
    pub stored_at: Timestamp,
}

impl Stored {
    /// Objects are written once, so one ETag serves all.
    pub fn version(&self) -> ObjectVersion {
        ObjectVersion {
            key: self.key.clone(),
            etag: ETag::parse("\"once\""),
            stored_at: self.stored_at,
        }
    }
}

impl Bucket {
    /// Creates a bucket, and the channel of its new objects' keys.
    pub fn new(world: &Arc<World>) -> (Self, mpsc::UnboundedReceiver<Created>) {
        let (created, receiver) = mpsc::unbounded_channel();
        let bucket = Self {
            world: Arc::clone(world),
            state: Arc::default(),
            created,
        };
        (bucket, receiver)
    }

    /// Stores an object unless its key is taken. `announced`: its event was sent already.
    pub fn store(&self, key: &ObjectKey, body: Bytes, announced: bool) -> bool {
        let name = self.name(key);
        let mut state = lock(&self.state);
        if state.places.contains_key(key) {
            return false;
        }
        let place = state.objects.len();
        state.places.insert(key.clone(), place);
        let bytes = body.len();
        state.objects.push(Stored {
            key: key.clone(),
            body,
            stored_at: clock::now(),
        });
        drop(state);
        self.world
            .trace(|| format!("s3 holds {name}, {bytes} bytes"));
        if !announced {
            self.announce(key);
        }
        true
    }

    /// Sends an object's event.
    pub fn announce(&self, key: &ObjectKey) {
        // At the end of a run nobody is listening.
        let _ = self.created.send((key.clone(), self.world.busy()));
    }

    pub fn find(&self, key: &ObjectKey) -> Option<Stored> {
        let state = lock(&self.state);
        state
            .places
            .get(key)
            .map(|place| state.objects[*place].clone())
    }

    pub fn all(&self) -> Vec<Stored> {
        lock(&self.state).objects.clone()
    }

    /// Returns the key's name in a trace.
    pub fn name(&self, key: &ObjectKey) -> String {
        let mut state = lock(&self.state);
        let next = state.names.len();
        let number = *state.names.entry(key.clone()).or_insert(next);
        format!("object {number}")
    }
}
