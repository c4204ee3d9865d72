//! Versions and Object Lock.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{BUCKET, Lab, Requests, Role, answer, app_put, config, get, is, keys, put};

async fn locked(mode: &str) -> Lab {
    let root = TempDir::new().unwrap();
    let mut config = config(root.path());
    config["buckets"][0]["object_lock"] = json!({"mode": mode, "days": 1});
    Lab::start_with(root, config).await
}

/// Puts, and returns the version id.
async fn version(client: &Client, key: &str, body: &str) -> String {
    let stored = app_put(client, key, body).send().await.unwrap();
    stored.version_id().unwrap().to_owned()
}

/// Marks a key deleted, and returns the version id of the delete marker.
async fn mark_deleted(client: &Client, key: &str) -> String {
    let deleted = client.delete_key(key).send().await.unwrap();
    assert_eq!(deleted.delete_marker(), Some(true));
    deleted.version_id().unwrap().to_owned()
}

async fn body_of(client: &Client, key: &str, version: &str) -> Vec<u8> {
    let output = client.get_key(key).version_id(version).send().await;
    output.unwrap().body.collect().await.unwrap().to_vec()
}

/// Returns key, version id and whether it is the latest of all versions and delete markers, page by page.
async fn listed(client: &Client, page: i32) -> Vec<(String, String, bool)> {
    let mut all = Vec::new();
    let (mut key, mut id) = (None, None);
    loop {
        let list = client.list_object_versions().bucket(BUCKET).max_keys(page);
        let list = list.set_key_marker(key).set_version_id_marker(id);
        let answer = list.send().await.unwrap();
        let versions = answer.versions().iter().map(|found| {
            let (key, id) = (found.key().unwrap(), found.version_id().unwrap());
            (key.to_owned(), id.to_owned(), found.is_latest().unwrap())
        });
        let markers = answer.delete_markers().iter().map(|found| {
            let (key, id) = (found.key().unwrap(), found.version_id().unwrap());
            (key.to_owned(), id.to_owned(), found.is_latest().unwrap())
        });
        all.extend(versions.chain(markers));
        if answer.is_truncated() != Some(true) {
            all.sort();
            return all;
        }
        key = answer.next_key_marker().map(str::to_owned);
        id = answer.next_version_id_marker().map(str::to_owned);
    }
}

#[tokio::test]
async fn overwritten_and_deleted_objects_stay_as_versions_over_a_restart() {
    let lab = locked("GOVERNANCE").await;
    let client = lab.operator();
    let first = version(&client, "a", "one").await;
    let second = version(&client, "a", "two").await;
    assert_eq!(get(&client, "a").await, b"two");
    let marker = mark_deleted(&client, "a").await;
    let other = version(&client, "a/b", "other").await;

    let lab = lab.restart().await;
    let client = lab.operator();
    assert_eq!(keys(&client).await, ["a/b"]);
    is(answer(client.get_key("a").send().await), (404, "NoSuchKey"));
    let of_marker = client.get_key("a").version_id(&marker).send().await;
    is(answer(of_marker), (405, "MethodNotAllowed"));
    assert_eq!(body_of(&client, "a", &first).await, b"one");
    assert_eq!(body_of(&client, "a", &second).await, b"two");
    let expected = [
        ("a".to_owned(), first, false),
        ("a".to_owned(), second, false),
        ("a".to_owned(), marker, true),
        ("a/b".to_owned(), other, true),
    ];
    for page in [1, 2, 1000] {
        assert_eq!(listed(&client, page).await, expected, "{page} on a page");
    }
    lab.end().await;
}

