//! `payctl trace`: the hops of one payment.

use axum::Router;
use axum::http::StatusCode;
use payment_core::{ObjectKey, Timestamp};
use serde_json::json;
use sqlx::MySqlPool;
use tokio::net::TcpListener;

use crate::harness::{HOUR, Pipeline, line_of, lines};

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

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn a_payment_without_a_row_is_searched_for_in_the_log(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let now = Timestamp::new(sqlx::types::time::OffsetDateTime::now_utc());
    let key = format!("{}1.ndjson", ObjectKey::hour_prefix("transactions/", now));
    pipeline.put(&key, &lines(&["a", "b"])).await;
    pipeline
        .payctl(&["trace", "b"])
        .await
        .check(1, &["has no row", &format!("{key} line 2"), "not ingested"]);
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
async fn p10_a_trace_shows_each_clients_payment_of_an_id(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let now = Timestamp::new(sqlx::types::time::OffsetDateTime::now_utc());
    let key = format!("{}1.ndjson", ObjectKey::hour_prefix("transactions/", now));
    let body = json!({"id": "a", "amount": "12.50"});
    let lines = ["", "shop", "other"].map(|client| line_of(client, &body));
    pipeline.put(&key, &lines.concat()).await;
    let trace = async |args: &[&str]| pipeline.payctl(&[&["trace", "a"], args].concat()).await;
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
    trace(&["--client", "nobody"])
        .await
        .check(1, &["payment a of client nobody has no row"]);
    trace(&["--client", "No Name"])
        .await
        .check(64, &["1 to 32 of the characters a-z 0-9 -"]);
}
