//! P11: the ledger keeps the hash of what was read, and where its header says that it stands.

use lambda_ingest::parts::ObjectParts;
use payment_core::chain::{Node, ObjectHash, Position, Purpose, Run, RunId};
use payment_core::event::ObjectRef;
use payment_core::{ObjectKey, Timestamp};
use payment_store::{Fingerprint, Part, Parts as _};
use sqlx::MySqlPool;

use crate::bucket::{BUCKET, Bucket, event, line};

const NODE: u32 = 0x00b1_c2d3;

fn run() -> RunId {
    RunId::parse("019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4").unwrap()
}

/// A batch of so many payments, which stands second in its run.
fn batch(id: RunId, payments: usize) -> String {
    let mut run = Run::new(id, Node::new(NODE));
    let first = run.seal(Purpose::Payments, Timestamp::EPOCH);
    run.unconfirmed(first, id.as_uuid(), ObjectHash::of(b""));
    let second = run.seal(Purpose::Payments, Timestamp::EPOCH);
    let lines = (0..payments).map(|n| line(&format!("p{n}")));
    second.header().to_line() + &lines.collect::<String>()
}

fn key(number: usize) -> ObjectKey {
    let node = Node::new(NODE);
    let name = format!("019ab0f2-77aa-7c11-8e11-{number:012}-{node}");
    ObjectKey::parse(&format!("transactions/dt=2026-11-22/hh=07/{name}.ndjson")).unwrap()
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_the_ledger_has_the_hash_and_the_place_of_what_was_read(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let run = run();
    let place = Some(Position { run, seq: 1 });
    for (key, body, position) in [
        (key(2), batch(run, 2), place),
        // More than one part.
        (key(3), batch(run, 9000), place),
        (key(0), batch(run, 0), place),
        (
            ObjectKey::parse("transactions/x.json").unwrap(),
            line("x"),
            None,
        ),
        (
            ObjectKey::parse("transactions/no-text").unwrap(),
            "\0\0\0\0\0".to_owned(),
            None,
        ),
    ] {
        bucket.put(key.as_str(), &body).await;
        let payload = event(&[key.as_str()]).to_string();
        bucket.handler().handle(&payload, "r", None).await.unwrap();
        let entries = bucket.store.ledger_entries(&key).await.unwrap();
        let expected = Fingerprint {
            sha256: Some(ObjectHash::of(body.as_bytes())),
            position,
        };
        assert_eq!(entries[0].fingerprint, Some(expected), "{key}");
    }
    assert_eq!(bucket.rejects().await, ["unsupported_encoding"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_an_object_that_is_read_again_has_the_same_hash(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let (key, body) = (key(3), batch(run(), 9000));
    bucket.put(key.as_str(), &body).await;
    let object = ObjectRef {
        bucket: BUCKET.to_owned(),
        key,
        etag: None,
    };
    let objects = bucket.objects();
    let mut parts = ObjectParts::open(&objects, &object).await.unwrap();
    // Given up in the midst, as when the database fails, and then read whole.
    assert!(matches!(parts.next().await, Ok(Part::Lines(_))));
    assert_eq!(parts.fingerprint(), Fingerprint::default());
    parts.rewind().await.unwrap();
    while !matches!(parts.next().await.unwrap(), Part::End) {}
    let sha256 = Some(ObjectHash::of(body.as_bytes()));
    assert_eq!(parts.fingerprint().sha256, sha256);
}
