//! Rows, rejects and entries of the ledger that are not what their object says: an audit calls none of them clean.

use serde_json::json;
use sqlx::MySqlPool;

use crate::forgery::{NOW, check_each_column, enter};
use crate::harness::{HOUR, Pipeline, check, first, ingested, line, lines};

/// An entry of the ledger and a reject, put in before the function could read the object.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_payment_that_was_rejected_beforehand_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let key = format!("{HOUR}2.ndjson");
    pipeline.put(&key, &lines(&["c"])).await;
    enter(&pipeline, &key, "", [1, 0, 0, 0, 1], "'2099-01-01'").await;
    let reject = format!(
        "INSERT INTO rejects (object_key, object_line, reason, detail) VALUES ('{key}', 1, 'not_json', '')"
    );
    pipeline.run_sql(&reject).await;
    check(
        &pipeline,
        1,
        &[],
        &[&format!("rejected             c {key} line 1")],
    )
    .await;
    pipeline
        .payctl(&["trace", "c", "--hours", "700"])
        .await
        .check(1, &["rejected"]);
    pipeline
        .payctl(&["replay", "--rejects"])
        .await
        .check(0, &[]);
    assert_eq!(pipeline.rows().await, ["a", "b", "c", "x"]);
    check(&pipeline, 1, &[], &["ledger differs", "ingested_at 2099"]).await;
}

/// A correction may not leave an accepted payment out.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_rejected_payment_whose_object_was_replaced_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = "transactions/export.ndjson";
    let lost = "{\"v\":9,\"id\":\"lost\"}\n";
    pipeline.put(key, lost).await;
    pipeline.payctl(&["replay"]).await.check(1, &[]);
    pipeline.put_later(key, "{\"id\":\"a\"}\n").await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    check(
        &pipeline,
        2,
        &[],
        &["rejected             lost", "its object was replaced"],
    )
    .await;
    pipeline
        .put_later(key, "{\"id\":\"a\"}\n{\"id\":\"lost\"}\n")
        .await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let said = pipeline.reconcile().await;
    said.check(2, &["is not in S3"]);
    assert_eq!(said.count("differences"), 0);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_reject_that_is_not_its_lines_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let junk = "{\"id\":\"j\",\"amount\":0}\n";
    pipeline.put("transactions/export.ndjson", junk).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let columns = [
        ("reason", "'hash_mismatch'"),
        ("is_own", "TRUE"),
        ("payment_id", "'a'"),
        ("payment_id", "NULL"),
        ("recorded_at", "'2020-01-01'"),
        ("recorded_at", "'2099-01-01'"),
    ];
    check_each_column(&pipeline, "rejects", "TRUE", &columns, |column| {
        ["reject differs", column]
    })
    .await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_a_conflict_that_is_not_its_lines_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let other = json!({"id": "a", "amount": "99.00", "payer_name": "Jane"});
    let other = line(&other);
    pipeline.put(&format!("{HOUR}2.ndjson"), &other).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let columns = [
        ("payment_id", "'c'"),
        ("transaction", "'t'"),
        ("amount", "98"),
        ("currency", "'EUR'"),
        ("status", "'failed'"),
        ("payer_name", "NULL"),
        ("extra", "'{\"x\":1}'"),
        ("received_at", "'2026-11-22 07:30:01'"),
        ("recorded_at", "'2020-01-01'"),
        ("recorded_at", "'2099-01-01'"),
        ("request_id", "NULL"),
    ];
    check_each_column(&pipeline, "conflicts", "TRUE", &columns, |column| {
        ["row differs", column]
    })
    .await;
    pipeline
        .admin("UPDATE conflicts SET content_hash = REPEAT('x', 32)")
        .await;
    check(
        &pipeline,
        1,
        &[],
        &["conflict missing", "row without a record"],
    )
    .await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_entry_of_the_ledger_that_is_not_its_objects_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let of_first = "object_key LIKE '%/1.ndjson'";
    let times = [
        ("ingested_at", "'2099-01-01'"),
        ("ingested_at", "'2020-01-01'"),
    ];
    // Rows that are recorded after their object is ingested differ, too.
    let named = |_| ["_at"; 2];
    check_each_column(&pipeline, "ingested_objects", of_first, &times, named).await;
    for counts in [
        "line_count = 3, row_count = 3",
        "row_count = 1, duplicate_count = 1",
        "row_count = 1, conflict_count = 1",
        "row_count = 1, reject_count = 1",
    ] {
        pipeline
            .admin(&format!(
                "UPDATE ingested_objects SET {counts} WHERE {of_first}"
            ))
            .await;
        check(&pipeline, 1, &[], &["ledger differs"]).await;
        let back = "line_count = 2, row_count = 2, duplicate_count = 0, conflict_count = 0, reject_count = 0";
        pipeline
            .admin(&format!(
                "UPDATE ingested_objects SET {back} WHERE {of_first}"
            ))
            .await;
    }
    enter(&pipeline, &first(), "", [2, 2, 0, 0, 0], NOW).await;
    check(&pipeline, 1, &[], &["ledger differs", "2 entries"]).await;
}

/// As if its object had been corrected, and its line had moved.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_a_moved_row_with_another_time_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline.put("transactions/m.json", &lines(&["m"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline
        .run_sql(
            "UPDATE transactions SET object_line = 9 WHERE payment_id = 'm'; \
             UPDATE ingested_objects SET row_count = 0, duplicate_count = 1 WHERE object_key = 'transactions/m.json'; \
             INSERT INTO ingested_objects (object_key, object_etag, line_count, row_count, duplicate_count, \
             conflict_count, reject_count, ingested_at) VALUES ('transactions/m.json', 'e', 1, 1, 0, 0, 0, '2020-01-01')",
        )
        .await;
    let moved = "its payment is in line 1 now";
    check(&pipeline, 2, &[], &["unproven             m", moved]).await;
    pipeline
        .admin("UPDATE transactions SET received_at = '2020-01-01' WHERE payment_id = 'm'")
        .await;
    check(
        &pipeline,
        2,
        &[],
        &["row differs          m", "received_at"],
    )
    .await;
}
