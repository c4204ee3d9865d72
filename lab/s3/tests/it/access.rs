//! The shipped policies, enforced on real requests.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier, ServerSideEncryption};

use crate::support::{BUCKET, Lab, Requests, Role, answer, client, keys, put, raw};

const PAYMENT: &str = "transactions/a.ndjson";

/// What a role requests.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Put(&'static str, Option<&'static str>),
    Get(&'static str),
    Head(&'static str),
    Delete(&'static str),
    List(Option<&'static str>),
    ListV1(&'static str),
    Copy(&'static str, &'static str),
    BeginUpload(&'static str, Option<&'static str>),
    ListBuckets,
    CreateBucket,
    BucketPolicy,
}

async fn ask(client: &Client, what: Ask) -> (u16, String) {
    let encryption = |name: Option<&str>| name.map(ServerSideEncryption::from);
    match what {
        Ask::Put(key, name) => {
            let request = client.put_key(key);
            let request = request.set_server_side_encryption(encryption(name));
            answer(request.body(ByteStream::from_static(b"x")).send().await)
        }
        Ask::Get(key) => answer(client.get_key(key).send().await),
        Ask::Head(key) => answer(client.head_key(key).send().await),
        Ask::Delete(key) => answer(client.delete_key(key).send().await),
        Ask::List(prefix) => {
            let request = client.list_objects_v2().bucket(BUCKET);
            answer(request.set_prefix(prefix.map(str::to_owned)).send().await)
        }
        Ask::ListV1(prefix) => answer(
            client
                .list_objects()
                .bucket(BUCKET)
                .prefix(prefix)
                .send()
                .await,
        ),
        Ask::Copy(from, to) => {
            let request = client
                .copy_object()
                .copy_source(format!("{BUCKET}/{from}"))
                .bucket(BUCKET)
                .key(to);
            answer(
                request
                    .server_side_encryption(ServerSideEncryption::Aes256)
                    .send()
                    .await,
            )
        }
        Ask::BeginUpload(key, name) => {
            let request = client.create_multipart_upload().bucket(BUCKET).key(key);
            answer(
                request
                    .set_server_side_encryption(encryption(name))
                    .send()
                    .await,
            )
        }
        Ask::ListBuckets => answer(client.list_buckets().send().await),
        Ask::CreateBucket => answer(client.create_bucket().bucket("another").send().await),
        Ask::BucketPolicy => answer(client.get_bucket_policy().bucket(BUCKET).send().await),
    }
}

#[tokio::test]
async fn p7_each_role_may_do_what_its_policies_say_and_no_more() {
    use Ask::*;
    const OK: u16 = 200;
    const NO: u16 = 403;
    let sse = Some("AES256");
    let cases = [
        (Role::AppTier, Put("transactions/new", sse), OK),
        (Role::AppTier, Put("transactions/kms", Some("aws:kms")), OK),
        (Role::AppTier, Put("transactions/new", None), NO),
        (Role::AppTier, Put("transactions/new", Some("aws:fsx")), NO),
        (Role::AppTier, Put("other/new", sse), NO),
        (Role::AppTier, Put("transactions", sse), NO),
        (Role::AppTier, BeginUpload("transactions/big", sse), OK),
        (Role::AppTier, BeginUpload("transactions/big", None), NO),
        (Role::AppTier, Get(PAYMENT), NO),
        (Role::AppTier, Get("transactions/absent"), NO),
        (Role::AppTier, Head(PAYMENT), NO),
        (Role::AppTier, Delete(PAYMENT), NO),
        (Role::AppTier, List(Some("transactions/")), NO),
        (Role::AppTier, Copy(PAYMENT, "transactions/copy"), NO),
        (Role::AppTier, ListBuckets, NO),
        (Role::AppTier, CreateBucket, NO),
        (Role::AppTier, BucketPolicy, NO),
        (Role::AppTierObjectLayout, Put("transactions/b", sse), OK),
        (Role::AppTierObjectLayout, Get(PAYMENT), OK),
        (
            Role::AppTierObjectLayout,
            Copy(PAYMENT, "transactions/copy"),
            OK,
        ),
        (
            Role::AppTierObjectLayout,
            Copy("other/a", "transactions/copy"),
            NO,
        ),
        (Role::AppTierObjectLayout, Get("transactions/absent"), NO),
        (Role::AppTierObjectLayout, Delete(PAYMENT), NO),
        (Role::Lambda, Get(PAYMENT), OK),
        (Role::Lambda, Head(PAYMENT), OK),
        (Role::Lambda, Get("transactions/absent"), 404),
        (Role::Lambda, Head("transactions/absent"), 404),
        (Role::Lambda, Get("other/a"), NO),
        (Role::Lambda, List(Some("transactions/")), OK),
        (Role::Lambda, List(Some("transactions/dt=2026-11-22/")), OK),
        (Role::Lambda, ListV1("transactions/"), OK),
        (Role::Lambda, List(Some("other/")), NO),
        (Role::Lambda, List(None), NO),
        (Role::Lambda, Put("transactions/new", sse), NO),
        (Role::Lambda, Delete(PAYMENT), NO),
        (Role::Operator, Put("anywhere", None), OK),
        (Role::Operator, Delete("anywhere"), OK),
        (Role::Operator, List(None), OK),
        (Role::Operator, ListBuckets, OK),
    ];
    let lab = Lab::start().await;
    let operator = lab.operator();
    for key in [PAYMENT, "other/a"] {
        put(&operator, key, "x").await;
    }
    for (role, what, expected) in cases {
        let (status, code) = ask(&lab.client(role), what).await;
        assert_eq!(status, expected, "{role:?} {what:?} gave {code:?}");
    }
    lab.end().await;
}

#[tokio::test]
async fn p7_many_deletes_at_once_are_checked_one_by_one() {
    let lab = Lab::start().await;
    put(&lab.operator(), PAYMENT, "x").await;
    let name = ObjectIdentifier::builder().key(PAYMENT).build().unwrap();
    let names = Delete::builder().objects(name).build().unwrap();
    let output = lab
        .client(Role::AppTier)
        .delete_objects()
        .bucket(BUCKET)
        .delete(names)
        .send()
        .await
        .unwrap();
    assert_eq!(output.errors()[0].code(), Some("AccessDenied"));
    assert!(output.deleted().is_empty());
    assert_eq!(keys(&lab.operator()).await, [PAYMENT]);
    lab.end().await;
}

#[tokio::test]
async fn credentials_that_are_missing_unknown_or_wrong_are_told_apart() {
    let lab = Lab::start().await;
    let (id, secret) = Role::Operator.key_pair();
    let list = |id: &str, secret: &str| {
        client(&lab.endpoint(), id, secret)
            .list_objects_v2()
            .bucket(BUCKET)
            .send()
    };
    assert_eq!(
        answer(list("NOBODY", secret).await),
        (403, "InvalidAccessKeyId".to_owned())
    );
    assert_eq!(
        answer(list(id, "wrong").await),
        (403, "SignatureDoesNotMatch".to_owned())
    );
    assert_eq!(answer(list(id, secret).await).0, 200);
    for request in [
        "GET /",
        "GET /fintech-payment-pipeline",
        "PUT /fintech-payment-pipeline/a",
        "DELETE /fintech-payment-pipeline/a",
    ] {
        let answer = raw::send(
            lab.address(),
            &format!("{request} HTTP/1.1\nContent-Length: 0"),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{request}: {answer}");
        assert!(
            answer.contains("<Code>AccessDenied</Code>"),
            "{request}: {answer}"
        );
    }
    lab.end().await;
}

#[tokio::test]
async fn an_upload_id_does_not_lend_its_encryption_to_a_plain_put() {
    let lab = Lab::start().await;
    let app = lab.client(Role::AppTier);
    let upload = app
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("transactions/a");
    let upload = upload
        .server_side_encryption(ServerSideEncryption::Aes256)
        .send()
        .await
        .unwrap();
    let id = upload.upload_id().unwrap().to_owned();
    let put = app
        .put_key("transactions/a")
        .body(ByteStream::from_static(b"x"));
    let put = put.customize().mutate_request(move |request| {
        let uri = format!("{}&uploadId={id}", request.uri());
        request.set_uri(uri).unwrap();
    });
    assert_eq!(answer(put.send().await).0, 403);
    lab.end().await;
}

#[tokio::test]
async fn another_accounts_bucket_is_not_this_one() {
    let lab = Lab::start().await;
    let list = |owner: &str| {
        lab.operator()
            .list_objects_v2()
            .bucket(BUCKET)
            .expected_bucket_owner(owner)
            .send()
    };
    assert_eq!(answer(list("000000000000").await).0, 200);
    assert_eq!(answer(list("111111111111").await).0, 403);
    lab.end().await;
}
