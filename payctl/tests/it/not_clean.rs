//! What `reconcile` and `verify` must not call clean, though someone with all rights over bucket and database wishes so.

use serde_json::{Value, json};
use sqlx::MySqlPool;

use crate::harness::{HOUR, Pipeline, check, first, ingested, line_of, lines};

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

/// Found by ranges as by the full run, whose time tells of keys that are nested in another way.
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
    check(
        &pipeline,
        1,
        &["--from", "2020-05-02"],
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

/// Shown by its version, wherever it stands; it names its payment.
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

/// What the right to change the schema makes possible all the same.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p7_a_table_that_lost_its_values_by_alter_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let column =
        "ALTER TABLE transactions DROP COLUMN payer_name, ADD COLUMN payer_name VARCHAR(100) NULL";
    pipeline.run_sql(column).await;
    check(&pipeline, 1, &[], &["row differs          a", "payer_name"]).await;
    pipeline
        .run_sql("ALTER TABLE transactions DISCARD TABLESPACE")
        .await;
    check(&pipeline, 2, &[], &[]).await;
}

/// Once so many failed that the rest would fare no better.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_objects_that_are_not_tried_are_counted_all_the_same(pool: MySqlPool) {
    let mut pipeline = ingested(pool).await;
    for number in 0..120 {
        let key = format!("{HOUR}{number}-hidden.ndjson");
        pipeline.put(&key, &lines(&[&format!("h{number}")])).await;
    }
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline.become_shortsighted();
    // One at a time: the one that can be read is done early, and some that are not tried are among the hundred shown.
    let reconcile = ["reconcile", "--settle", "0", "--jobs", "1"];
    let said = pipeline.payctl(&reconcile).await;
    said.check(2, &["not tried", "not all objects were looked at"]);
    let counts = ["objects in the log", "of them unread"];
    assert_eq!(counts.map(|name| said.count(name)), [122, 121]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_right_payment_that_only_a_reject_explains_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let body = r#"{"id":"old-1","amount":"250.00"}"#;
    pipeline.put("transactions/old-1.json", body).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    for forged in [
        "DELETE FROM transactions",
        "UPDATE ingested_objects SET row_count = 0, reject_count = 1",
        "INSERT INTO rejects (object_key, object_etag, object_line, reason, detail, payment_id) \
         SELECT object_key, object_etag, 1, 'refused_by_database', 'x', 'old-1' FROM ingested_objects",
    ] {
        pipeline.admin(forged).await;
    }
    let said = pipeline.reconcile().await;
    said.check(2, &["unproven", "replay --rejects tries it again"]);
}

/// With one object a payment, the key is what S3 decides by.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p10_a_record_under_another_payments_key_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = "transactions/client=shop/a.json";
    let of = |client, id: &str| line_of(client, &json!({"id": id, "amount": "12.50"}));
    pipeline.put(key, &of("shop", "a")).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    check(&pipeline, 0, &[], &[]).await;
    for (client, id) in [("shop", "b"), ("other", "a"), ("", "a")] {
        pipeline
            .put("transactions/client=shop/c.json", &of(client, id))
            .await;
        pipeline.payctl(&["replay"]).await.check(0, &[]);
        check(
            &pipeline,
            1,
            &[],
            &["key differs", "the key claims c of client shop"],
        )
        .await;
        pipeline
            .run_sql(
                "DELETE FROM ingested_objects WHERE object_key LIKE '%c.json'; \
                 DELETE FROM transactions WHERE object_key LIKE '%c.json'",
            )
            .await;
    }
    pipeline
        .put("transactions/client=shop/c.json", "nonsense")
        .await;
    pipeline.payctl(&["replay"]).await.check(1, &[]);
    check(&pipeline, 1, &[], &["rejected ", "c.json line 1: not_json"]).await;
}

/// A byte order mark in the middle of a file: what one program appended to that of another.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_broken_line_that_may_be_the_systems_own_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = "transactions/export.ndjson";
    let body = format!("{{\"id\":\"a\"}}\nx{}", lines(&["b"]));
    pipeline.put(key, &body).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let named = format!("{key} line 2: a line of this system, perhaps");
    check(&pipeline, 2, &[], &["unproven", &named]).await;
    let said = pipeline.payctl(&["replay", "--rejects"]).await;
    said.check(2, &["line 2 is broken, and may have been this system's"]);
    let said = pipeline.payctl(&["trace", "b"]).await;
    said.check(
        2,
        &["1 objects could not be read as a whole, and may hold it"],
    );
}

/// The tables' collation sorts them otherwise than S3 does, or takes them for equal.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn keys_that_the_database_sorts_otherwise_are_counted_once(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let keys = ["k", "k\u{1}", "k\u{1}\u{1}", "k ", "k \u{1}", "\u{1}k"];
    for content in ["x", "y"] {
        for (number, name) in keys.iter().enumerate() {
            let body = format!("{{\"id\":\"{content}{number}\"}}");
            pipeline.put(&format!("transactions/{name}"), &body).await;
        }
        pipeline.payctl(&["replay"]).await.check(0, &[]);
        let replayed = pipeline.payctl(&["replay"]).await;
        assert_eq!(replayed.count("objects ingested before"), 0);
        let said = pipeline.reconcile().await;
        let objects = ["objects in the log", "of them ingested"];
        assert_eq!(objects.map(|name| said.count(name)), [6, 6]);
        if content == "x" {
            said.check(0, &[]);
        } else {
            assert_eq!(said.count("ingested, and replaced since"), 6);
        }
    }
}
