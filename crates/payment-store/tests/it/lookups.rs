//! What a payment's row and an object's state are found to be.

use payment_core::{
    ObjectKey, ObjectVersion, PaymentKey, RecordError, RejectedLine, Status, Timestamp,
};
use sqlx::MySqlPool;

use crate::harness::{
    admin, counts, is_ingested, key, lines, object, payment, record, store, version,
};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn a_payment_is_found_with_its_origin_and_its_conflicts(pool: MySqlPool) {
    let store = store(&pool);
    let body =
        r#"{"id":"a","amount":1,"status":"failed","transaction":"rent","payer_name":"Jane"}"#;
    store
        .ingest_object(&object("x"), &lines(&["?", body, r#"{"id":"a"}"#]))
        .await
        .unwrap();
    store
        .ingest_object(&object("y"), &lines(&[r#"{"id":"a","x":1}"#]))
        .await
        .unwrap();

    let found = store.find(&payment("a", "")).await.unwrap().unwrap();
    assert_eq!(found.amount.unwrap().to_string(), "1.00");
    assert_eq!((found.status, found.conflicts), (Status::Failed, 2));
    assert_eq!((found.object_key, found.object_line), (key("x"), 2));
    assert_eq!(found.content_hash, record(body).content_hash);
    assert_eq!(found.request_id.unwrap().as_str(), "req-1");
    // Clocks of one machine: the row is not from another day or zone.
    let now = sqlx::types::time::OffsetDateTime::now_utc();
    assert!((now - found.recorded_at.to_utc()).unsigned_abs() < std::time::Duration::from_mins(1));

    assert_eq!(store.find(&payment("A", "")).await.unwrap(), None);
}

/// Ids are told apart by their bytes, and more are asked for than one statement holds.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p4_the_rows_that_hold_ids_are_found(pool: MySqlPool) {
    let store = store(&pool);
    let body = r#"{"id":"a","amount":1}"#;
    let taken = lines(&[body, r#"{"id":"a","amount":2}"#, r#"{"id":"p600"}"#]);
    store.ingest_object(&object("x"), &taken).await.unwrap();
    let others = (0..1000).map(|n| format!("p{n}"));
    let ids: Vec<_> = others
        .chain(["a".to_owned(), "A".to_owned()])
        .map(|id| payment(&id, ""))
        .collect();

    let holders = store.holders(&ids).await.unwrap();
    let mut found: Vec<_> = holders.keys().map(ToString::to_string).collect();
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
    let objects: Vec<_> = (0..1201).map(|n| object(&n.to_string())).collect();
    let taken = [0, 499, 500, 1200];
    for n in taken {
        store.ingest_object(&objects[n], &[]).await.unwrap();
    }
    let missing: Vec<_> = (0..1201)
        .filter(|n| !taken.contains(n))
        .map(|n| objects[n].clone())
        .collect();
    assert_eq!(store.not_ingested(objects).await.unwrap(), missing);
    assert_eq!(store.not_ingested(Vec::new()).await.unwrap(), []);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_keys_of_any_length_are_recorded_and_told_apart(pool: MySqlPool) {
    let store = store(&pool);
    let with_key = |key: &str| ObjectVersion {
        key: ObjectKey::parse(key).unwrap(),
        ..object("x")
    };
    let longest = format!("{}{}", "k".repeat(592), "😀".repeat(108));
    let too_long = "k".repeat(701);
    for key in [&longest, &too_long, &"k".repeat(1024)] {
        let object = with_key(key);
        assert!(!is_ingested(&store, &object).await, "{key}");
        assert!(!store.ingest_object(&object, &[]).await.unwrap().already);
        assert!(is_ingested(&store, &object).await, "{key}");
        let entry = store.ledger_entry(&object).await.unwrap();
        assert!(entry.is_some(), "{key}");
    }
}

/// The collation leaves spaces at the end out of comparisons; the content does not.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_key_that_ends_in_a_space_is_recorded(pool: MySqlPool) {
    let store = store(&pool);
    let spaced = |etag| ObjectVersion {
        key: ObjectKey::parse(&format!("{} ", key("x"))).unwrap(),
        ..version("x", etag)
    };
    let first = lines(&[r#"{"id":"a"}"#]);
    store.ingest_object(&object("x"), &first).await.unwrap();
    let other = lines(&[r#"{"id":"b"}"#, "?"]);
    let outcome = store.ingest_object(&spaced("2"), &other).await.unwrap();
    assert_eq!(
        (outcome.already, outcome.rows, outcome.rejects),
        (false, 1, 1)
    );
    assert!(is_ingested(&store, &spaced("2")).await);
    // The same content under both keys: its lines are recorded once.
    let twin = store.ingest_object(&spaced("1"), &first).await;
    assert!(twin.is_ok_and(|outcome| outcome.rows + outcome.duplicates == 1));
    assert_eq!(counts(&pool).await[..3], [2, 0, 1]);
}

/// An object that was corrected and uploaded under its old key.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_new_content_under_an_old_key_is_ingested(pool: MySqlPool) {
    let store = store(&pool);
    let first = lines(&["?", r#"{"id":"b","amount":1}"#, r#"{"id":"c"}"#, "!"]);
    let outcome = store
        .ingest_object(&version("x", "1"), &first)
        .await
        .unwrap();
    assert_eq!((outcome.rows, outcome.rejects), (2, 2));

    let corrected = [
        r#"{"id":"a"}"#,
        r#"{"id":"b","amount":2}"#,
        r#"{"id":"c"}"#,
        "!",
    ];
    let second = version("x", "2");
    assert!(!is_ingested(&store, &second).await);
    let outcome = store
        .ingest_object(&second, &lines(&corrected))
        .await
        .unwrap();
    assert!(!outcome.already);
    assert_eq!((outcome.lines, outcome.rows), (4, 2), "a, and c as before");
    assert_eq!((outcome.conflicts, outcome.rejects), (1, 1));
    assert_eq!(counts(&pool).await, [3, 1, 3, 2]);
    for version in [version("x", "1"), second] {
        let again = store.ingest_object(&version, &[]).await.unwrap();
        assert!(again.already && is_ingested(&store, &version).await);
    }
}

/// Rows of the ledger from before ETags were recorded.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_what_was_ingested_before_etags_is_not_ingested_again(pool: MySqlPool) {
    let store = store(&pool);
    store
        .ingest_object(&object("x"), &lines(&["?"]))
        .await
        .unwrap();
    admin(&pool, "UPDATE ingested_objects SET object_etag = ''").await;
    assert!(is_ingested(&store, &object("x")).await);
    let corrected = ObjectVersion {
        stored_at: Timestamp::parse("9999-01-01T00:00:00Z").unwrap(),
        ..object("x")
    };
    assert!(!is_ingested(&store, &corrected).await);
    let outcome = store
        .ingest_object(&corrected, &lines(&[r#"{"id":"a"}"#]))
        .await;
    assert_eq!(outcome.unwrap().rows, 1);
}

/// The app tier accepted it; lines of foreign objects were never accepted.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_rejected_line_of_the_systems_own_is_known_until_it_is_settled(pool: MySqlPool) {
    let store = store(&pool);
    let [own, foreign] = ["own", "foreign"].map(|id| payment(id, ""));
    let rejected = |line, is_own, id: &PaymentKey| {
        let rejected = RejectedLine {
            error: RecordError::UnsupportedVersion,
            is_own,
            resembles_own: false,
            payment: Some(id.clone()),
        };
        (line, Err(rejected))
    };
    let lines_of = [rejected(1, true, &own), rejected(2, false, &foreign)];
    let outcome = store.ingest_object(&object("x"), &lines_of).await.unwrap();
    assert_eq!((outcome.rejects, outcome.own_rejects), (2, 1));
    let found = store.rejection(&own).await.unwrap().unwrap();
    assert_eq!(found.reason, "unsupported_version");
    assert_eq!(store.rejection(&foreign).await.unwrap(), None);
    assert_eq!(store.unsettled_own_rejects().await.unwrap(), 1);

    let understood = lines(&[r#"{"id":"own"}"#]);
    store.ingest_lines(&object("x"), &understood).await.unwrap();
    assert!(store.find(&own).await.unwrap().is_some());
    assert_eq!(store.unsettled_own_rejects().await.unwrap(), 0);
    assert_eq!(counts(&pool).await, [1, 0, 2, 1], "the rejects stay");
}

/// What was rejected may be a payment to a later reader.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_lines_that_were_rejected_can_be_recorded_later(pool: MySqlPool) {
    let store = store(&pool);
    let first = lines(&["?", r#"{"id":"b"}"#]);
    store.ingest_object(&object("x"), &first).await.unwrap();
    let understood = lines(&[r#"{"id":"a"}"#]);
    for rows in [1, 1] {
        let outcome = store.ingest_lines(&object("x"), &understood).await;
        assert_eq!(outcome.unwrap().rows, rows);
        assert_eq!(counts(&pool).await, [2, 0, 1, 1], "the reject stays");
    }
}
