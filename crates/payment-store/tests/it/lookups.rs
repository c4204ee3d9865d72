//! What a payment's row and an object's state are found to be.

use std::collections::HashSet;

use payment_core::{ObjectKey, PaymentId, Status};
use payment_store::Error;
use sqlx::MySqlPool;

use crate::harness::{key, lines, record, store};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn a_payment_is_found_with_its_origin_and_its_conflicts(pool: MySqlPool) {
    let store = store(&pool);
    let body =
        r#"{"id":"a","amount":1,"status":"failed","transaction":"rent","payer_name":"Jane"}"#;
    store
        .ingest_object(&key("x"), &lines(&["?", body, r#"{"id":"a"}"#]))
        .await
        .unwrap();
    store
        .ingest_object(&key("y"), &lines(&[r#"{"id":"a","x":1}"#]))
        .await
        .unwrap();

    let found = store
        .find(&PaymentId::parse("a").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.amount.unwrap().to_string(), "1.00");
    assert_eq!((found.status, found.conflicts), (Status::Failed, 2));
    assert_eq!((found.object_key, found.object_line), (key("x"), 2));
    assert_eq!(found.content_hash, record(body).content_hash);
    assert_eq!(found.request_id.unwrap().as_str(), "req-1");
    // Clocks of one machine: the row is not from another day or zone.
    let now = sqlx::types::time::OffsetDateTime::now_utc();
    assert!((now - found.recorded_at.to_utc()).unsigned_abs() < std::time::Duration::from_mins(1));

    assert_eq!(
        store.find(&PaymentId::parse("A").unwrap()).await.unwrap(),
        None
    );
}

/// Ids are told apart by their bytes, and more are asked for than one statement holds.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p4_the_rows_that_hold_ids_are_found(pool: MySqlPool) {
    let store = store(&pool);
    let body = r#"{"id":"a","amount":1}"#;
    let taken = lines(&[body, r#"{"id":"a","amount":2}"#, r#"{"id":"p600"}"#]);
    store.ingest_object(&key("x"), &taken).await.unwrap();
    let others = (0..1000).map(|n| format!("p{n}"));
    let ids: Vec<_> = others
        .chain(["a".to_owned(), "A".to_owned()])
        .map(|id| PaymentId::parse(&id).unwrap())
        .collect();

    let holders = store.holders(&ids).await.unwrap();
    let mut found: Vec<_> = holders.keys().map(PaymentId::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, ["a", "p600"]);
    let record = record(body);
    let holder = &holders[&ids[1000]];
    assert_eq!(holder.content_hash, record.content_hash);
    assert_eq!(holder.received_at, record.received_at);
    assert_eq!(holder.request_id, record.request_id);
    assert!(store.holders(&[]).await.unwrap().is_empty());
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn ingested_objects_are_told_from_missing_ones(pool: MySqlPool) {
    let store = store(&pool);
    let keys: Vec<_> = (0..1201).map(|n| key(&n.to_string())).collect();
    let taken: HashSet<_> = [&keys[0], &keys[499], &keys[500], &keys[1200]]
        .into_iter()
        .cloned()
        .collect();
    for key in &taken {
        store.ingest_object(key, &[]).await.unwrap();
    }
    assert_eq!(store.ingested_among(&keys).await.unwrap(), taken);
    assert_eq!(store.ingested_among(&[]).await.unwrap(), HashSet::new());
    assert!(store.is_ingested(&keys[499]).await.unwrap());
    assert!(!store.is_ingested(&keys[1]).await.unwrap());
}

/// One key that can't be recorded does not stop the sweep over all others.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_key_that_can_not_be_recorded_is_a_clear_error(pool: MySqlPool) {
    let store = store(&pool);
    let good = key("x");
    let spaced = ObjectKey::parse(&format!("{good} ")).unwrap();
    let long = ObjectKey::parse(&"k".repeat(701)).unwrap();
    store.ingest_object(&good, &[]).await.unwrap();
    assert!(matches!(
        store.ingest_object(&spaced, &[]).await,
        Err(Error::KeyEndsInSpace)
    ));
    assert!(matches!(
        store.is_ingested(&spaced).await,
        Err(Error::KeyEndsInSpace)
    ));
    assert!(matches!(
        store.ingest_object(&long, &[]).await,
        Err(Error::KeyTooLong { chars: 701 })
    ));
    let ingested = store
        .ingested_among(&[spaced, long, good.clone()])
        .await
        .unwrap();
    assert_eq!(ingested, HashSet::from([good]));

    let longest = ObjectKey::parse(&format!("{}{}", "k".repeat(592), "😀".repeat(108))).unwrap();
    assert!(!store.ingest_object(&longest, &[]).await.unwrap().already);
    assert!(store.is_ingested(&longest).await.unwrap());
}
