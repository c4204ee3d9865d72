//! Writing, reading, copying and deleting objects.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumMode, Delete, MetadataDirective, ObjectIdentifier, ServerSideEncryption,
};

use crate::support::{BUCKET, Lab, Requests, answer, get, keys, put, raw};

#[tokio::test]
async fn odd_keys_come_back_exactly() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let long = "k".repeat(1024);
    let wide = "ü".repeat(512);
    let mut odd = vec![
        "a",
        "a/b",
        "a/b/c",
        "a/",
        "a//b",
        "../../../etc/passwd",
        "..",
        "a/../b",
        "./a",
        "a b",
        "a+b",
        "a%20b",
        "a%2Fb",
        "a:b",
        "a=b&c?d#e",
        "a@",
        "a~",
        "a+/",
        "a#1",
        "-",
        "*",
        "q\"'\\<>",
        "tab\there",
        "ключ/鍵/🔑",
        &long,
        &wide,
    ];
    for key in &odd {
        put(&client, key, key.as_bytes()).await;
    }
    for key in &odd {
        assert_eq!(get(&client, key).await, key.as_bytes(), "{key:?}");
    }
    odd.sort_unstable();
    assert_eq!(keys(&client).await, odd);
    for key in &odd {
        client.delete_key(*key).send().await.unwrap();
    }
    assert!(keys(&client).await.is_empty());
    let stray: Vec<_> = std::fs::read_dir(lab.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        stray.len(),
        4,
        "only lock, buckets, uploads and spool: {stray:?}"
    );
    lab.end().await;
}

#[tokio::test]
async fn keys_over_1024_bytes_are_refused() {
    let lab = Lab::start().await;
    let put = lab.operator().put_key("k".repeat(1025)).send().await;
    assert_eq!(answer(put), (400, "KeyTooLongError".to_owned()));
    lab.end().await;
}

#[tokio::test]
async fn attributes_come_back_with_get_and_head() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let stored = client
        .put_key("a")
        .content_type("application/x-ndjson")
        .content_encoding("gzip")
        .cache_control("no-store")
        .metadata("node", "app-a")
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .ssekms_key_id("alias/payments")
        .body(ByteStream::from_static(b"hello"))
        .send()
        .await
        .unwrap();
    assert_eq!(stored.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(stored.checksum_crc32(), Some("NhCmhg=="));
    assert_eq!(
        stored.server_side_encryption(),
        Some(&ServerSideEncryption::AwsKms)
    );

    let head = client.head_key("a").checksum_mode(ChecksumMode::Enabled);
    let head = head.send().await.unwrap();
    let get = client.get_key("a").send().await.unwrap();
    assert_eq!(head.content_length(), Some(5));
    assert_eq!(head.e_tag(), stored.e_tag());
    assert_eq!(head.content_type(), Some("application/x-ndjson"));
    assert_eq!(head.content_encoding(), Some("gzip"));
    assert_eq!(head.cache_control(), Some("no-store"));
    assert_eq!(head.checksum_crc32(), Some("NhCmhg=="));
    assert_eq!(head.metadata().unwrap()["node"], "app-a");
    assert_eq!(
        head.server_side_encryption(),
        Some(&ServerSideEncryption::AwsKms)
    );
    assert_eq!(head.ssekms_key_id(), Some("alias/payments"));
    let modified = SystemTime::try_from(*head.last_modified().unwrap()).unwrap();
    assert!(modified.elapsed().unwrap() < Duration::from_mins(1));
    assert_eq!(get.content_length(), head.content_length());
    assert_eq!(get.e_tag(), head.e_tag());
    assert_eq!(get.metadata(), head.metadata());
    assert_eq!(get.last_modified(), head.last_modified());
    assert_eq!(get.content_type(), head.content_type());
    lab.end().await;
}

#[tokio::test]
async fn bodies_of_every_size_come_back() {
    let lab = Lab::start().await;
    let client = lab.operator();
    for size in [0, 1, 8 * 1024, 256 * 1024, 256 * 1024 + 1, 3 * 1024 * 1024] {
        let body: Vec<u8> = (0_u8..=250).cycle().take(size).collect();
        put(&client, "a", body.clone()).await;
        assert!(get(&client, "a").await == body, "{size} bytes");
    }
    lab.end().await;
}

#[tokio::test]
async fn ranges_are_parts_of_the_body() {
    let lab = Lab::start().await;
    let client = lab.operator();
    put(&client, "a", "0123456789").await;
    put(&client, "empty", "").await;
    let cases = [
        ("a", "bytes=2-4", Ok(("234", "bytes 2-4/10"))),
        ("a", "bytes=7-", Ok(("789", "bytes 7-9/10"))),
        ("a", "bytes=7-99", Ok(("789", "bytes 7-9/10"))),
        ("a", "bytes=-3", Ok(("789", "bytes 7-9/10"))),
        ("a", "bytes=-30", Ok(("0123456789", "bytes 0-9/10"))),
        ("a", "bytes=10-", Err((416, "InvalidRange"))),
        ("empty", "bytes=0-", Err((416, "InvalidRange"))),
    ];
    for (key, range, expected) in cases {
        let output = client.get_key(key).range(range).send().await;
        match expected {
            Ok((body, content_range)) => {
                let output = output.unwrap();
                assert_eq!(output.content_range(), Some(content_range), "{range}");
                assert_eq!(
                    output.body.collect().await.unwrap().to_vec(),
                    body.as_bytes(),
                    "{range}"
                );
            }
            Err((status, code)) => assert_eq!(answer(output), (status, code.to_owned()), "{range}"),
        }
    }
    lab.end().await;
}