#[tokio::test]
async fn a_version_within_its_retention_cannot_be_deleted() {
    for (mode, bypassed) in [
        ("GOVERNANCE", (200, "")),
        ("COMPLIANCE", (403, "AccessDenied")),
    ] {
        let lab = locked(mode).await;
        let client = lab.operator();
        let kept = version(&client, "a", "one").await;
        let head = client.head_key("a").send().await.unwrap();
        assert_eq!(head.version_id(), Some(kept.as_str()));
        assert_eq!(head.object_lock_mode().unwrap().as_str(), mode);
        let written = head.last_modified().unwrap().secs();
        let until = head.object_lock_retain_until_date().unwrap().secs();
        assert!((86_399..=86_401).contains(&(until - written)), "{until}");
        let retention = client.get_object_retention().bucket(BUCKET).key("a");
        let retention = retention.send().await.unwrap().retention.unwrap();
        assert_eq!(retention.mode().unwrap().as_str(), mode);

        let delete = client.delete_key("a").version_id(&kept);
        is(answer(delete.clone().send().await), (403, "AccessDenied"));
        let name = ObjectIdentifier::builder().key("a").version_id(&kept);
        let names = Delete::builder().objects(name.build().unwrap()).build();
        let many = client
            .delete_objects()
            .bucket(BUCKET)
            .delete(names.unwrap());
        let many = many.send().await.unwrap();
        assert_eq!(many.errors()[0].code(), Some("AccessDenied"));
        assert_eq!(get(&client, "a").await, b"one");

        let delete = delete.bypass_governance_retention(true);
        is(answer(delete.send().await), bypassed);
        lab.end().await;
    }
}

#[tokio::test]
async fn without_its_delete_marker_an_object_is_back() {
    let lab = locked("COMPLIANCE").await;
    let client = lab.operator();
    let first = version(&client, "a", "one").await;
    let marker = mark_deleted(&client, "a").await;
    let delete = client.delete_key("a").version_id(&marker);
    assert_eq!(delete.send().await.unwrap().delete_marker(), Some(true));
    assert_eq!(get(&client, "a").await, b"one");
    let lab = lab.restart().await;
    let client = lab.operator();
    assert_eq!(get(&client, "a").await, b"one");
    assert_eq!(listed(&client, 10).await, [("a".to_owned(), first, true)]);
    lab.end().await;
}

#[tokio::test]
async fn a_copy_of_an_earlier_version_is_the_newest() {
    let lab = locked("GOVERNANCE").await;
    let client = lab.operator();
    let first = version(&client, "a", "one").await;
    version(&client, "a", "forged").await;
    let copy = client.copy_object().bucket(BUCKET).key("a");
    let copy = copy.copy_source(format!("{BUCKET}/a?versionId={first}"));
    copy.send().await.unwrap();
    assert_eq!(get(&client, "a").await, b"one");
    assert_eq!(listed(&client, 10).await.len(), 3);
    lab.end().await;
}

#[tokio::test]
async fn the_app_tier_may_neither_delete_nor_bypass() {
    let lab = locked("GOVERNANCE").await;
    let tier = lab.client(Role::AppTier);
    let key = "transactions/a";
    let kept = version(&tier, key, "one").await;
    is(
        answer(tier.delete_key(key).send().await),
        (403, "AccessDenied"),
    );
    let delete = tier.delete_key(key).version_id(kept);
    let delete = delete.bypass_governance_retention(true);
    is(answer(delete.send().await), (403, "AccessDenied"));
    assert_eq!(get(&lab.operator(), key).await, b"one");
    lab.end().await;
}

#[tokio::test]
async fn a_bucket_tells_whether_it_has_object_lock() {
    let lab = locked("COMPLIANCE").await;
    let client = lab.operator();
    let lock = client.get_object_lock_configuration().bucket(BUCKET);
    let lock = lock.send().await.unwrap().object_lock_configuration;
    let retention = lock.unwrap().rule.unwrap().default_retention.unwrap();
    assert_eq!(retention.mode().unwrap().as_str(), "COMPLIANCE");
    assert_eq!(retention.days(), Some(1));
    let versioning = client.get_bucket_versioning().bucket(BUCKET);
    let versioning = versioning.send().await.unwrap();
    assert_eq!(versioning.status().unwrap().as_str(), "Enabled");
    lab.end().await;

    let lab = Lab::start().await;
    let client = lab.operator();
    put(&client, "a", "one").await;
    let head = client.head_key("a").send().await.unwrap();
    assert_eq!((head.version_id(), head.object_lock_mode()), (None, None));
    let lock = client.get_object_lock_configuration().bucket(BUCKET);
    is(
        answer(lock.send().await),
        (404, "ObjectLockConfigurationNotFoundError"),
    );
    let versioning = client.get_bucket_versioning().bucket(BUCKET);
    assert_eq!(versioning.send().await.unwrap().status(), None);
    lab.end().await;
}
