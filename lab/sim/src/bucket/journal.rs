//! How a node writes to S3: attempts as the SDK makes them, and every outcome of one.

use std::time::Duration;

use app_tier::journal::{Journal, JournalError, Put};
use bytes::Bytes;
use payment_core::ObjectKey;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::Bucket;
use crate::fault::{Defect, Fault};
use crate::node::Life;

/// Timeout of an attempt, as in the app tier.
const ATTEMPT: Duration = Duration::from_secs(2);
const OPERATION: Duration = Duration::from_millis(5500);
const ATTEMPTS: usize = 3;

/// The journal writer of one node. When the node dies, whatever waits here waits forever; what is in flight arrives.
#[derive(Debug)]
pub struct NodeLog {
    bucket: Bucket,
    life: Life,
}

/// The node's view of an attempt.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Stored,
    AlreadyThere,
    /// 5xx, or 409: may be retried.
    Failed,
    /// 4xx: must not be retried.
    Refused {
        denied: bool,
    },
}

/// What happens to a request.
#[derive(Debug, Clone, Copy)]
struct Way {
    arrives_after: Option<Duration>,
    /// S3's answer if it does not do what it was asked.
    refusal: Option<Answer>,
    /// The answer that is sent although the object is stored.
    despite: Option<Answer>,
    back: Back,
}

#[derive(Debug, Clone, Copy)]
enum Back {
    Answer(Duration),
    Reset,
    Silence,
}

impl NodeLog {
    pub fn new(bucket: Bucket, life: Life) -> Self {
        Self { bucket, life }
    }

    async fn tries(&self, key: &ObjectKey, body: &Bytes) -> Result<Put, JournalError> {
        for tried in 1..=ATTEMPTS {
            let answer = timeout(ATTEMPT, self.send(key, body)).await;
            match answer {
                Ok(Ok(Answer::Stored)) => return Ok(Put::Stored),
                Ok(Ok(Answer::AlreadyThere)) => {
                    self.bucket.world.hit(Fault::PutAlreadyThere);
                    return Ok(Put::AlreadyThere);
                }
                Ok(Ok(Answer::Refused { denied })) => return Err(failed("PUT", denied)),
                Ok(Ok(Answer::Failed) | Err(_)) | Err(_) if tried < ATTEMPTS => {
                    self.bucket.world.pass(1..=500).await;
                }
                _ => break,
            }
        }
        Err(failed("PUT", false))
    }

    /// Sends one request. Whether S3 stores it does not depend on who waits for the answer.
    fn send(&self, key: &ObjectKey, body: &Bytes) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        let (bucket, key, body) = (self.bucket.clone(), key.clone(), body.clone());
        let way = self.way();
        let name = bucket.name(&key);
        bucket.world.trace(|| format!("put {name}: {way:?}"));
        let announced = bucket.world.fault(Fault::EventEarly);
        if announced {
            bucket.announce(&key);
        }
        let busy = bucket.world.busy();
        tokio::spawn(async move {
            let answer = match (way.arrives_after, way.refusal) {
                (Some(time), None) => {
                    sleep(time).await;
                    let is_new = bucket.store(&key, body, announced);
                    Some(if is_new {
                        Answer::Stored
                    } else {
                        Answer::AlreadyThere
                    })
                }
                (time, refusal) => {
                    sleep(time.unwrap_or_default()).await;
                    refusal
                }
            };
            // From here on, the node is busy instead.
            drop(busy);
            match (answer, way.back) {
                (Some(answer), Back::Answer(time)) => {
                    sleep(time).await;
                    let _ = sender.send(way.despite.unwrap_or(answer));
                }
                (_, Back::Reset) => {}
                (None, _) | (_, Back::Silence) => sender_waits(sender).await,
            }
        });
        receiver
    }

    fn way(&self) -> Way {
        let world = &self.bucket.world;
        let fine = Way {
            arrives_after: Some(world.ms(3..=60)),
            refusal: None,
            despite: None,
            back: Back::Answer(world.ms(1..=40)),
        };
        let refused = |answer| Way {
            refusal: Some(answer),
            ..fine
        };
        let swallowed = Way {
            arrives_after: None,
            back: Back::Silence,
            ..fine
        };
        let happens = |fault| world.fault(fault);
        match world.weather().s3 {
            Some(Fault::S3Silent) => return swallowed,
            Some(_) => return refused(Answer::Failed),
            None => {}
        }
        if world.has(Defect::YesWithoutStoring) && world.chance(0.05) {
            return refused(Answer::Stored);
        }
        if happens(Fault::PutFailed) || happens(Fault::PutConflict) {
            refused(Answer::Failed)
        } else if happens(Fault::PutDenied) {
            refused(Answer::Refused { denied: true })
        } else if happens(Fault::PutCorrupted) {
            refused(Answer::Refused { denied: false })
        } else if happens(Fault::PutSwallowed) {
            swallowed
        } else if happens(Fault::PutFailedButStored) {
            Way {
                despite: Some(Answer::Failed),
                ..fine
            }
        } else if happens(Fault::PutReset) {
            Way {
                back: Back::Reset,
                ..fine
            }
        } else if happens(Fault::PutUnanswered) {
            Way {
                back: Back::Silence,
                ..fine
            }
        } else if happens(Fault::PutLate) {
            Way {
                arrives_after: Some(world.ms(2_000..=90_000)),
                back: Back::Silence,
                ..fine
            }
        } else if happens(Fault::PutSlow) {
            Way {
                arrives_after: Some(world.ms(100..=1_900)),
                ..fine
            }
        } else {
            fine
        }
    }
}

/// No answer, until the node has given up.
async fn sender_waits(mut sender: oneshot::Sender<Answer>) {
    sender.closed().await;
}

fn failed(action: &'static str, denied: bool) -> JournalError {
    JournalError::new(action, "the model of S3 says so".to_owned(), denied)
}

impl Journal for NodeLog {
    async fn put(&self, key: &ObjectKey, body: Bytes) -> Result<Put, JournalError> {
        let tries = timeout(OPERATION, self.tries(key, &body));
        let put = self.life.unless_dead(tries).await;
        put.unwrap_or_else(|_| Err(failed("PUT", false)))
    }

    async fn get(&self, key: &ObjectKey) -> Result<Bytes, JournalError> {
        let world = &self.bucket.world;
        let read = async {
            world.pass(2..=40).await;
            if world.weather().s3.is_some() || world.fault(Fault::GetFailed) {
                return Err(failed("GET", false));
            }
            let stored = self.bucket.find(key).ok_or_else(|| failed("GET", false))?;
            Ok(stored.body)
        };
        self.life.unless_dead(read).await
    }
}
