//! `payctl reconcile` and `payctl verify`: clean where all is well, and each kind of difference is named.

use serde_json::{Value, json};
use sqlx::MySqlPool;

use crate::harness::{HOUR, Pipeline, line, lines, payctl};

/// A batch with every kind of line, a second batch, and an object of an older system.
async fn ingested(pool: MySqlPool) -> Pipeline {
    let pipeline = Pipeline::start(pool).await;
    let conflict = line(&json!({"id": "a", "amount": "99.00"}));
    let all = format!(
        "{}{}{conflict}nonsense\n",
        lines(&["a", "b", "c"]),
        lines(&["b"])
    );
    pipeline.put(&format!("{HOUR}1.ndjson"), &all).await;
    pipeline
        .put(&format!("{HOUR}2.ndjson"), &lines(&["d", "c"]))
        .await;
    pipeline
        .put(
            "transactions/older.json",
            r#"{"id":"older","amount":100.0}"#,
        )
        .await;
    pipeline
        .payctl(&["replay", "--jobs", "1"])
        .await
        .check(0, &[]);
    pipeline
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_log_that_is_recorded_exactly_reconciles(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    for command in ["reconcile", "verify"] {
        let said = pipeline.payctl(&[command, "--settle", "0"]).await;
        said.check(0, &[]);
        let counts = [
            "objects in the log",
            "lines",
            "of them rows",
            "of them duplicates",
            "of them conflicts",
        ];
        assert_eq!(counts.map(|name| said.count(name)), [3, 9, 5, 2, 1]);
        assert_eq!(
            (
                said.count("of them rejects, foreign"),
                said.count("differences")
            ),
            (1, 0)
        );
        assert_eq!(said.count("rows of transactions"), 5);
        assert!(said.out.ends_with("clean\n"), "{}", said.out);
    }
    let verified = pipeline.payctl(&["verify"]).await;
    verified.check(0, &["s3://log/transactions/"]);
    assert_eq!(verified.count("rows held against their hash"), 6);
}

/// Its reject, and its entry of the ledger, stand under a shorter key.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_key_too_long_to_record_is_one_foreign_reject_and_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = format!("transactions/{}.json", "long/".repeat(180));
    pipeline.put(&key, r#"{"id":"a"}"#).await;
    for _ in 0..2 {
        pipeline.payctl(&["replay"]).await.check(0, &[]);
    }
    for command in ["reconcile", "verify"] {
        let said = pipeline.payctl(&[command, "--settle", "0"]).await;
        said.check(2, &["unproven", "line 0: key_too_long"]);
        let counts = [
            "objects in the log",
            "of them rejects, foreign",
            "differences",
        ];
        assert_eq!(counts.map(|name| said.count(name)), [1, 1, 0]);
    }
    let said = pipeline.payctl(&["replay", "--rejects"]).await;
    said.check(2, &[]);
    assert_eq!(said.count("that nobody can look into"), 1);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_missing_row_is_named(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .admin("DELETE FROM transactions WHERE payment_id = 'd'")
        .await;
    let said = pipeline.reconcile().await;
    said.check(
        1,
        &[&format!("row missing          d {HOUR}2.ndjson line 1")],
    );
    assert_eq!(said.count("differences"), 1);
}

/// The hash that is stored beside the columns stays as it was.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_an_altered_row_is_named_with_its_columns(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .admin("UPDATE transactions SET amount = 12.51, payer_name = NULL WHERE payment_id = 'b'")
        .await;
    let named = format!("row differs          b {HOUR}1.ndjson line 2: amount, payer_name");
    pipeline.reconcile().await.check(1, &[&named]);
    let verified = pipeline.payctl(&["verify", "--json"]).await;
    verified.check(1, &[]);
    let lines: Vec<Value> = verified
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["difference"], "row_differs");
    assert_eq!(
        lines[1],
        json!({"difference": "row_altered", "payment_id": "b", "object": format!("{HOUR}1.ndjson"),
                                "line": 2, "detail": "in transactions"})
    );
    assert_eq!(
        (&lines[2]["differences"], &lines[2]["rows_hashed"]),
        (&json!(2), &json!(6))
    );
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_what_is_altered_with_no_eye_on_the_content_is_named_too(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .admin(
            "UPDATE transactions SET content_hash = UNHEX(REPEAT('ab', 32)) WHERE payment_id = 'd'",
        )
        .await;
    pipeline
        .admin("UPDATE transactions SET received_at = '2020-01-01' WHERE payment_id = 'c'")
        .await;
    pipeline
        .admin("UPDATE conflicts SET amount = 98 WHERE payment_id = 'a'")
        .await;
    let said = pipeline.payctl(&["verify", "--settle", "0"]).await;
    said.check(
        1,
        &[
            "2.ndjson line 1: content_hash",
            "1.ndjson line 3: received_at",
            "line 5: in conflicts",
            "row differs          a",
        ],
    );
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_object_on_its_way_is_not_clean_and_then_named(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let key = format!("{HOUR}3.ndjson");
    pipeline.put(&key, &lines(&["e"])).await;
    pipeline
        .reconcile()
        .await
        .check(1, &[&format!("object not ingested  {key}: stored at ")]);
    let patient = pipeline.payctl(&["reconcile"]).await;
    patient.check(2, &["not covered: 1 objects are young", "not known"]);
    assert_eq!(patient.count("of them on their way"), 1);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_row_without_a_record_is_named(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let insert = |id: &str, key: &str, line: u32| {
        format!(
            "INSERT INTO transactions (payment_id, status, received_at, extra, content_hash, object_key, object_line) \
             VALUES ('{id}', 'processed', UTC_TIMESTAMP(), '{{}}', REPEAT('x', 32), '{key}', {line})"
        )
    };
    let (first, gone) = (format!("{HOUR}1.ndjson"), format!("{HOUR}never.ndjson"));
    pipeline.admin(&insert("x", &first, 1)).await;
    pipeline.admin(&insert("y", &first, 77)).await;
    pipeline.admin(&insert("z", &gone, 1)).await;
    let said = pipeline.reconcile().await;
    let named =
        |id: &str, key: &str, line: u32| format!("row without a record {id} {key} line {line}");
    said.check(
        1,
        &[
            &named("x", &first, 1),
            &named("y", &first, 77),
            &named("z", &gone, 1),
        ],
    );
    assert_eq!(said.count("differences"), 3);
}

/// The row is still there, under another name: one payment is missing, and one came from nowhere.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_row_whose_id_was_changed_is_named_twice(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .admin("UPDATE transactions SET payment_id = 'D' WHERE payment_id = 'd'")
        .await;
    pipeline
        .reconcile()
        .await
        .check(1, &["row missing          d ", "row without a record D "]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_what_is_gone_or_was_never_noted_is_named(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline.admin("DELETE FROM conflicts").await;
    pipeline.admin("DELETE FROM rejects").await;
    pipeline.admin("UPDATE ingested_objects SET duplicate_count = 2, row_count = 0 WHERE object_key LIKE '%/2.ndjson'").await;
    pipeline.delete("transactions/older.json").await;
    let first = format!("{HOUR}1.ndjson line");
    let said = pipeline.reconcile().await;
    said.check(
        1,
        &[
            &format!("conflict missing     a {first} 5"),
            &format!("reject missing       {first} 6"),
            "2.ndjson: rows 0, found 1; duplicates 2, found 1",
            "object gone          transactions/older.json: ingested at ",
            "row without a record older transactions/older.json line 1",
        ],
    );
    assert_eq!(said.count("differences"), 5);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn a_range_takes_whole_hours_and_single_objects_by_their_time(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    for (hour, id) in [("01/hh=07", "a"), ("01/hh=09", "b"), ("02/hh=00", "c")] {
        let key = format!("transactions/dt=2020-05-{hour}/{id}.ndjson");
        pipeline.put(&key, &lines(&[id])).await;
    }
    // S3 stored it now.
    pipeline.put("transactions/d.json", r#"{"id":"d"}"#).await;
    pipeline
        .payctl(&["replay", "--to", "2020-05-01"])
        .await
        .check(0, &[]);
    assert_eq!(pipeline.rows().await, ["a", "b"]);
    for (from, to, code, objects) in [
        ("2020-05-01T07:59:00Z", "2020-05-01T09:00:00Z", 0, 1),
        ("2020-05-01", "2020-05-01", 0, 2),
        ("2020-05-01T12:00:00+03:00", "2020-05-02", 1, 2),
        ("2020-04-01", "2020-04-30", 2, 0),
        ("2020-05-01", "9000-01-01", 1, 4),
    ] {
        let args = ["reconcile", "--settle", "0", "--from", from, "--to", to];
        let said = pipeline.payctl(&args).await;
        assert_eq!(
            (said.code, said.count("objects in the log")),
            (code, objects),
            "{from} {said:?}"
        );
    }
}

#[tokio::test]
async fn every_mistake_is_reported_at_once_with_exit_64() {
    let url = ("DATABASE_URL", "postgres://u:hunter2@h/d".to_owned());
    let said = payctl(&["reconcile"], &[url]).await;
    said.check(
        64,
        &[
            "2 mistake(s)",
            "LOG_BUCKET is not set",
            "must start with mysql://",
        ],
    );
    payctl(&["reconcile", "--from", "yesterday"], &[])
        .await
        .check(64, &["must be a date"]);
    payctl(&["pay"], &[])
        .await
        .check(64, &["ALB_URL is not set"]);
    payctl(&["pay"], &[("ALB_URL", "https://h/x".to_owned())])
        .await
        .check(64, &["1 mistake(s)", "without a path"]);
    payctl(&["replay", "--dead-letters"], &[])
        .await
        .check(64, &["DEAD_LETTER_QUEUE_URL", "DATABASE_URL"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn what_could_not_be_finished_is_no_difference(pool: MySqlPool) {
    let mut pipeline = Pipeline::start(pool).await;
    pipeline.set("LOG_BUCKET", "no-such-bucket".to_owned());
    pipeline
        .reconcile()
        .await
        .check(2, &["NoSuchBucket", "not covered"]);
}
