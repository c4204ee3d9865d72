//! Objects of older systems in the bucket are ingested too.

use std::time::Duration;

use aws_sdk_s3::types::ServerSideEncryption;
use lab_runner::lab::BUCKET;

use crate::test_lab::TestLab;

#[tokio::test]
async fn an_object_of_one_plain_payment_becomes_a_row() {
    let lab = TestLab::up();
    lab.s3(&lab.lab.credentials.aws.operator)
        .put_object()
        .bucket(BUCKET)
        .key("transactions/tx_1747539198353.json")
        .body(
            br#"{"id": "tx_1747539198353", "amount": 100.0, "status": "processed"}"#
                .to_vec()
                .into(),
        )
        // The bucket's policy refuses unencrypted objects.
        .server_side_encryption(ServerSideEncryption::Aes256)
        .send()
        .await
        .unwrap();

    let select = "SELECT amount, currency, status FROM payments.transactions \
                  WHERE payment_id = 'tx_1747539198353'";
    let row = ["100.0000\tUSD\tprocessed"];
    lab.until_selected(select, &row, Duration::from_secs(10))
        .await;
}
