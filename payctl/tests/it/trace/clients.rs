//! `payctl trace` of an id that several clients have.

use payment_core::{ObjectKey, Timestamp};
use serde_json::json;
use sqlx::MySqlPool;

use crate::harness::{Pipeline, ingested, line_of, lines};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p10_a_trace_shows_each_clients_payment_of_an_id(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let now = Timestamp::new(sqlx::types::time::OffsetDateTime::now_utc());
    let key = format!("{}1.ndjson", ObjectKey::hour_prefix("transactions/", now));
    let body = json!({"id": "a", "amount": "12.50"});
    let lines = ["", "shop", "other"].map(|client| line_of(client, &body));
    pipeline.put(&key, &lines.concat()).await;
    let trace = ["trace", "a", "--settle", "0"];
    let trace = async |args: &[&str]| pipeline.payctl(&[&trace, args].concat()).await;
    let said = trace(&[]).await;
    said.check(
        1,
        &[
            "payment a has no row",
            "line 2, of client shop",
            "line 3, of client other",
        ],
    );
    let said = trace(&["--client", "shop"]).await;
    said.check(
        1,
        &[
            "payment a of client shop has no row",
            "line 2, of client shop",
        ],
    );
    assert!(
        !said.out.contains("line 1") && !said.out.contains("line 3"),
        "{}",
        said.out
    );

    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let said = trace(&[]).await;
    let shown = [
        "payment a, processed",
        "payment a of client shop, processed",
        "payment a of client other, processed",
    ];
    said.check(0, &shown);
    let said = trace(&["--client", "shop"]).await;
    said.check(
        0,
        &[
            "payment a of client shop",
            "from line 2",
            "the line has the row's hash",
        ],
    );
    assert!(!said.out.contains("other"), "{}", said.out);
    let said = trace(&["--client", ""]).await;
    said.check(0, &["payment a, processed", "from line 1"]);
    assert!(!said.out.contains("shop"), "{}", said.out);
    trace(&["--client", "nobody"])
        .await
        .check(1, &["payment a of client nobody has no row"]);
    trace(&["--client", "No Name"])
        .await
        .check(64, &["1 to 32 of the characters a-z 0-9 -"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p10_another_clients_payment_without_a_row_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let now = Timestamp::new(sqlx::types::time::OffsetDateTime::now_utc());
    let hour = ObjectKey::hour_prefix("transactions/", now);
    pipeline
        .put(&format!("{hour}1.ndjson"), &lines(&["a"]))
        .await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let trace = ["trace", "a", "--settle", "0"];
    let no_other = ["the log holds no other payment of this id there"];
    pipeline.payctl(&trace).await.check(0, &no_other);

    let body = json!({"id": "a", "amount": "12.50"});
    let key = format!("{hour}2.ndjson");
    let lines = ["shop", ""].map(|client| line_of(client, &body));
    pipeline.put(&key, &lines.concat()).await;
    let said = pipeline.payctl(&trace).await;
    let lost = "its event was lost: payctl replay";
    let shop = format!("{key} line 1, of client shop");
    said.check(
        1,
        &[
            "the line has the row's hash",
            &shop,
            &format!("{key} line 2"),
            lost,
        ],
    );
    pipeline
        .payctl(&["trace", "a"])
        .await
        .check(2, &["on its way"]);

    // One is a row then, the other one a conflict.
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let said = pipeline.payctl(&trace).await;
    said.check(0, &["payment a of client shop", "conflict"]);
    pipeline
        .admin("DELETE FROM transactions WHERE client = 'shop'")
        .await;
    pipeline
        .payctl(&trace)
        .await
        .check(1, &[&shop, "the row is missing"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p10_more_clients_of_an_id_than_are_shown_are_not_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .run_sql(
            "INSERT INTO transactions (payment_id, client, status, received_at, extra, content_hash, object_key, \
             object_line) WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 120) \
             SELECT 'x', CONCAT('c', i), 'processed', UTC_TIMESTAMP(), '{}', REPEAT('x', 32), 'transactions/x.json', 1 \
             FROM n",
        )
        .await;
    let said = pipeline.payctl(&["trace", "x"]).await;
    said.check(2, &["other clients may have rows of this id"]);
}
