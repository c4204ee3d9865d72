//! Object Lock keeps what an administrator deletes.

use std::time::Duration;

use lab_runner::lab::BUCKET;
use reqwest::StatusCode;

use crate::operator::payctl;
use crate::test_lab::{TestLab, text};

#[tokio::test]
async fn p11_a_deleted_object_is_named_and_comes_back_from_its_version() {
    let lab = TestLab::up_with(&["--object-lock"]);
    let body = r#"{"id":"kept","transaction":"lock","amount":"5.00"}"#;
    assert_eq!(lab.post(body).await.status, StatusCode::ACCEPTED);
    let select = "SELECT object_key FROM payments.transactions WHERE payment_id = 'kept'";
    let count = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id = 'kept'";
    lab.until_selected(count, &["1"], Duration::from_secs(20))
        .await;
    let key = lab.select(select).await.remove(0);
    audit(&lab, 0, "");

    let s3 = lab.s3(&lab.lab.credentials.aws.operator);
    let head = s3.head_object().bucket(BUCKET).key(&key).send().await;
    let version = head.unwrap().version_id.unwrap();
    let delete = s3.delete_object().bucket(BUCKET).key(&key);
    let for_good = delete.clone().version_id(version).send().await;
    let refused = for_good.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 403);
    let marker = delete.clone().send().await.unwrap().version_id.unwrap();
    audit(&lab, 1, &key);

    delete.version_id(marker).send().await.unwrap();
    audit(&lab, 0, "");
}

/// Both audits exit with this status, and name the object.
fn audit(lab: &TestLab, code: i32, key: &str) {
    for command in ["reconcile", "verify"] {
        let output = payctl(lab, "reader", &[command, "--settle", "0"]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(code), "{command}: {said}");
        assert!(said.contains(key), "{command}: {said}");
    }
}
