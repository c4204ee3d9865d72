//! What someone may insert as `ingest`, and put into the bucket, and what neither `reconcile` nor `verify` calls clean.

use sqlx::MySqlPool;

use crate::forgery::{NOW, enter, forge};
use crate::harness::{check, first, ingested, lines};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_forged_row_is_not_clean_wherever_it_points(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    check(&pipeline, 0, &[], &[]).await;
    let day = ["--from", "2026-11-22", "--to", "2026-11-22"];
    check(&pipeline, 0, &day, &[]).await;
    for (key, more) in [
        ("elsewhere/1.ndjson", ""),
        ("transactions/never.json", ""),
        ("transactions/dt=2020-01-01/hh=00/1.ndjson", ""),
        ("", ""),
        (&*first(), "recorded_at = '2099-01-01'"),
        (&*first(), "id = 5000000000000000000"),
        (&*first(), "id = 0"),
        (&*format!("{} ", first()), ""),
        // After it the server gives no more numbers.
        (&*first(), "id = 18446744073709551615"),
    ] {
        forge(&pipeline, "forged", key, 7, more).await;
        let named = ["row without a record forged"];
        check(&pipeline, 1, &[], &named).await;
        check(&pipeline, 1, &day, &named).await;
        pipeline
            .run_sql("DELETE FROM transactions WHERE payment_id = 'forged'")
            .await;
    }
    check(&pipeline, 0, &[], &[]).await;
}

/// The ledger, too, may be added to.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_forged_row_with_a_forged_ledger_entry_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    for (key, code) in [
        // Nor can be known what else is outside the prefix.
        ("elsewhere/1.ndjson", 2),
        ("transactions/never.json", 1),
        ("transactions/dt=2026-11-22/hh=07/never.ndjson", 1),
        ("", 2),
    ] {
        forge(&pipeline, "forged", key, 1, "").await;
        enter(&pipeline, key, "e", [1, 1, 0, 0, 0], NOW).await;
        check(&pipeline, code, &[], &["object gone"]).await;
        let day = ["--from", "2026-11-22", "--to", "2026-11-22"];
        check(&pipeline, code, &day, &["object gone"]).await;
        pipeline
            .run_sql("DELETE FROM transactions WHERE payment_id = 'forged'")
            .await;
        pipeline
            .run_sql("DELETE FROM ingested_objects WHERE object_etag = 'e'")
            .await;
    }
    check(&pipeline, 0, &[], &[]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_forged_conflicts_and_rejects_are_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let first = first();
    for (key, line) in [("elsewhere/1.ndjson", 1), (&*first, 1), (&*first, 9)] {
        for etag in [
            "'e'",
            "(SELECT object_etag FROM ingested_objects WHERE object_key LIKE '%1.ndjson' LIMIT 1)",
        ] {
            let conflict = format!(
                "INSERT INTO conflicts (payment_id, status, received_at, extra, content_hash, object_key, object_etag, \
                 object_line) VALUES ('a', 'processed', UTC_TIMESTAMP(), '{{}}', REPEAT('x', 32), '{key}', {etag}, {line})"
            );
            let reject = format!(
                "INSERT INTO rejects (object_key, object_etag, object_line, reason, detail) \
                 VALUES ('{key}', {etag}, {line}, 'not_json', '')"
            );
            for (table, sql) in [("conflicts", conflict), ("rejects", reject)] {
                pipeline.run_sql(&sql).await;
                check(&pipeline, 1, &[], &["differences"]).await;
                pipeline.run_sql(&format!("DELETE FROM {table}")).await;
            }
        }
    }
    check(&pipeline, 0, &[], &[]).await;
}

/// Recorded before the function comes to it, as if it were of a day that nobody looks at any more.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_payment_whose_id_is_held_from_outside_the_range_is_not_clean(pool: MySqlPool) {
    let day = ["--from", "2026-11-23", "--to", "2026-11-23"];
    let changes = [
        (
            "amount = 99, content_hash = REPEAT('x', 32)",
            "row without a record c",
        ),
        ("received_at = '2020-01-01'", "row without a record c"),
        (
            "received_at = '2020-01-01', object_line = 2",
            "row without a record c",
        ),
    ];
    let pipeline = ingested(pool).await;
    for (number, (change, named)) in changes.into_iter().enumerate() {
        forge(&pipeline, "c", &first(), 7, change).await;
        let key = format!("transactions/dt=2026-11-23/hh=0{number}/2.ndjson");
        pipeline.put(&key, &lines(&["c"])).await;
        pipeline.payctl(&["replay"]).await.check(0, &[]);
        check(&pipeline, 1, &day, &[named]).await;
        check(&pipeline, 1, &[], &[named]).await;
        pipeline.delete(&key).await;
        pipeline
            .run_sql(
                "DELETE FROM transactions WHERE payment_id = 'c'; DELETE FROM conflicts; \
                 DELETE FROM ingested_objects WHERE object_key LIKE '%2026-11-23%'",
            )
            .await;
    }
    // A repeat of the day after is right where its row is.
    pipeline
        .put("transactions/dt=2026-11-23/hh=05/2.ndjson", &lines(&["b"]))
        .await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    check(&pipeline, 0, &day, &[]).await;
}

/// The ledger and the rows may name any object of the bucket; those outside the prefix are not the journal's.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_object_outside_the_prefix_accounts_for_no_row(pool: MySqlPool) {
    let objects = "1 objects are in the ledger and lie outside LOG_PREFIX";
    for (key, named) in [
        ("elsewhere/1.ndjson", objects),
        // No page of the ledger shows it: the collation sorts it before everything.
        ("\u{1}before/1.ndjson", "object gone"),
    ] {
        let pipeline = ingested(pool.clone()).await;
        pipeline.put(key, &lines(&["e"])).await;
        forge(&pipeline, "e", key, 1, "").await;
        enter(&pipeline, key, "e", [1, 1, 0, 0, 0], NOW).await;
        check(
            &pipeline,
            2,
            &[],
            &["1 rows name objects outside LOG_PREFIX", named],
        )
        .await;
        pipeline
            .payctl(&["replay", "--object", key])
            .await
            .check(64, &["does not start with transactions/"]);
        pipeline
            .run_sql("DELETE FROM transactions; DELETE FROM ingested_objects")
            .await;
    }
}

/// A key that is unique today may have been none for a while.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_payment_that_has_two_rows_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .run_sql("ALTER TABLE transactions DROP KEY transactions_payment_id")
        .await;
    forge(&pipeline, "b", &first(), 2, "").await;
    check(
        &pipeline,
        1,
        &[],
        &["row without a record b", "another row"],
    )
    .await;
}

/// A version that never was, of an object that may be corrected: nobody can read it any more.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_forged_conflict_of_a_replaced_version_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    enter(&pipeline, "transactions/x.json", "e", [1, 0, 0, 1, 0], NOW).await;
    pipeline
        .admin(
            "INSERT INTO conflicts (payment_id, transaction, amount, currency, status, payer_name, received_at, extra, \
             request_id, content_hash, object_key, object_etag, object_line) \
             SELECT payment_id, transaction, amount, currency, status, payer_name, received_at, extra, request_id, \
             content_hash, 'transactions/x.json', 'e', 1 FROM transactions WHERE payment_id = 'b'",
        )
        .await;
    check(
        &pipeline,
        2,
        &[],
        &["row without a record b", "its object was replaced"],
    )
    .await;
}
