//! What survives the process.

use aws_sdk_s3::primitives::ByteStream;
use lab_s3::{Error, Server};

use crate::support::{BUCKET, Lab, Requests, config, get, keys, parse, put};

#[tokio::test]
async fn objects_and_their_metadata_survive() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let request = client.put_key("t/a b").metadata("node", "app-a");
    let body = ByteStream::from_static(b"hello");
    request
        .content_type("text/plain")
        .body(body)
        .send()
        .await
        .unwrap();
    client
        .create_bucket()
        .bucket("another")
        .send()
        .await
        .unwrap();
    put(&client, "t", "x").await;
    let before = client.head_key("t/a b").send().await.unwrap();

    let lab = lab.restart().await;
    let client = lab.operator();
    let after = client.head_key("t/a b").send().await.unwrap();
    assert_eq!(after.e_tag(), before.e_tag());
    assert_eq!(after.last_modified(), before.last_modified());
    assert_eq!(after.metadata(), before.metadata());
    assert_eq!(after.content_type(), Some("text/plain"));
    assert_eq!(get(&client, "t/a b").await, b"hello");
    assert_eq!(keys(&client).await, ["t", "t/a b"]);
    client.head_bucket().bucket("another").send().await.unwrap();
    lab.end().await;
}

#[tokio::test]
async fn unfinished_uploads_end_with_the_process() {
    let lab = Lab::start().await;
    lab.operator()
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("a")
        .send()
        .await
        .unwrap();
    assert_eq!(
        std::fs::read_dir(lab.root().join("uploads"))
            .unwrap()
            .count(),
        1
    );
    let lab = lab.restart().await;
    assert_eq!(
        std::fs::read_dir(lab.root().join("uploads"))
            .unwrap()
            .count(),
        0
    );
    lab.end().await;
}

#[tokio::test]
async fn two_servers_never_share_a_root() {
    let lab = Lab::start().await;
    let second = Server::start(parse(&config(lab.root()))).await;
    assert!(matches!(second, Err(Error::Store(_))), "{second:?}");
    lab.end().await;
}

#[tokio::test]
async fn a_foreign_file_among_the_objects_stops_the_start() {
    let root = tempfile::TempDir::new().unwrap();
    let bucket = root.path().join("buckets").join(BUCKET);
    std::fs::create_dir_all(&bucket).unwrap();
    std::fs::write(bucket.join("stray"), "x").unwrap();
    let started = Server::start(parse(&config(root.path()))).await;
    assert!(matches!(started, Err(Error::Store(_))), "{started:?}");
}