#[tokio::test]
async fn a_missing_bucket_or_key_is_named() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let put = client
        .put_object()
        .bucket("no-such-bucket")
        .key("a")
        .send()
        .await;
    assert_eq!(answer(put), (404, "NoSuchBucket".to_owned()));
    let list = client
        .list_objects_v2()
        .bucket("no-such-bucket")
        .send()
        .await;
    assert_eq!(answer(list), (404, "NoSuchBucket".to_owned()));
    let get = client.get_key("a").send().await;
    assert_eq!(answer(get), (404, "NoSuchKey".to_owned()));
    let head = client.head_key("a").send().await;
    assert_eq!(answer(head).0, 404);
    lab.end().await;
}

#[tokio::test]
async fn deleting_what_is_absent_succeeds() {
    let lab = Lab::start().await;
    let client = lab.operator();
    client.delete_key("a").send().await.unwrap();
    for key in ["a", "b/c", "d"] {
        put(&client, key, key).await;
    }
    let name = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    let names = Delete::builder()
        .objects(name("a"))
        .objects(name("b/c"))
        .objects(name("absent"));
    let delete = client
        .delete_objects()
        .bucket(BUCKET)
        .delete(names.build().unwrap());
    let deleted = delete.send().await.unwrap();
    assert_eq!(deleted.deleted().len(), 3);
    assert!(deleted.errors().is_empty());
    assert_eq!(keys(&client).await, ["d"]);
    lab.end().await;
}

#[tokio::test]
async fn copies_keep_or_replace_metadata() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let original = client.put_key("a b").metadata("kept", "yes");
    original
        .content_type("text/plain")
        .body(ByteStream::from_static(b"hello"))
        .send()
        .await
        .unwrap();
    let copy = |to: &str| {
        client
            .copy_object()
            .copy_source(format!("{BUCKET}/a%20b"))
            .bucket(BUCKET)
            .key(to)
    };
    let kept = copy("kept").send().await.unwrap();
    let etag = kept
        .copy_object_result()
        .unwrap()
        .e_tag()
        .unwrap()
        .to_owned();
    copy("replaced")
        .metadata_directive(MetadataDirective::Replace)
        .metadata("new", "yes")
        .content_type("text/html")
        .send()
        .await
        .unwrap();
    for (key, member, content_type) in [
        ("kept", "kept", "text/plain"),
        ("replaced", "new", "text/html"),
    ] {
        let head = client.head_key(key).send().await.unwrap();
        assert_eq!(head.metadata().unwrap()[member], "yes");
        assert_eq!(head.metadata().unwrap().len(), 1);
        assert_eq!(head.content_type(), Some(content_type));
        assert_eq!(head.e_tag(), Some(etag.as_str()));
        assert_eq!(get(&client, key).await, b"hello");
    }
    let absent = client
        .copy_object()
        .copy_source(format!("{BUCKET}/absent"))
        .bucket(BUCKET)
        .key("c");
    assert_eq!(answer(absent.send().await), (404, "NoSuchKey".to_owned()));
    lab.end().await;
}

#[tokio::test]
async fn buckets_are_created_listed_and_located() {
    let lab = Lab::start().await;
    let client = lab.operator();
    client
        .create_bucket()
        .bucket("another")
        .send()
        .await
        .unwrap();
    let again = client.create_bucket().bucket("another").send().await;
    assert_eq!(answer(again), (409, "BucketAlreadyOwnedByYou".to_owned()));
    let buckets = client.list_buckets().send().await.unwrap();
    let names: Vec<_> = buckets
        .buckets()
        .iter()
        .filter_map(|bucket| bucket.name())
        .collect();
    assert_eq!(names, ["another", BUCKET]);
    let location = client
        .get_bucket_location()
        .bucket("another")
        .send()
        .await
        .unwrap();
    assert_eq!(
        location.location_constraint().unwrap().as_str(),
        "us-west-2"
    );
    client.head_bucket().bucket("another").send().await.unwrap();
    assert_eq!(
        answer(client.head_bucket().bucket("third").send().await).0,
        404
    );
    lab.end().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let lab = Lab::start().await;
    let head = format!("PUT /{BUCKET}/a HTTP/1.1\nContent-Length: 100000000");
    let answer = raw::send(lab.address(), &head).await;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("<Code>EntityTooLarge</Code>"),
        "{answer}"
    );
    lab.end().await;
}

#[tokio::test]
async fn what_the_lab_lacks_is_refused_not_ignored() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let tagged = client.put_key("a").tagging("a=b").send().await;
    assert_eq!(answer(tagged), (501, "NotImplemented".to_owned()));
    let version = client.get_key("a").version_id("1").send().await;
    assert_eq!(answer(version), (501, "NotImplemented".to_owned()));
    let policy = client.get_bucket_policy().bucket(BUCKET).send().await;
    assert_eq!(answer(policy), (501, "NotImplemented".to_owned()));
    assert!(keys(&client).await.is_empty());
    lab.end().await;
}

#[tokio::test]
async fn requests_are_counted_as_they_would_be_billed() {
    let lab = Lab::start().await;
    let client = lab.operator();
    client.put_key("a").send().await.unwrap();
    client
        .put_key("a")
        .if_none_match("*")
        .send()
        .await
        .unwrap_err();
    client.get_key("a").send().await.unwrap();
    let counted = raw::send(lab.address(), "GET /_lab/requests HTTP/1.1").await;
    for count in [r#""puts":2"#, r#""gets":1"#] {
        assert!(counted.contains(count), "{counted}");
    }
    lab.end().await;
}

#[tokio::test]
async fn health_needs_no_signature() {
    let lab = Lab::start().await;
    let answer = raw::send(lab.address(), "GET /_lab/health HTTP/1.1").await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("OK"),
        "{answer}"
    );
    lab.end().await;
}
