//! The function: objects of the log become rows of the database.
//!
//! [`handler`] turns an event into work and an answer, [`ingest`] takes one object, [`sweep`] finds objects whose
//! event was lost, [`objects`] is the bucket, [`parts`] reads an object of any size, and [`deadline`] keeps a run within
//! its deadline. It can be called with the same event any number of times.
//! It never writes to the bucket: an event that starts itself would never end.

pub mod config;
pub mod deadline;
pub mod handler;
pub mod ingest;
pub mod metrics;
pub mod objects;
pub mod parts;
pub mod sweep;

use std::time::Duration;

use aws_clients::s3::{self, Bounds};
use futures::future::join;
use lambda_runtime::{LambdaEvent, service_fn};
use payment_core::Timestamp;
use payment_store::{Pool, Store};
use program::chain;
use serde_json::value::RawValue;

use crate::config::Config;
use crate::handler::Handler;
use crate::objects::S3Objects;

/// Bounds of one call to S3. Without a route to it (in a VPC: a gateway endpoint) the call fails and says so,
/// where it would otherwise hang until the function's own timeout.
const S3_CALL: Bounds = Bounds {
    connect: Duration::from_secs(1),
    attempt: Duration::from_secs(3),
    operation: Duration::from_secs(10),
    attempts: 3,
};

/// One environment works on one event at a time, so it needs one connection.
const CONNECTIONS: u32 = 1;

/// The function, connected and not yet asking for events.
#[derive(Debug)]
pub struct App {
    handler: Handler<S3Objects>,
}

impl App {
    pub async fn build(config: Config) -> Result<Self, s3::NoRegion> {
        let pool = Pool::new(config.database, CONNECTIONS);
        // The first connection is made here, where it costs no event's time, and S3's client while the server answers.
        // A database that is away now may be back for the first event.
        let (connection, client) = join(Box::pin(pool.acquire()), s3::client(S3_CALL)).await;
        let objects = S3Objects::new(client?);
        if let Err(error) = connection {
            tracing::warn!(error = chain(&error), "the database can't be reached yet");
        }
        Ok(Self {
            handler: Handler::new(objects, Store::new(pool), config.sweep),
        })
    }

    /// Asks the Lambda Runtime API for events, one after the other, until it is gone.
    pub async fn run(self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let handler = &self.handler;
        // Boxed: a future of this depth is more than the compiler wants to lay out.
        let answer = |event: LambdaEvent<Box<RawValue>>| {
            Box::pin(async move {
                let context = &event.context;
                let deadline = i64::try_from(context.deadline).ok();
                let deadline = deadline.and_then(Timestamp::from_unix_millis);
                let payload = event.payload.get();
                handler.handle(payload, &context.request_id, deadline).await
            })
        };
        lambda_runtime::run(service_fn(answer)).await
    }
}
