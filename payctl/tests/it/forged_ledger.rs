//! Entries of the ledger that someone inserted, and objects that nobody looks into: nothing is excused on their word.

use payment_core::ObjectKey;
use sqlx::MySqlPool;

use crate::forgery::{NOW, enter};
use crate::harness::{HOUR, Pipeline, check, first, ingested, lines};

const OWN: &str = "transactions/dt=2026-11-22/hh=07/019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4-a.ndjson";

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_a_row_at_no_line_is_not_clean_by_an_invented_version(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    enter(
        &pipeline,
        "transactions/x.json",
        "fake",
        [1, 1, 0, 0, 0],
        "'2001-01-01'",
    )
    .await;
    check(&pipeline, 2, &[], &["unproven", "version fake"]).await;
    pipeline
        .admin(
            "UPDATE transactions SET object_line = 7, received_at = '1999-01-01', recorded_at = '2001-01-01' \
             WHERE payment_id = 'x'",
        )
        .await;
    check(&pipeline, 2, &[], &["unproven", "version fake"]).await;
}

/// The row was there before, and the function found the object in the ledger.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_a_row_of_an_early_time_is_not_clean_by_an_early_entry(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .admin(
            "UPDATE ingested_objects SET ingested_at = '2001-01-01' WHERE object_key = 'transactions/x.json'",
        )
        .await;
    pipeline
        .admin(
            "UPDATE transactions SET received_at = '1999-01-01', recorded_at = '2000-01-01' WHERE payment_id = 'x'",
        )
        .await;
    let named = ["unproven             x", "received_at, recorded_at"];
    check(&pipeline, 2, &[], &named).await;
}

