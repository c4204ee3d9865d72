//! Listings through the SDK, page by page.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{CommonPrefix, EncodingType, Object};

use crate::support::{BUCKET, Lab, answer, put};

fn listed_keys(pages: &[ListObjectsV2Output]) -> Vec<&str> {
    let objects = pages.iter().flat_map(ListObjectsV2Output::contents);
    objects.filter_map(Object::key).collect()
}

#[tokio::test]
async fn pages_join_to_the_whole_in_byte_order() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let mut expected: Vec<String> = (0..25).map(|n| format!("t/{n}")).collect();
    expected.extend(["t/Z", "t/a b", "t/é", "u/1", "t"].map(str::to_owned));
    for key in &expected {
        put(&client, key, "").await;
    }
    expected.retain(|key| key.starts_with("t/"));
    expected.sort_unstable();
    for size in [1, 4, 28, 1000] {
        let list = client
            .list_objects_v2()
            .bucket(BUCKET)
            .prefix("t/")
            .max_keys(size);
        let pages = list.into_paginator().send().try_collect().await.unwrap();
        let full = usize::try_from(size).unwrap();
        assert!(
            pages
                .iter()
                .rev()
                .skip(1)
                .all(|page| page.contents().len() == full),
            "pages of {size}"
        );
        assert_eq!(listed_keys(&pages), expected, "pages of {size}");
    }
    lab.end().await;
}

#[tokio::test]
async fn a_delimiter_folds_keys_into_common_prefixes() {
    let lab = Lab::start().await;
    let client = lab.operator();
    for key in ["a", "t/1", "t/2", "u/v/1", "z"] {
        put(&client, key, "x").await;
    }
    let list = client.list_objects_v2().bucket(BUCKET).delimiter("/");
    let pages = list
        .clone()
        .max_keys(2)
        .into_paginator()
        .send()
        .try_collect()
        .await
        .unwrap();
    let groups = pages.iter().flat_map(ListObjectsV2Output::common_prefixes);
    let prefixes: Vec<_> = groups.filter_map(CommonPrefix::prefix).collect();
    assert_eq!(listed_keys(&pages), ["a", "z"]);
    assert_eq!(prefixes, ["t/", "u/"]);
    let page = list.send().await.unwrap();
    assert_eq!(
        (page.key_count(), page.is_truncated()),
        (Some(4), Some(false))
    );
    lab.end().await;
}

#[tokio::test]
async fn a_listing_starts_where_it_is_told() {
    let lab = Lab::start().await;
    let client = lab.operator();
    for key in ["a", "b", "c"] {
        put(&client, key, "12345").await;
    }
    let page = client
        .list_objects_v2()
        .bucket(BUCKET)
        .start_after("a")
        .send()
        .await
        .unwrap();
    let sizes: Vec<_> = page
        .contents()
        .iter()
        .map(|o| (o.key().unwrap(), o.size().unwrap()))
        .collect();
    assert_eq!(sizes, [("b", 5), ("c", 5)]);
    assert_eq!(
        page.contents()[0].e_tag(),
        Some("\"827ccb0eea8a706c4c34a16891f84e7b\"")
    );
    let page = client
        .list_objects()
        .bucket(BUCKET)
        .marker("b")
        .send()
        .await
        .unwrap();
    assert_eq!(page.contents()[0].key(), Some("c"));
    let wrong = client
        .list_objects_v2()
        .bucket(BUCKET)
        .continuation_token("?")
        .send()
        .await;
    assert_eq!(answer(wrong), (400, "InvalidArgument".to_owned()));
    lab.end().await;
}

#[tokio::test]
async fn keys_are_encoded_where_the_client_asks_for_it() {
    let lab = Lab::start().await;
    let client = lab.operator();
    put(&client, "t/a b+\u{1}", "").await;
    let list = client
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix("t/")
        .encoding_type(EncodingType::Url);
    let page = list.send().await.unwrap();
    assert_eq!(page.contents()[0].key(), Some("t/a%20b%2B%01"));
    assert_eq!(page.encoding_type(), Some(&EncodingType::Url));
    lab.end().await;
}
