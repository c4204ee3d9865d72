//! No account can do more than the pipeline needs.

use aws_sdk_s3::{Client, error::SdkError, primitives::ByteStream, types::ServerSideEncryption};
use lab_runner::{
    database::User, http, lab::BUCKET, part::PartName, secret::Secret,
    state::credentials::AccessKey,
};

use crate::test_lab::TestLab;

const KEY: &str = "transactions/access.json";
const OBJECT: &[u8] = br#"{"id": "access-1", "status": "processed"}"#;

#[tokio::test]
async fn p7_no_role_can_change_what_is_recorded_or_reach_what_it_need_not() {
    let lab = TestLab::up();
    assert_database_rights(&lab).await;
    assert_bucket_rights(&lab).await;
}

async fn assert_database_rights(lab: &TestLab) {
    let denied = [
        (
            User::Reader,
            "INSERT INTO payments.transactions (payment_id) VALUES ('x')",
        ),
        (User::Reader, "DELETE FROM payments.transactions"),
        (User::Ingest, "UPDATE payments.transactions SET amount = 1"),
        (User::Ingest, "DELETE FROM payments.transactions"),
        (User::Ingest, "TRUNCATE TABLE payments.transactions"),
        (User::Ingest, "DROP TABLE payments.transactions"),
    ];
    for (user, statement) in denied {
        let refusal = lab.sql_as(user, statement).await.unwrap_err();
        assert!(refusal.contains("denied"), "{statement}: {refusal}");
    }
    for user in [User::Reader, User::Ingest] {
        let count = "SELECT COUNT(*) FROM payments.transactions";
        let rows = lab.sql_as(user, count).await.unwrap();
        assert_eq!(rows, ["1"], "the payment that `up` sent");
    }
}

async fn assert_bucket_rights(lab: &TestLab) {
    let keys = &lab.lab.credentials.aws;
    let operator = lab.s3(&keys.operator);
    let app_tier = lab.s3(&keys.app_tier);
    let lambda = lab.s3(&keys.lambda);
    let encrypted = Some(ServerSideEncryption::Aes256);

    assert_eq!(put(&operator, KEY, encrypted.clone()).await, 200);
    assert_eq!(get(&lambda).await, 200);
    let wrong = lab.s3(&AccessKey {
        id: keys.operator.id.clone(),
        secret: Secret::new("wrong"),
    });
    let unknown = lab.s3(&AccessKey {
        id: "AKIAUNKNOWN000000000".to_owned(),
        secret: keys.operator.secret.clone(),
    });
    assert_eq!(get(&wrong).await, 403);
    assert_eq!(get(&unknown).await, 403);
    let url = format!("{}/{BUCKET}/{KEY}", lab.lab.url(PartName::S3));
    let unsigned = http::client().unwrap().get(url).send().await.unwrap();
    assert_eq!(unsigned.status(), 403);

    assert_eq!(get(&app_tier).await, 403);
    assert_eq!(
        put(&lambda, "transactions/l.json", encrypted.clone()).await,
        403
    );
    assert_eq!(put(&app_tier, "elsewhere/a.json", encrypted).await, 403);
    assert_eq!(put(&app_tier, "transactions/a.json", None).await, 403);
}

async fn get(client: &Client) -> u16 {
    status(client.get_object().bucket(BUCKET).key(KEY).send().await)
}

async fn put(client: &Client, key: &str, encryption: Option<ServerSideEncryption>) -> u16 {
    let put = client.put_object().bucket(BUCKET).key(key);
    let put = put.body(ByteStream::from_static(OBJECT));
    status(put.set_server_side_encryption(encryption).send().await)
}

/// Returns the HTTP status of the SDK's answer.
fn status<T, E: std::fmt::Debug>(answer: Result<T, SdkError<E>>) -> u16 {
    match answer {
        Ok(_) => 200,
        Err(SdkError::ServiceError(error)) => error.raw().status().as_u16(),
        Err(error) => panic!("no answer: {error:?}"),
    }
}
