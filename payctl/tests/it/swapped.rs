//! Objects that someone replaces while an audit goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_s3::Client;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::response::Response;
use sqlx::{AssertSqlSafe, MySqlPool};
use tokio::net::TcpListener;

use crate::harness::{BUCKET, Pipeline, check, first, lines};

/// The read of an object before which it is replaced: its lines are looked at by the first, its rows by the second.
const SEARCH: u32 = 2;

/// What is put in the object's place, and inserted at the same time.
struct Swap {
    s3: String,
    client: Client,
    pool: MySqlPool,
    key: String,
    body: String,
    sql: String,
    reads: AtomicU32,
}

/// Stands between the program and S3.
async fn pass(State(swap): State<Arc<Swap>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let name = swap.key.rsplit('/').next().unwrap();
    if parts.method == Method::GET
        && parts.uri.path().ends_with(name)
        && swap.reads.fetch_add(1, Ordering::Relaxed) + 1 == SEARCH
    {
        let put = swap.client.put_object().bucket(BUCKET).key(&swap.key);
        let put = put.body(swap.body.clone().into_bytes().into());
        put.send().await.unwrap();
        let insert = sqlx::raw_sql(AssertSqlSafe(swap.sql.clone()));
        insert.execute(&swap.pool).await.unwrap();
    }
    let url = format!("{}{}", swap.s3, parts.uri);
    let mut request = reqwest::Client::new().request(parts.method, url);
    for (name, value) in &parts.headers {
        request = request.header(name, value);
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let answer = request.body(body).send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != header::TRANSFER_ENCODING {
            response = response.header(name, value);
        }
    }
    let body = answer.bytes().await.unwrap();
    response.body(Body::from(body)).unwrap()
}

/// The batch of `a`, `b` and `c`, then replaced by `a` and `b` alone as if it had always been so.
async fn invented(pool: MySqlPool) -> Pipeline {
    let pipeline = Pipeline::start(pool).await;
    pipeline.put(&first(), &lines(&["a", "b", "c"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline.put(&first(), &lines(&["a", "b"])).await;
    let etag = pipeline.etag(&first()).await;
    pipeline
        .admin(&format!(
            "UPDATE ingested_objects SET object_etag = '{etag}', line_count = 2, row_count = 2, \
             sha256 = NULL"
        ))
        .await;
    pipeline
}

/// Both commands, while the batch becomes that of three payments, and back afterwards.
async fn check_swapped(pipeline: &mut Pipeline, sql: &str, parts: &[&str]) {
    let right = pipeline.s3_url();
    for command in ["reconcile", "verify"] {
        let swap = Swap {
            s3: pipeline.s3_url(),
            client: pipeline.client(),
            pool: pipeline.pool(),
            key: first(),
            body: lines(&["a", "b", "c"]),
            sql: sql.to_owned(),
            reads: AtomicU32::new(0),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(pass).with_state(Arc::new(swap));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        pipeline.set("AWS_ENDPOINT_URL_S3", url);
        let said = pipeline.payctl(&[command, "--settle", "0"]).await;
        said.check(2, parts);
        server.abort();
        pipeline.set("AWS_ENDPOINT_URL_S3", right.clone());
        pipeline.put(&first(), &lines(&["a", "b"])).await;
        pipeline
            .run_sql("DELETE FROM ingested_objects WHERE line_count = 3")
            .await;
    }
}

/// An entry of the ledger for the batch of three payments.
async fn entry_of_three(pipeline: &Pipeline) -> String {
    pipeline.put(&first(), &lines(&["a", "b", "c"])).await;
    let etag = pipeline.etag(&first()).await;
    pipeline.put(&first(), &lines(&["a", "b"])).await;
    format!(
        "INSERT INTO ingested_objects (object_key, object_etag, line_count, row_count, duplicate_count, \
         conflict_count, reject_count) VALUES ('{}', '{etag}', 3, 3, 0, 0, 0)",
        first()
    )
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_invented_row_whose_object_is_replaced_meanwhile_is_not_clean(pool: MySqlPool) {
    let mut pipeline = invented(pool).await;
    check(&pipeline, 1, &[], &["row without a record c"]).await;
    let unread = ["3 rows name objects that could not be looked at"];
    check_swapped(&mut pipeline, "SELECT 1", &unread).await;

    let entry = entry_of_three(&pipeline).await;
    let changed = "rows of transactions, or the objects that they name, changed";
    check_swapped(&mut pipeline, &entry, &[changed]).await;
    pipeline
        .admin("UPDATE transactions SET amount = 99 WHERE payment_id = 'c'")
        .await;
    let differs = ["row differs          c", "amount", changed];
    check_swapped(&mut pipeline, &entry, &differs).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_invented_conflicts_and_rejects_of_a_replaced_object_are_not_clean(pool: MySqlPool) {
    let mut pipeline = invented(pool).await;
    let entry = entry_of_three(&pipeline).await;
    pipeline
        .run_sql("DELETE FROM transactions WHERE payment_id = 'c'")
        .await;
    let (key, etag) = (first(), pipeline.etag(&first()).await);
    for (table, sql) in [
        (
            "conflicts",
            format!(
                "INSERT INTO conflicts (payment_id, status, received_at, extra, content_hash, object_key, object_etag, \
                 object_line) VALUES ('a', 'processed', UTC_TIMESTAMP(), '{{}}', REPEAT('x', 32), '{key}', '{etag}', 7)"
            ),
        ),
        (
            "rejects",
            format!(
                "INSERT INTO rejects (object_key, object_etag, object_line, reason, detail) \
                 VALUES ('{key}', '{etag}', 7, 'not_json', '')"
            ),
        ),
    ] {
        pipeline.admin(&sql).await;
        check(&pipeline, 1, &[], &["row without a record"]).await;
        let unread = ["1 rows name objects that could not be looked at"];
        check_swapped(&mut pipeline, "SELECT 1", &unread).await;
        let changed = format!("rows of {table}, or the objects that they name, changed");
        check_swapped(&mut pipeline, &entry, &[&changed]).await;
        pipeline.run_sql(&format!("DELETE FROM {table}")).await;
    }
    check(&pipeline, 0, &[], &[]).await;
}

/// The row of a payment of the day names an object of another one, which holds it since a moment ago.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_row_of_content_that_is_not_ingested_is_not_clean(pool: MySqlPool) {
    let pipeline = invented(pool).await;
    pipeline.put(&first(), &lines(&["a", "b", "c"])).await;
    pipeline
        .put("transactions/dt=2026-11-23/hh=01/2.ndjson", &lines(&["c"]))
        .await;
    let day = ["--from", "2026-11-23", "--to", "2026-11-23"];
    let replay = [&["replay"], &day[..]].concat();
    pipeline.payctl(&replay).await.check(0, &[]);
    let why = "what its object holds now is not ingested";
    check(&pipeline, 2, &day, &["unproven             c", why]).await;
}
