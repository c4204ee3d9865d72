//! `payctl trace`: the hops of one payment.

mod clients;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use payment_core::{ObjectKey, Timestamp};
use sqlx::MySqlPool;
use tokio::net::TcpListener;

use crate::harness::{HOUR, Pipeline, ingested, lines};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn a_recorded_payment_is_shown_from_hop_to_hop(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = format!("{HOUR}1.ndjson");
    pipeline.put(&key, &lines(&["a", "b"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let said = pipeline.payctl(&["trace", "b"]).await;
    said.check(
        0,
        &[
            "payment b, processed, 12.50 USD",
            "2026-11-22T07:30:00.000000Z",
            "request req-1",
            &key,
            "from line 2",
            "ingested_objects, 2 lines",
            "the line has the row's hash",
        ],
    );

    pipeline
        .admin("UPDATE transactions SET amount = 1 WHERE payment_id = 'a'")
        .await;
    pipeline
        .payctl(&["trace", "a"])
        .await
        .check(1, &["differs from its line in amount"]);
    pipeline.delete(&key).await;
    pipeline
        .payctl(&["trace", "b"])
        .await
        .check(1, &["the object is gone"]);
}

/// As the administrator can, and no program of the system would.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_a_row_whose_columns_nobody_can_read_is_traced_and_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = format!("{HOUR}1.ndjson");
    pipeline.put(&key, &lines(&["a"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    for (change, said) in [
        ("amount = 2.0001", "differs from its line in amount"),
        ("currency = '?'", "differs from its line in currency"),
        ("client = 'No Name'", "names no client"),
        ("object_key = ''", "the row names no object"),
    ] {
        let original = "amount = 12.5, currency = 'USD', client = ''";
        let sql = format!("UPDATE transactions SET {original}; UPDATE transactions SET {change}");
        pipeline.run_sql(&sql).await;
        let trace = pipeline.payctl(&["trace", "a"]).await;
        trace.check(1, &[said, "request req-1", "from line 1"]);
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn a_payment_without_a_row_is_searched_for_in_the_log(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let now = Timestamp::new(sqlx::types::time::OffsetDateTime::now_utc());
    let key = format!("{}1.ndjson", ObjectKey::hour_prefix("transactions/", now));
    pipeline.put(&key, &lines(&["a", "b"])).await;
    let place = format!("{key} line 2");
    let on_its_way = ["has no row", &place, "on its way"];
    pipeline.payctl(&["trace", "b"]).await.check(2, &on_its_way);
    pipeline
        .payctl(&["trace", "b", "--settle", "0"])
        .await
        .check(1, &[&place, "its event was lost"]);
    pipeline
        .payctl(&["trace", "nobody"])
        .await
        .check(1, &["does not hold it"]);

    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline
        .admin("DELETE FROM transactions WHERE payment_id = 'b'")
        .await;
    pipeline
        .payctl(&["trace", "b"])
        .await
        .check(1, &["the row is missing"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p5_a_row_of_an_object_outside_the_journal_is_not_clean(pool: MySqlPool) {
    let mut pipeline = Pipeline::start(pool).await;
    let key = format!("{HOUR}1.ndjson");
    pipeline.put(&key, &lines(&["a"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline.set("LOG_PREFIX", "elsewhere/".to_owned());
    let said = pipeline.payctl(&["trace", "a"]).await;
    said.check(2, &["outside LOG_PREFIX"]);
}

/// An hour of the key's own, or none: then S3's time counts.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_payment_is_traced_however_its_key_is_nested(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let now = Timestamp::new(sqlx::types::time::OffsetDateTime::now_utc());
    let hour = ObjectKey::hour_prefix("transactions/", now);
    let day = hour.split_at(hour.len() - "hh=00/".len()).0;
    for (number, key) in [
        "transactions/dt=march/m.json",
        "transactions/dt=0/m.json",
        "transactions/dt=",
        "transactions/dt=1999-01-01/m.json",
        "transactions/dt=1999-01-01/hh=7/m.json",
        "transactions/dt=1999-01-01/region=eu/hh=07/m.json",
        &format!("{day}m.json"),
        &format!("{day}aa/m.json"),
        &format!("{hour}deep/er/m.json"),
        "transactions/region=eu/dt=2020-05-01/m.json",
        "transactions/zone",
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("nested-{number}");
        pipeline.put(key, &lines(&[&id])).await;
        let said = pipeline.payctl(&["trace", &id, "--settle", "0"]).await;
        said.check(1, &[&format!("{key} line 1")]);
    }
    let old = "transactions/dt=1999-01-01/hh=07/m.json";
    pipeline.put(old, &lines(&["old"])).await;
    let said = pipeline.payctl(&["trace", "old"]).await;
    said.check(1, &["does not hold it there"]);
}

/// JSON has more than one way to write an id.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_payment_is_traced_however_its_id_is_written(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = "transactions/e.json";
    pipeline.put(key, r#"{"id":"\u0065scaped"}"#).await;
    let said = pipeline
        .payctl(&["trace", "escaped", "--settle", "0"])
        .await;
    said.check(1, &[&format!("{key} line 1")]);
    pipeline
        .put("transactions/f.json", "\u{1}\u{1}\u{1}\u{1}{\"id\":\"f\"}")
        .await;
    let said = pipeline.payctl(&["trace", "f"]).await;
    said.check(
        2,
        &["1 objects could not be read as a whole, and may hold it"],
    );
}

/// As reconcile has it: the row and the entry vouch for each other, and S3 for neither.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_times_that_the_ledger_alone_bears_out_are_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline.payctl(&["trace", "x"]).await.check(0, &[]);
    pipeline
        .run_sql(
            "UPDATE ingested_objects SET ingested_at = '2001-01-01' WHERE object_key LIKE '%x.json'; \
             UPDATE transactions SET received_at = '1999-01-01', recorded_at = '2000-01-01' WHERE payment_id = 'x'",
        )
        .await;
    let unproven = ["unproven", "received_at, recorded_at"];
    pipeline.payctl(&["trace", "x"]).await.check(2, &unproven);
    pipeline
        .run_sql("UPDATE ingested_objects SET ingested_at = '2099-01-01'")
        .await;
    let impossible = ["impossible", "2099"];
    pipeline.payctl(&["trace", "a"]).await.check(1, &impossible);
    pipeline
        .run_sql("UPDATE ingested_objects SET ingested_at = '2001-01-01'")
        .await;
    pipeline
        .payctl(&["trace", "a"])
        .await
        .check(1, &impossible[..1]);
    // Recorded after its object was ingested, and never rejected.
    pipeline
        .run_sql(
            "UPDATE ingested_objects SET ingested_at = UTC_TIMESTAMP(6) - INTERVAL 1 HOUR; \
             DELETE FROM ingested_objects WHERE object_key LIKE '%x.json'",
        )
        .await;
    let late = ["differs from its line in recorded_at"];
    pipeline.payctl(&["trace", "a"]).await.check(1, &late);
    let unknown = ["the ledger does not know"];
    pipeline.payctl(&["trace", "x"]).await.check(1, &unknown);
}

/// The door says that it knows no such payment, or that it is on its way, of one that has a row.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p4_another_answer_than_the_row_gives_is_not_clean(pool: MySqlPool) {
    let mut pipeline = ingested(pool).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = async |Path(id): Path<String>| match id.as_str() {
        "a" => (
            StatusCode::NOT_FOUND,
            r#"{"status":404,"code":"not_found","request_id":"r"}"#,
        ),
        "b" => (StatusCode::OK, r#"{"id":"b","state":"accepted"}"#),
        _ => (StatusCode::OK, r#"{"id":"x","state":"recorded"}"#),
    };
    let app = Router::new().route("/pay/{id}", get(answer));
    let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    pipeline.set("ALB_URL", url);
    for (id, code) in [("a", 1), ("b", 2), ("x", 0)] {
        let said = pipeline.payctl(&["trace", id]).await;
        said.check(code, &["the line has the row's hash"]);
    }
    server.abort();
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p5_an_answer_about_no_payment_is_not_clean(pool: MySqlPool) {
    let mut pipeline = Pipeline::start(pool).await;
    let key = format!("{HOUR}1.ndjson");
    pipeline.put(&key, &lines(&["a"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = async || (StatusCode::SERVICE_UNAVAILABLE, "<html>");
    let app = Router::new().fallback(answer);
    let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    pipeline.set("ALB_URL", url);
    let said = pipeline.payctl(&["trace", "a"]).await;
    said.check(2, &["503", "the line has the row's hash"]);
    server.abort();
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_conflict_that_no_line_bears_out_is_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    let insert = async |lines: &str, etag: &str, hash: &str| {
        let sql = format!(
            "DELETE FROM conflicts; \
             INSERT INTO conflicts (payment_id, status, received_at, extra, content_hash, object_key, object_etag, \
             object_line) WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 100) \
             SELECT 'x', 'processed', UTC_TIMESTAMP(), '{{}}', {hash}, 'transactions/x.json', {etag}, i FROM n \
             WHERE i {lines}"
        );
        pipeline.run_sql(&sql).await;
    };
    let etag = "(SELECT object_etag FROM ingested_objects WHERE object_key LIKE '%x.json')";
    let own = "(SELECT content_hash FROM transactions WHERE payment_id = 'x')";
    for (lines, etag, hash, said) in [
        (
            "= 1",
            "'e'",
            "REPEAT('x', 32)",
            "the ledger does not know the version",
        ),
        (
            "= 1",
            etag,
            "REPEAT('x', 32)",
            "the row differs from its line in",
        ),
        ("= 1", etag, own, "it has the row's own content"),
        (
            "= 9",
            etag,
            "REPEAT('x', 32)",
            "the object has no such line",
        ),
    ] {
        insert(lines, etag, hash).await;
        let named = format!(
            "other content, transactions/x.json line {}: {said}",
            &lines[2..]
        );
        pipeline.payctl(&["trace", "x"]).await.check(1, &[&named]);
    }
    insert("> 0", "'e'", "REPEAT('x', 32)").await;
    let said = pipeline.payctl(&["trace", "x"]).await;
    said.check(2, &["it may have more conflicts"]);
}
