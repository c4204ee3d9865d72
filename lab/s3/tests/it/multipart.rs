//! Multipart uploads, as `aws s3 cp` uses them for large files.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};

use crate::support::{BUCKET, Lab, Requests, Role, answer, get, keys};

const KEY: &str = "transactions/big";
const MIB: usize = 1024 * 1024;

async fn begin(client: &Client) -> String {
    let upload = client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key(KEY)
        .metadata("kept", "yes");
    let upload = upload
        .server_side_encryption(ServerSideEncryption::Aes256)
        .send()
        .await
        .unwrap();
    upload.upload_id.unwrap()
}

async fn send(client: &Client, id: &str, number: i32, body: Vec<u8>) -> CompletedPart {
    let part = client
        .upload_part()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(id)
        .part_number(number);
    let part = part.body(ByteStream::from(body)).send().await.unwrap();
    CompletedPart::builder()
        .part_number(number)
        .set_e_tag(part.e_tag)
        .build()
}

async fn complete(client: &Client, id: &str, parts: &[CompletedPart]) -> (u16, String) {
    let parts = CompletedMultipartUpload::builder()
        .set_parts(Some(parts.to_vec()))
        .build();
    let complete = client
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(id);
    answer(complete.multipart_upload(parts).send().await)
}

#[tokio::test]
async fn parts_become_one_object_in_their_order() {
    let lab = Lab::start().await;
    let app = lab.client(Role::AppTier);
    let id = begin(&app).await;
    let last = send(&app, &id, 3, b"the end".to_vec()).await;
    send(&app, &id, 1, vec![b'x'; 5 * MIB]).await;
    let first = send(&app, &id, 1, vec![b'a'; 5 * MIB]).await;
    let second = send(&app, &id, 2, vec![b'b'; 6 * MIB]).await;
    assert!(keys(&lab.operator()).await.is_empty());
    assert_eq!(complete(&app, &id, &[first, second, last]).await.0, 200);

    let client = lab.operator();
    let body = get(&client, KEY).await;
    let expected = [
        vec![b'a'; 5 * MIB],
        vec![b'b'; 6 * MIB],
        b"the end".to_vec(),
    ]
    .concat();
    assert!(body == expected);
    let head = client.head_key(KEY).send().await.unwrap();
    assert!(
        head.e_tag().unwrap().ends_with("-3\""),
        "{:?}",
        head.e_tag()
    );
    assert_eq!(head.metadata().unwrap()["kept"], "yes");
    let range = client.get_key(KEY).range("bytes=5242878-5242881");
    let range = range.send().await.unwrap().body.collect().await.unwrap();
    assert_eq!(range.to_vec(), b"aabb");
    assert_eq!(
        complete(&app, &id, &[]).await,
        (404, "NoSuchUpload".to_owned())
    );
    assert_eq!(
        std::fs::read_dir(lab.root().join("uploads"))
            .unwrap()
            .count(),
        0
    );
    lab.end().await;
}

#[tokio::test]
async fn wrong_parts_are_refused_and_can_be_sent_again() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let id = begin(&client).await;
    let small = send(&client, &id, 1, b"small".to_vec()).await;
    let last = send(&client, &id, 2, b"last".to_vec()).await;
    let wrong = CompletedPart::builder()
        .part_number(2)
        .e_tag("\"0\"")
        .build();
    let absent = CompletedPart::builder()
        .part_number(9)
        .set_e_tag(last.e_tag.clone())
        .build();
    let cases = [
        (vec![small.clone(), last.clone()], "EntityTooSmall"),
        (vec![last.clone(), small], "InvalidPartOrder"),
        (vec![wrong], "InvalidPart"),
        (vec![absent], "InvalidPart"),
    ];
    for (parts, code) in cases {
        assert_eq!(complete(&client, &id, &parts).await, (400, code.to_owned()));
        assert!(keys(&client).await.is_empty());
    }
    assert_eq!(complete(&client, &id, &[last]).await.0, 200);
    assert_eq!(get(&client, KEY).await, b"last");
    lab.end().await;
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let id = begin(&client).await;
    let part = send(&client, &id, 1, b"part".to_vec()).await;
    client
        .abort_multipart_upload()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(
        complete(&client, &id, &[part]).await,
        (404, "NoSuchUpload".to_owned())
    );
    assert_eq!(
        std::fs::read_dir(lab.root().join("uploads"))
            .unwrap()
            .count(),
        0
    );
    lab.end().await;
}

#[tokio::test]
async fn a_part_with_a_wrong_checksum_is_not_kept() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let id = begin(&client).await;
    let part = client
        .upload_part()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(&id)
        .part_number(1);
    let part = part
        .checksum_crc32("AAAAAA==")
        .body(ByteStream::from_static(b"part"))
        .send()
        .await;
    assert_eq!(answer(part), (400, "BadDigest".to_owned()));
    let part = CompletedPart::builder().part_number(1).build();
    assert_eq!(
        complete(&client, &id, &[part]).await,
        (400, "InvalidPart".to_owned())
    );
    lab.end().await;
}
