//! P2 and P4: one row a payment, however often and in whatever company it comes.

use payment_store::Outcome;
use sqlx::MySqlPool;

use crate::harness::{admin, counts, lines, object, store};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_redelivered_object_adds_no_row(pool: MySqlPool) {
    let store = store(&pool);
    let lines = lines(&[
        r#"{"id":"a","status":"failed"}"#,
        r#"{"id":"b"}"#,
        r#"{"id":"b"}"#,
        r#"{"id":"b","x":1}"#,
        "?",
    ]);
    let first = store.ingest_object(&object("x"), &lines).await.unwrap();
    let expected = Outcome {
        already: false,
        lines: 5,
        rows: 2,
        duplicates: 1,
        conflicts: 1,
        rejects: 1,
        own_rejects: 0,
        failed: 1,
    };
    assert_eq!(first, expected);
    assert_eq!(counts(&pool).await, [2, 1, 1, 1]);

    let again = store.ingest_object(&object("x"), &lines).await.unwrap();
    assert_eq!(
        again,
        Outcome {
            already: true,
            failed: 0,
            ..first
        }
    );
    assert_eq!(counts(&pool).await, [2, 1, 1, 1]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_replay_of_a_forgotten_object_adds_nothing(pool: MySqlPool) {
    let store = store(&pool);
    let lines = lines(&[
        r#"{"id":"a","status":"failed"}"#,
        r#"{"id":"b"}"#,
        r#"{"id":"b"}"#,
        r#"{"id":"b","x":1}"#,
        "?",
    ]);
    let first = store.ingest_object(&object("x"), &lines).await.unwrap();
    admin(&pool, "DELETE FROM ingested_objects").await;

    // All is found to be this object's own; nothing is new, so no alert is raised.
    let replay = store.ingest_object(&object("x"), &lines).await.unwrap();
    assert_eq!(replay, Outcome { failed: 0, ..first });
    assert_eq!(counts(&pool).await, [2, 1, 1, 1]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_the_same_payments_in_two_objects_are_one_row_each(pool: MySqlPool) {
    let store = store(&pool);
    let one = store
        .ingest_object(
            &object("x"),
            &lines(&[r#"{"id":"a"}"#, r#"{"id":"b","amount":1}"#]),
        )
        .await
        .unwrap();
    let other = lines(&[
        r#"{"id":"c"}"#,
        r#"{"amount":"1.00","id":"b"}"#,
        r#"{"id":"a"}"#,
    ]);
    let two = store.ingest_object(&object("y"), &other).await.unwrap();
    assert_eq!((one.rows, two.rows, two.duplicates), (2, 1, 2));
    assert_eq!(counts(&pool).await, [3, 0, 0, 2]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p4_an_id_with_other_content_is_one_conflict_with_all_of_it(pool: MySqlPool) {
    let store = store(&pool);
    store
        .ingest_object(&object("x"), &lines(&[r#"{"id":"a","amount":1}"#]))
        .await
        .unwrap();
    let other = lines(&[
        r#"{"id":"a","amount":"2.50","currency":"EUR","transaction":"rent","payer_name":"Jane","status":"failed","n":1.10}"#,
    ]);
    for already in [false, true] {
        let outcome = store.ingest_object(&object("y"), &other).await.unwrap();
        assert_eq!(
            (
                outcome.already,
                outcome.rows,
                outcome.conflicts,
                outcome.failed
            ),
            (already, 0, 1, 0)
        );
    }
    let kept: (String, String, String, String, String, String, String) = sqlx::query_as(
        "SELECT CAST(amount AS CHAR), currency, transaction, payer_name, status, extra, \
         CONCAT(object_key, ' ', object_line, ' ', request_id, ' ', received_at) FROM conflicts",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    let kept = [kept.0, kept.1, kept.2, kept.3, kept.4, kept.5, kept.6].join("|");
    assert_eq!(
        kept,
        "2.5000|EUR|rent|Jane|failed|{\"n\":1.10}|transactions/y.ndjson 1 req-1 2026-11-22 07:30:00.123456"
    );
    assert_eq!(counts(&pool).await, [1, 1, 0, 2]);
}

/// What is the same as the row is no conflict, though an earlier line of its object is.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p4_lines_are_compared_with_the_row_and_not_with_each_other(pool: MySqlPool) {
    let store = store(&pool);
    store
        .ingest_object(&object("x"), &lines(&[r#"{"id":"a","amount":2}"#]))
        .await
        .unwrap();
    let both = lines(&[r#"{"id":"a","amount":1}"#, r#"{"id":"a","amount":2}"#]);
    let outcome = store.ingest_object(&object("y"), &both).await.unwrap();
    assert_eq!(
        (outcome.rows, outcome.duplicates, outcome.conflicts),
        (0, 1, 1)
    );
    let line: u32 = sqlx::query_scalar("SELECT object_line FROM conflicts")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(line, 1);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_bad_line_is_a_reject_and_stops_no_good_one(pool: MySqlPool) {
    let store = store(&pool);
    let card = r#"{"id":"c","note":"4111111111111111"}"#;
    let outcome = store
        .ingest_object(
            &object("x"),
            &lines(&["?", r#"{"id":"a"}"#, card, r#"{"id":"b"}"#]),
        )
        .await
        .unwrap();
    assert_eq!((outcome.lines, outcome.rows, outcome.rejects), (4, 2, 2));
    let rejects: Vec<(u32, String, String)> =
        sqlx::query_as("SELECT object_line, reason, detail FROM rejects ORDER BY object_line")
            .fetch_all(&pool)
            .await
            .unwrap();
    let reasons: Vec<_> = rejects
        .iter()
        .map(|(line, reason, _)| (*line, reason.as_str()))
        .collect();
    assert_eq!(reasons, [(1, "not_json"), (3, "card_number")]);
    assert!(!format!("{rejects:?}").contains("4111"));
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_1201_payments_come_in_by_chunks(pool: MySqlPool) {
    let store = store(&pool);
    let bodies: Vec<_> = (0..1201)
        .map(|n| format!(r#"{{"id":"p{n}","amount":"{n}.01"}}"#))
        .collect();
    let outcome = store
        .ingest_object(&object("x"), &lines(&bodies))
        .await
        .unwrap();
    assert_eq!((outcome.lines, outcome.rows), (1201, 1201));
    // 600 of them again, among 600 new ones: the taken are scattered over all chunks.
    let bodies: Vec<_> = (0..1200)
        .map(|n| format!(r#"{{"id":"p{}","amount":"{}.01"}}"#, n * 2, n * 2))
        .collect();
    let outcome = store
        .ingest_object(&object("y"), &lines(&bodies))
        .await
        .unwrap();
    assert_eq!(
        (outcome.rows, outcome.duplicates, outcome.conflicts),
        (599, 601, 0)
    );
    assert_eq!(counts(&pool).await, [1800, 0, 0, 2]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_object_without_lines_is_taken(pool: MySqlPool) {
    let store = store(&pool);
    for already in [false, true] {
        let outcome = store.ingest_object(&object("x"), &[]).await.unwrap();
        assert_eq!(
            outcome,
            Outcome {
                already,
                ..Outcome::default()
            }
        );
    }
    assert_eq!(counts(&pool).await, [0, 0, 0, 1]);
}
