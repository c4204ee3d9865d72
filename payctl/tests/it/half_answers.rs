//! What answers in the place of S3, or S3 by half: nothing of it counts.

use axum::Router;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use sqlx::MySqlPool;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::harness::{HOUR, Pipeline, lines};

/// A listing of two objects that breaks off after the first. The SDK takes that for the end.
const HALF: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
    <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>log</Name><Prefix>transactions/</Prefix>\
    <KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>\
    <Contents><Key>transactions/dt%3D2026-11-22/hh%3D07/1.ndjson</Key><LastModified>2026-11-22T07:30:00.000Z</LastModified>\
    <ETag>&quot;e&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>";

/// In the form of a listing, without what a listing says of itself.
const BARE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
    <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>log</Name>";

/// A page for people in the place of each object.
const PAGE: &str = "<html>log in</html>";

async fn answering(listing: &'static str) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = async move |uri: Uri| -> Response {
        if uri.query().is_some_and(|query| query.contains("list-type")) {
            ([(header::CONTENT_TYPE, "application/xml")], listing).into_response()
        } else {
            ([(header::CONTENT_TYPE, "text/html")], PAGE).into_response()
        }
    };
    let app = Router::new().fallback(answer);
    let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, server)
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_half_a_listing_is_not_clean(pool: MySqlPool) {
    let mut pipeline = Pipeline::start(pool).await;
    let key = format!("{HOUR}1.ndjson");
    pipeline.put(&key, &lines(&["a"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    for (listing, said) in [
        (HALF, "it has 1 keys and counts 2"),
        (BARE, "it has 0 keys and counts none"),
    ] {
        let (url, server) = answering(listing).await;
        pipeline.set("AWS_ENDPOINT_URL_S3", url);
        for command in ["reconcile", "verify", "replay"] {
            let audit = pipeline.payctl(&[command]).await;
            audit.check(2, &["the listing is not whole", said]);
        }
        server.abort();
    }
}

/// A ledger entry for it would stand for the object, and could not be taken back.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_what_is_no_object_of_s3_is_not_ingested(pool: MySqlPool) {
    let mut pipeline = Pipeline::start(pool).await;
    let key = format!("{HOUR}1.ndjson");
    pipeline.put(&key, &lines(&["a"])).await;
    let s3 = pipeline.s3_url();
    let (url, server) = answering(HALF).await;
    pipeline.set("AWS_ENDPOINT_URL_S3", url);
    let replay = ["replay", "--object", &key];
    let said = pipeline.payctl(&replay).await;
    said.check(2, &["no ETag and no time of an object"]);
    pipeline.set("AWS_ENDPOINT_URL_S3", s3);
    pipeline.payctl(&replay).await.check(0, &[]);
    assert_eq!(pipeline.rows().await, ["a"]);
    server.abort();
}

/// A hop took the checksum away and gave the first line with its length.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_half_a_body_is_not_clean(pool: MySqlPool) {
    const LISTING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
        <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>log</Name>\
        <Prefix>transactions/</Prefix><KeyCount>1</KeyCount><EncodingType>url</EncodingType>\
        <IsTruncated>false</IsTruncated><Contents><Key>transactions/x.json</Key>\
        <LastModified>2026-11-22T07:30:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>22</Size></Contents>\
        </ListBucketResult>";
    let mut pipeline = Pipeline::start(pool).await;
    pipeline
        .put("transactions/x.json", "{\"id\":\"a\"}\n")
        .await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline
        .admin("UPDATE ingested_objects SET object_etag = 'e'")
        .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = async |uri: Uri| -> Response {
        if uri.query().is_some_and(|query| query.contains("list-type")) {
            return ([(header::CONTENT_TYPE, "application/xml")], LISTING).into_response();
        }
        let headers = [
            (header::ETAG, "\"e\""),
            (header::LAST_MODIFIED, "Sun, 22 Nov 2026 07:30:00 GMT"),
        ];
        (headers, "{\"id\":\"a\"}\n").into_response()
    };
    let app = Router::new().fallback(answer);
    let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    pipeline.set("AWS_ENDPOINT_URL_S3", url);
    for command in ["reconcile", "verify"] {
        let audit = pipeline.payctl(&[command]).await;
        audit.check(2, &["11 of 22 bytes came"]);
    }
    server.abort();
}
