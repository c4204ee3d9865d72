//! What someone may insert as `ingest`, and put into the bucket, and what neither `reconcile` nor `verify` calls clean.

use sqlx::MySqlPool;

use crate::harness::{HOUR, Pipeline, check, first, ingested, lines};

/// A row that is no payment's, copied from `b` so that its columns fit its hash.
async fn forge(pipeline: &Pipeline, id: &str, key: &str, line: u32, more: &str) {
    let insert = format!(
        "INSERT INTO transactions (payment_id, transaction, amount, currency, status, payer_name, received_at, \
         extra, recorded_at, request_id, content_hash, object_key, object_line) \
         SELECT '{id}', transaction, amount, currency, status, payer_name, received_at, extra, recorded_at, \
         request_id, content_hash, '{key}', {line} FROM transactions WHERE payment_id = 'b'"
    );
    pipeline.run_sql(&insert).await;
    if !more.is_empty() {
        pipeline
            .run_sql(&format!(
                "UPDATE transactions SET {more} WHERE payment_id = '{id}'"
            ))
            .await;
    }
}

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
        let entry = format!(
            "INSERT INTO ingested_objects (object_key, object_etag, line_count, row_count, duplicate_count, \
             conflict_count, reject_count) VALUES ('{key}', 'e', 1, 1, 0, 0, 0)"
        );
        pipeline.run_sql(&entry).await;
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

/// An entry of the ledger and a reject, put in before the function could read the object.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_payment_that_was_rejected_beforehand_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let key = format!("{HOUR}2.ndjson");
    pipeline.put(&key, &lines(&["c"])).await;
    for sql in [
        format!(
            "INSERT INTO ingested_objects (object_key, line_count, row_count, duplicate_count, conflict_count, \
             reject_count, ingested_at) VALUES ('{key}', 1, 0, 0, 0, 1, '2099-01-01')"
        ),
        format!(
            "INSERT INTO rejects (object_key, object_line, reason, detail) VALUES ('{key}', 1, 'not_json', '')"
        ),
    ] {
        pipeline.run_sql(&sql).await;
    }
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

/// Sets columns as the administrator, and back: `ingest` may have inserted them so.
async fn check_each_column(
    pipeline: &Pipeline,
    table: &str,
    filter: &str,
    columns: &[(&str, &str)],
    kind: &str,
) {
    for (column, value) in columns {
        pipeline
            .run_sql(&format!(
                "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT {column} AS kept FROM {table} WHERE {filter}"
            ))
            .await;
        let change = format!("UPDATE {table} SET {column} = {value} WHERE {filter}");
        pipeline.admin(&change).await;
        check(pipeline, 1, &[], &[kind, column]).await;
        pipeline
            .admin(&format!(
                "UPDATE {table} SET {column} = (SELECT kept FROM kept)"
            ))
            .await;
    }
    check(pipeline, 0, &[], &[]).await;
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
    check_each_column(&pipeline, "rejects", "TRUE", &columns, "reject differs").await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_a_conflict_that_is_not_its_lines_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let other = serde_json::json!({"id": "a", "amount": "99.00", "payer_name": "Jane"});
    let other = crate::harness::line(&other);
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
    check_each_column(&pipeline, "conflicts", "TRUE", &columns, "row differs").await;
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
    for (column, value) in times {
        let keep = format!(
            "CREATE TABLE kept AS SELECT {column} AS kept FROM ingested_objects WHERE {of_first}"
        );
        pipeline
            .run_sql(&format!("DROP TABLE IF EXISTS kept; {keep}"))
            .await;
        pipeline
            .admin(&format!(
                "UPDATE ingested_objects SET {column} = {value} WHERE {of_first}"
            ))
            .await;
        // Rows that are recorded after their object is ingested differ, too.
        check(&pipeline, 1, &[], &["_at"]).await;
        let back = format!(
            "UPDATE ingested_objects SET {column} = (SELECT kept FROM kept) WHERE {of_first}"
        );
        pipeline.admin(&back).await;
    }
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
    let second = format!(
        "INSERT INTO ingested_objects (object_key, line_count, row_count, duplicate_count, conflict_count, reject_count) \
         VALUES ('{}', 2, 2, 0, 0, 0)",
        first()
    );
    pipeline.admin(&second).await;
    check(&pipeline, 1, &[], &["ledger differs", "2 entries"]).await;
}

/// A version that never was, of an object that may be corrected: nobody can read it any more.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_forged_conflict_of_a_replaced_version_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .admin(
            "INSERT INTO ingested_objects (object_key, object_etag, line_count, row_count, duplicate_count, \
             conflict_count, reject_count) VALUES ('transactions/x.json', 'e', 1, 0, 0, 1, 0)",
        )
        .await;
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
        pipeline
            .admin(&format!(
                "INSERT INTO ingested_objects (object_key, object_etag, line_count, row_count, duplicate_count, \
                 conflict_count, reject_count) VALUES ('{key}', 'e', 1, 1, 0, 0, 0)"
            ))
            .await;
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
