//! `PutObject`.

use std::sync::Arc;

use s3s::dto::{ChecksumType, ETag, PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response, S3Result};

use super::Ops;
use super::body::{Claims, Verified};
use super::commit::{Condition, Draft, origin};
use super::unsupported::Request;
use crate::access::Caller;
use crate::notify::EventName;
use crate::store::{Attributes, Content, Head};

impl Ops {
    pub(super) async fn put(
        &self,
        req: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let origin = origin(&req.extensions)?;
        let forgettable = !Caller::of(&req.extensions)?.0.admin;
        let mut input = req.input;
        input.refuse_unsupported()?;
        let bucket = self.store.bucket(&input.bucket)?;
        let attributes = Attributes::from(&mut input);
        let claims = Claims::from(&mut input);
        let body = Verified::receive(input.body, claims, req.trailing_headers).await?;
        if !self.put_latency.is_zero() {
            tokio::time::sleep(self.put_latency).await;
        }
        let written = Arc::clone(&bucket);
        let draft = Draft {
            event: EventName::Put,
            origin,
            bucket,
            key: input.key,
            condition: Condition {
                if_match: input.if_match,
                if_none_match: input.if_none_match,
            },
            attributes,
            etag: body.etag(),
            checksums: body.checksums,
            size: body.size,
            content: Content::Bytes(body.chunks),
            forgettable,
        };
        let head = self.writer.commit(draft).await?;
        let version_id = written.version_id(&head);
        Ok(output(head, version_id))
    }
}

fn output(head: Head, version_id: Option<String>) -> S3Response<PutObjectOutput> {
    let encryption = head.attributes.encryption_dto();
    S3Response::new(PutObjectOutput {
        version_id,
        e_tag: Some(ETag::Strong(head.etag)),
        server_side_encryption: Some(encryption),
        ssekms_key_id: head.attributes.kms_key_id,
        checksum_crc32: head.checksums.crc32,
        checksum_crc32c: head.checksums.crc32c,
        checksum_crc64nvme: head.checksums.crc64nvme,
        checksum_sha1: head.checksums.sha1,
        checksum_sha256: head.checksums.sha256,
        checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
        ..PutObjectOutput::default()
    })
}
