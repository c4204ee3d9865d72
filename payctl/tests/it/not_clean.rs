//! What `reconcile` and `verify` must not call clean, though someone with all rights over bucket and database wishes so.

use serde_json::Value;
use sqlx::MySqlPool;

use crate::harness::{HOUR, Pipeline, lines};

const COMMANDS: [&str; 2] = ["reconcile", "verify"];

/// An ingested batch of `a` and `b`, and a single object of an older system.
async fn ingested(pool: MySqlPool) -> Pipeline {
    let pipeline = Pipeline::start(pool).await;
    pipeline.put(&first(), &lines(&["a", "b"])).await;
    pipeline.put("transactions/x.json", r#"{"id":"x"}"#).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline
}

fn first() -> String {
    format!("{HOUR}1.ndjson")
}

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

async fn check(pipeline: &Pipeline, code: i32, args: &[&str], parts: &[&str]) {
    for command in COMMANDS {
        let args = [&[command, "--settle", "0"], args].concat();
        pipeline.payctl(&args).await.check(code, parts);
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
    for key in [
        "elsewhere/1.ndjson",
        "transactions/never.json",
        "transactions/dt=2026-11-22/hh=07/never.ndjson",
        "",
    ] {
        forge(&pipeline, "forged", key, 1, "").await;
        let entry = format!(
            "INSERT INTO ingested_objects (object_key, object_etag, line_count, row_count, duplicate_count, \
             conflict_count, reject_count) VALUES ('{key}', 'e', 1, 1, 0, 0, 0)"
        );
        pipeline.run_sql(&entry).await;
        check(&pipeline, 1, &[], &["object gone"]).await;
        let day = ["--from", "2026-11-22", "--to", "2026-11-22"];
        check(&pipeline, 1, &day, &["object gone"]).await;
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
    check(&pipeline, 0, &[], &[]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_duplicate_whose_row_was_altered_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .put("transactions/dt=2026-11-23/hh=00/2.ndjson", &lines(&["b"]))
        .await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline
        .run_sql("UPDATE transactions SET amount = 99 WHERE payment_id = 'b'")
        .await;
    let day = ["--from", "2026-11-23", "--to", "2026-11-23"];
    check(&pipeline, 1, &day, &["row differs          b", "amount"]).await;
}

/// The line has moved, so the row names none of its own.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_an_altered_row_of_a_corrected_object_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = "transactions/export.ndjson";
    pipeline
        .put(key, "nonsense\n{\"id\":\"a\",\"amount\":1}\n")
        .await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline.put(key, "{\"id\":\"a\",\"amount\":1}\n").await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    check(&pipeline, 0, &[], &[]).await;
    pipeline
        .run_sql("UPDATE transactions SET amount = 2 WHERE payment_id = 'a'")
        .await;
    check(&pipeline, 1, &[], &["row differs          a", "amount"]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_altered_times_are_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    for (id, column, value) in [
        ("a", "received_at", "'2026-11-22 07:30:01'"),
        ("a", "recorded_at", "'2020-01-01'"),
        ("a", "recorded_at", "'2099-01-01'"),
        ("x", "received_at", "'2020-01-01'"),
        ("x", "request_id", "'r'"),
    ] {
        let change =
            |to: &str| format!("UPDATE transactions SET {column} = {to} WHERE payment_id = '{id}'");
        pipeline
            .run_sql("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT payment_id, received_at, recorded_at, request_id FROM transactions")
            .await;
        pipeline.run_sql(&change(value)).await;
        check(&pipeline, 1, &[], &[&format!(": {column}")]).await;
        pipeline.payctl(&["trace", id]).await.check(1, &[column]);
        pipeline
            .run_sql(&change(&format!(
                "(SELECT {column} FROM kept WHERE payment_id = '{id}')"
            )))
            .await;
        pipeline.payctl(&["trace", id]).await.check(0, &[]);
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_nothing_looked_at_is_not_clean(pool: MySqlPool) {
    let mut pipeline = ingested(pool).await;
    check(
        &pipeline,
        2,
        &["--to", "2020-01-01"],
        &["nothing was looked at"],
    )
    .await;
    for range in [
        ["--from", "2026-11-22", "--to", "2026-11-20"].as_slice(),
        &["--from", "2099-01-01"],
    ] {
        check(&pipeline, 64, range, &["--from"]).await;
    }
    for prefix in ["transactons/", "transactions"] {
        pipeline.set("LOG_PREFIX", prefix.to_owned());
        check(&pipeline, 64, &[], &["LOG_PREFIX"]).await;
        pipeline
            .payctl(&["replay"])
            .await
            .check(64, &["LOG_PREFIX"]);
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_empty_journal_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    check(&pipeline, 2, &[], &["nothing was looked at"]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_journal_that_was_emptied_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline.delete(&first()).await;
    pipeline.delete("transactions/x.json").await;
    pipeline.put("elsewhere", "").await;
    check(&pipeline, 1, &[], &["object gone", "row without a record"]).await;
}

/// By ranges as by the full run, whose time tells of keys that are nested in another way.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_missing_object_is_found_by_ranges_however_it_is_nested(pool: MySqlPool) {
    for key in [
        "transactions/2020/05/1.ndjson",
        "transactions/region=eu/dt=2020-05-01/hh=07/1.ndjson",
        "transactions/zone/1.ndjson",
        "transactions/a b+c%20/\u{1}ä.ndjson",
    ] {
        let pipeline = Pipeline::start(pool.clone()).await;
        pipeline.put(key, &lines(&["n"])).await;
        let named = format!("object not ingested  {}", key.replace('\u{1}', "\\u{1}"));
        check(&pipeline, 1, &[], &[&named]).await;
        check(&pipeline, 1, &["--from", "2020-05-01"], &[&named]).await;
    }
    let key = "transactions/dt=2020-05-01/1.ndjson";
    let pipeline = Pipeline::start(pool).await;
    pipeline.put(key, &lines(&["n"])).await;
    let day = ["--from", "2020-05-01", "--to", "2020-05-01"];
    check(
        &pipeline,
        1,
        &day,
        &[&format!("object not ingested  {key}")],
    )
    .await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_unread_object_is_not_clean_and_hides_no_finding(pool: MySqlPool) {
    let mut pipeline = ingested(pool).await;
    let hidden = format!("{HOUR}0-hidden.ndjson");
    pipeline.put(&hidden, &lines(&["h"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline
        .run_sql("DELETE FROM transactions WHERE payment_id = 'b'")
        .await;
    pipeline.become_shortsighted();
    let said = pipeline.payctl(&["reconcile", "--settle", "0"]).await;
    said.check(
        2,
        &[
            "row missing          b",
            &format!("unread               {hidden}"),
        ],
    );
    assert_eq!(
        (said.count("of them unread"), said.count("and unread")),
        (1, 1)
    );
    let said = pipeline
        .payctl(&["verify", "--json", "--settle", "0"])
        .await;
    let last: Value = serde_json::from_str(said.out.lines().last().unwrap()).unwrap();
    assert_eq!(last["outcome"], "unfinished");
    assert_eq!(last["covered"]["prefix"], "transactions/");
    assert_eq!(last["unread"], 1);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_replaced_batch_of_this_system_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let own = format!("{HOUR}019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4-a.ndjson");
    pipeline.put(&own, &lines(&["a"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline.put(&own, &lines(&["a", "b"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    check(&pipeline, 1, &[], &["object replaced"]).await;
}

/// A line of this system that no version understands.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_rejected_line_of_this_system_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let own = format!("{HOUR}019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4-a.ndjson");
    pipeline.put(&own, "nonsense\n").await;
    pipeline.payctl(&["replay"]).await.check(1, &[]);
    check(&pipeline, 1, &[], &["rejected", "line 1: not_json"]).await;
    pipeline
        .payctl(&["replay", "--rejects"])
        .await
        .check(1, &["still rejected"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_corrected_object_is_ingested_again_by_name(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = "transactions/export.ndjson";
    pipeline.put(key, "{\"id\":\"a\"}\nnonsense\n").await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let corrected = "{\"id\":\"a\"}\n{\"id\":\"b\"}\n";
    pipeline.put_later(key, corrected).await;
    let said = pipeline.payctl(&["replay", "--object", key]).await;
    said.check(0, &[]);
    assert_eq!(said.count("objects ingested"), 1);
    assert_eq!(pipeline.rows().await, ["a", "b"]);
    let said = pipeline.reconcile().await;
    said.check(0, &[]);
    assert_eq!(said.count("ingested, and replaced since"), 1);
}

/// By its version, wherever it stands; it names its payment.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_rejected_payment_is_shown_as_rejected_by_trace(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = "transactions/export.ndjson";
    pipeline
        .put(key, "{\"v\":9,\"id\":\"lost\"}\n{\"id\":\"a\"}\n")
        .await;
    pipeline.payctl(&["replay"]).await.check(1, &[]);
    let named = format!("rejected             lost {key} line 1: unsupported_version");
    check(&pipeline, 1, &[], &[&named]).await;
    pipeline
        .payctl(&["trace", "lost"])
        .await
        .check(1, &["rejected: unsupported_version"]);
}