/// The row's object lies outside the range, and is read for the sake of a repeat alone.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_a_moved_row_outside_the_range_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let key = "transactions/dt=2026-11-23/hh=00/2.ndjson";
    pipeline.put(key, &lines(&["b"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    enter(&pipeline, &first(), "fake", [1, 1, 0, 0, 0], NOW).await;
    let day = ["--from", "2026-11-23", "--to", "2026-11-23"];
    check(&pipeline, 0, &day, &[]).await;
    pipeline
        .admin("UPDATE transactions SET object_line = 7 WHERE payment_id = 'b'")
        .await;
    let named = ["unproven             b", "its payment is in line 2 now"];
    check(&pipeline, 2, &day, &named).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_conflict_with_its_rows_own_content_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    enter(&pipeline, &first(), "deadbeef", [2, 0, 0, 1, 1], NOW).await;
    let key = first();
    pipeline
        .admin(&format!(
            "INSERT INTO conflicts (payment_id, transaction, amount, currency, status, payer_name, received_at, extra, \
             request_id, content_hash, object_key, object_etag, object_line) \
             SELECT payment_id, transaction, 999999.99, currency, status, payer_name, received_at, extra, request_id, \
             content_hash, '{key}', 'deadbeef', 7 FROM transactions WHERE payment_id = 'b'"
        ))
        .await;
    pipeline
        .admin(&format!(
            "INSERT INTO rejects (object_key, object_etag, object_line, reason, detail, is_own, payment_id) \
             VALUES ('{key}', 'deadbeef', 9, 'not_json', '', TRUE, 'a')"
        ))
        .await;
    let named = [
        "row without a record b",
        "no row has its id with other content",
        "version deadbeef with 2 lines",
    ];
    check(&pipeline, 2, &[], &named).await;
}

/// A conflict that is right by its hash, and has another amount.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_an_altered_conflict_of_a_replaced_version_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let key = "transactions/export.ndjson";
    let body = "{\"id\":\"x\",\"amount\":5}\n";
    pipeline.put(key, body).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline.put(key, &format!("{body}\n")).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let said = pipeline.reconcile().await;
    said.check(2, &["is not in S3"]);
    assert_eq!(said.count("differences"), 0);
    pipeline
        .admin("UPDATE conflicts SET amount = 6 ORDER BY id LIMIT 1")
        .await;
    let named = ["row differs          x", "its object was replaced; amount"];
    check(&pipeline, 2, &[], &named).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_shortened_key_without_an_object_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let long = format!("transactions/{}.json", "l".repeat(800));
    let short = ObjectKey::parse(&long).unwrap().recorded().into_owned();
    enter(
        &pipeline,
        short.as_str(),
        "e1",
        [1, 0, 0, 0, 1],
        "'2026-11-26'",
    )
    .await;
    pipeline
        .admin(&format!(
            "INSERT INTO rejects (object_key, object_etag, object_line, reason, detail, is_own, payment_id) \
             VALUES ('{short}', 'e1', 9, 'not_json', '', TRUE, 'never-paid')"
        ))
        .await;
    for range in [&[][..], &["--to", "2026-11-22"]] {
        check(
            &pipeline,
            1,
            range,
            &[&format!("object gone          {short}")],
        )
        .await;
    }
    let named = format!("row without a record {short} line 9");
    check(&pipeline, 1, &[], &[&named]).await;
}

/// Beside the one reject that an object with such a key has.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_forged_reject_of_a_key_too_long_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let long = format!("transactions/{}.json", "l".repeat(800));
    pipeline.put(&long, "{}").await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let reject = "INSERT INTO rejects (object_key, object_etag, object_line, reason, detail) \
                  SELECT object_key, object_etag, 9, reason, detail FROM rejects";
    pipeline.admin(reject).await;
    check(
        &pipeline,
        2,
        &[],
        &["row without a record", "line 9: in rejects"],
    )
    .await;
    // As it is after an import of a table.
    pipeline
        .run_sql("DELETE FROM rejects WHERE object_line = 9; UPDATE rejects SET is_own = TRUE")
        .await;
    check(&pipeline, 2, &[], &["reject differs", "is_own"]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_key_that_names_no_hour_is_found_by_ranges(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let key = "transactions/dt=march/m.json";
    pipeline.put(key, "{\"id\":\"m\"}").await;
    let named = format!("object not ingested  {key}");
    for range in [
        &[][..],
        &["--from", "2026-11-22"],
        &["--from", "2026-11-22", "--to", "2099-01-01"],
    ] {
        check(&pipeline, 1, range, &[&named]).await;
    }
    let range = ["replay", "--to", "2099-01-01"];
    pipeline.payctl(&range).await.check(0, &[]);
    assert_eq!(pipeline.rows().await, ["a", "b", "m", "x"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_entry_without_an_object_is_not_clean_in_any_range(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let of_hour = [
        "--from",
        "2026-11-22T07:00:00Z",
        "--to",
        "2026-11-22T08:00:00Z",
    ];
    for key in [
        "transactions/dt=9999-12-31/hh=00/x.ndjson",
        "transactions/dt=2020-01-01/hh=00/x.ndjson",
        "transactions/dt=march/x.ndjson",
        // Sorts after every key that S3 may have.
        "\u{10FFFF}x",
        "transactions/\u{10FFFF}x",
    ] {
        enter(&pipeline, key, "e", [1, 1, 0, 0, 0], NOW).await;
        for range in [&[][..], &of_hour] {
            let named = format!("object gone          {key}");
            let code = check_any(&pipeline, range, &named).await;
            assert_eq!(code, 1, "{key}");
        }
        pipeline
            .admin("DELETE FROM ingested_objects WHERE object_etag = 'e'")
            .await;
    }
}

/// The exit status of an audit that names it; a character may be shown escaped.
async fn check_any(pipeline: &Pipeline, range: &[&str], named: &str) -> i32 {
    let args = [&["reconcile", "--settle", "0"], range].concat();
    let said = pipeline.payctl(&args).await;
    let escaped = named.replace('\u{10FFFF}', "\\u{10ffff}");
    assert!(
        said.out.contains(named) || said.out.contains(&escaped),
        "{named} is not in {}",
        said.out
    );
    said.code
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_object_of_an_hour_to_come_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let key = "transactions/dt=9999-12-31/hh=00/x.ndjson";
    pipeline.put(key, &lines(&["f"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let named = format!("hour in the future   {key}");
    check(&pipeline, 1, &[], &[&named]).await;
    let day = ["--from", "2026-11-22", "--to", "2026-11-22"];
    check(&pipeline, 1, &day, &[&named]).await;
}

/// An own batch that was copied before it was ingested, and whose original was deleted then.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_batch_that_nobody_looks_into_is_not_clean(pool: MySqlPool) {
    let long = format!("transactions/{}.ndjson", "l".repeat(800));
    let control = "\u{1}\u{1}\u{1}\u{1}\u{1}";
    let batch = lines(&["a", "b"]);
    for (key, body, code, named) in [
        (&*format!("{OWN}/"), batch.clone(), 1, "object not ingested"),
        (&*long, batch.clone(), 2, "line 0: key_too_long"),
        (
            "transactions/x.gz",
            format!("{control}{batch}"),
            2,
            "line 0: unsupported_encoding",
        ),
        (
            "transactions/x.json",
            format!("id,amount\n{batch}"),
            1,
            "it holds lines of this system",
        ),
    ] {
        let pipeline = Pipeline::start(pool.clone()).await;
        pipeline.put(key, &body).await;
        pipeline.payctl(&["replay"]).await;
        check(&pipeline, code, &[], &[named]).await;
        pipeline
            .run_sql("DELETE FROM ingested_objects; DELETE FROM rejects")
            .await;
    }
}

/// What consoles make, and a table that is no payment's.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_folder_and_a_poor_line_are_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline.put(HOUR, "").await;
    pipeline.put("transactions/t.csv", "id,amount\na,1\n").await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    check(&pipeline, 0, &[], &[]).await;
}

/// No ETag that anybody writes, and behind it there is no other key.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_audit_ends_whatever_etag_an_entry_has(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    enter(
        &pipeline,
        "transactions/x.json",
        "zz zz",
        [1, 1, 0, 0, 0],
        NOW,
    )
    .await;
    check(&pipeline, 2, &[], &["unproven", "transactions/x.json"]).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
}

/// More than are looked at; the real one sorts behind them all, and its row is looked at all the same.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_more_versions_than_are_looked_at_are_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .run_sql(
            "INSERT INTO ingested_objects \
             (object_key, object_etag, line_count, row_count, duplicate_count, conflict_count, reject_count) \
             WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) \
             SELECT 'transactions/x.json', CONCAT('!', i), 0, 0, 0, 0, 0 FROM n; \
             INSERT INTO ingested_objects \
             (object_key, object_etag, line_count, row_count, duplicate_count, conflict_count, reject_count) \
             VALUES ('transactions/x.json', '\"', 0, 0, 0, 0, 0); \
             UPDATE transactions SET amount = 2, currency = 'USD' WHERE payment_id = 'x'",
        )
        .await;
    let named = [
        "2 more of its versions are in the ledger, and were not looked at",
        "row differs          x",
    ];
    let said = pipeline.reconcile().await;
    said.check(2, &named);
    assert_eq!(said.count("ingested, and replaced since"), 1000);
    let said = pipeline.payctl(&["replay"]).await;
    said.check(0, &[]);
    assert_eq!(said.count("objects ingested before"), 1);
}
