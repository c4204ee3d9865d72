//! Older systems, which put payments into the bucket themselves, and other objects that may be in a bucket.

use std::sync::Arc;

use payment_core::ObjectKey;
use verdict::{Answer, Attempt, Content};

use crate::bucket::Bucket;
use crate::client::Crowd;
use crate::clock;
use crate::database::REFUSED;
use crate::fault::Fault;
use crate::payments;
use crate::run::PREFIX;
use crate::world::lock;

const RECEIPT: &str = "older";

/// Writes one object, of a kind that the seed chooses.
pub async fn write(crowd: Arc<Crowd>, bucket: Bucket, number: usize) {
    let world = &crowd.world;
    world.pass(0..=100_000).await;
    let (key, body) = match world.below(5) {
        0 => single(&crowd, number, &format!("old-{number}")),
        1 => {
            let taken = world.pick(&crowd.payments).id.clone();
            single(&crowd, number, &taken)
        }
        2 => {
            world.hit(Fault::UnreadableLine);
            let nothing = *world.pick(&["", "not json", "[]", r#"{"amount":1}"#, r#"{"v":9}"#]);
            (format!("{PREFIX}old {number}.json"), nothing.to_owned())
        }
        3 => (format!("{PREFIX}folder-{number}/"), String::new()),
        _ => batch(&crowd, number),
    };
    world.hit(Fault::OlderObject);
    if let Some(key) = ObjectKey::parse(&key) {
        bucket.store(&key, body.into(), false);
    }
}

/// The key contains characters that events encode.
fn single(crowd: &Crowd, number: usize, id: &str) -> (String, String) {
    let content = payments::content(&crowd.world, 1);
    let key = format!("{PREFIX}old {number}+ä.json");
    (key, line(crowd, id, content))
}

/// Valid lines, and others between them.
fn batch(crowd: &Crowd, number: usize) -> (String, String) {
    let world = &crowd.world;
    let refused = Content {
        transaction: Some(REFUSED.to_owned()),
        ..payments::content(world, 0)
    };
    let good = |nth| {
        line(
            crowd,
            &format!("old-{number}-{nth}"),
            payments::content(world, 0),
        )
    };
    world.hit(Fault::UnreadableLine);
    let mut lines = [
        good(0),
        line(crowd, &format!("old-{number}-refused"), refused),
        "{\"id\":".to_owned(),
        String::new(),
        r#"{"id":"card","payer_name":"4111111111111111"}"#.to_owned(),
        good(1),
    ];
    lines.rotate_left(world.below(6));
    let hour = ObjectKey::hour_prefix(PREFIX, clock::now());
    (
        format!("{hour}older-{number}.ndjson"),
        lines.join("\n") + "\n",
    )
}

/// Returns a line of an older system, which it expects to be recorded, unless the database refuses it.
fn line(crowd: &Crowd, id: &str, content: Content) -> String {
    let body = payments::body(&crowd.world, id, &content);
    let answer = if content.transaction.as_deref() == Some(REFUSED) {
        Answer::Refused { status: 422 }
    } else {
        Answer::Accepted {
            replayed: true,
            received_at: RECEIPT.to_owned(),
            request_id: RECEIPT.to_owned(),
        }
    };
    lock(&crowd.history).attempts.push(Attempt {
        client: Some(String::new()),
        id: id.to_owned(),
        content,
        sent_ms: clock::ms(),
        answered_ms: Some(clock::ms()),
        answer,
    });
    body
}
