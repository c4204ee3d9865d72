//! Bodies that do not match the client's claims are never stored.

use aws_sdk_s3::config::ConfigBag;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode};

use crate::support::{Lab, Requests, answer, get, keys, put};

const BODY: &[u8] = b"hello";

#[tokio::test]
async fn every_algorithm_is_verified_kept_and_returned() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let algorithms = [
        (ChecksumAlgorithm::Crc32, "NhCmhg=="),
        (ChecksumAlgorithm::Crc32C, "mnG7TA=="),
        (ChecksumAlgorithm::Crc64Nvme, "M3eFcAZSQlc="),
        (ChecksumAlgorithm::Sha1, "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
        (
            ChecksumAlgorithm::Sha256,
            "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        ),
    ];
    for (algorithm, expected) in algorithms {
        let put = client.put_key("a").checksum_algorithm(algorithm.clone());
        put.body(ByteStream::from_static(BODY))
            .send()
            .await
            .unwrap();
        let head = client.head_key("a").checksum_mode(ChecksumMode::Enabled);
        let head = head.send().await.unwrap();
        let returned = [
            head.checksum_crc32(),
            head.checksum_crc32_c(),
            head.checksum_crc64_nvme(),
            head.checksum_sha1(),
            head.checksum_sha256(),
        ];
        let returned: Vec<_> = returned.into_iter().flatten().collect();
        assert_eq!(returned, [expected], "{algorithm}");
        assert_eq!(get(&client, "a").await, BODY);
    }
    lab.end().await;
}

#[tokio::test]
async fn a_mismatch_stores_nothing_and_replaces_nothing() {
    let lab = Lab::start().await;
    let client = lab.operator();
    put(&client, "old", "old").await;
    for key in ["new", "old"] {
        let write = || client.put_key(key).body(ByteStream::from_static(BODY));
        let cases = [
            (write().checksum_crc32("AAAAAA=="), "BadDigest"),
            (write().checksum_crc32_c("AAAAAA=="), "BadDigest"),
            (write().checksum_crc64_nvme("AAAAAAAAAAA="), "BadDigest"),
            (
                write().checksum_sha1("AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
                "BadDigest",
            ),
            (
                write().checksum_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
                "BadDigest",
            ),
            (write().content_md5("AAAAAAAAAAAAAAAAAAAAAA=="), "BadDigest"),
            (write().content_md5("AAAA"), "InvalidDigest"),
        ];
        for (request, code) in cases {
            assert_eq!(answer(request.send().await), (400, code.to_owned()));
        }
    }
    assert_eq!(keys(&client).await, ["old"]);
    assert_eq!(get(&client, "old").await, b"old");
    lab.end().await;
}

#[tokio::test]
async fn a_body_that_was_changed_after_signing_is_refused() {
    let lab = Lab::start().await;
    let client = lab.operator();
    let put = client.put_key("a").body(ByteStream::from_static(BODY));
    let put = put.customize().interceptor(ChangeBody).send().await;
    assert_eq!(answer(put), (400, "XAmzContentSHA256Mismatch".to_owned()));
    assert!(keys(&client).await.is_empty());
    lab.end().await;
}

/// Replaces the body by another of the same length, after the request is signed.
#[derive(Debug)]
struct ChangeBody;

impl Intercept for ChangeBody {
    fn name(&self) -> &'static str {
        "ChangeBody"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        *context.request_mut().body_mut() = SdkBody::from("HELLO");
        Ok(())
    }
}
