//! `GetObject` and `HeadObject`.

use std::ops::Range as Bytes;

use s3s::dto::{
    ChecksumMode, ChecksumType, ETag, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, ObjectLockMode, Range, StreamingBlob, Timestamp,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::Ops;
use super::conditions::ReadConditions;
use super::unsupported::Request;
use super::versions::named_version;
use crate::access::Caller;
use crate::store::{Checksums, Head, StoredObject};

impl Ops {
    pub(super) async fn get(
        &self,
        req: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let (object, part, mut output) = self.find(Caller::of(&req.extensions)?, req.input).await?;
        output.body = Some(StreamingBlob::wrap(object.read(part)));
        Ok(S3Response::new(output))
    }

    pub(super) async fn head(
        &self,
        req: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = as_get(req.input);
        let (_, _, output) = self.find(Caller::of(&req.extensions)?, input).await?;
        Ok(S3Response::new(without_body(output)))
    }

    /// Returns the object, the requested part of it, and the answer without its body.
    async fn find(
        &self,
        caller: &Caller,
        input: GetObjectInput,
    ) -> S3Result<(StoredObject, Bytes<u64>, GetObjectOutput)> {
        input.refuse_unsupported()?;
        let bucket = self.store.bucket(&input.bucket)?;
        let version = named_version(&bucket, input.version_id.as_deref())?;
        let object = self.open(caller, &bucket, &input.key, version).await?;
        let conditions = ReadConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        conditions.check(&object.head)?;
        let size = object.head.size;
        let part = input.range.map(|range| satisfy(range, size)).transpose()?;
        let wants_checksum = input
            .checksum_mode
            .is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
        let mut output = answer(&object.head, part.clone(), wants_checksum)?;
        output.version_id = bucket.version_id(&object.head);
        Ok((object, part.unwrap_or(0..size), output))
    }
}

fn satisfy(range: Range, size: u64) -> S3Result<Bytes<u64>> {
    range.check(size).map_err(|_| {
        let mut error = s3_error!(InvalidRange, "The requested range is not satisfiable");
        if let Ok(value) = format!("bytes */{size}").parse() {
            error.set_headers([(http::header::CONTENT_RANGE, value)].into_iter().collect());
        }
        error
    })
}

fn answer(
    head: &Head,
    part: Option<Bytes<u64>>,
    wants_checksum: bool,
) -> S3Result<GetObjectOutput> {
    let length = part
        .as_ref()
        .map_or(head.size, |part| part.end - part.start);
    // Checksums cover the whole object.
    let checksums = if wants_checksum && part.is_none() {
        head.checksums.clone()
    } else {
        Checksums::default()
    };
    let has_checksum = checksums != Checksums::default();
    let attributes = head.attributes.clone();
    Ok(GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: Some(length.try_into().map_err(S3Error::internal_error)?),
        content_range: part
            .map(|part| format!("bytes {}-{}/{}", part.start, part.end - 1, head.size)),
        e_tag: Some(ETag::Strong(head.etag.clone())),
        last_modified: Some(head.modified.last_modified()),
        metadata: attributes.metadata_dto(),
        server_side_encryption: Some(attributes.encryption_dto()),
        ssekms_key_id: attributes.kms_key_id,
        content_type: attributes.content_type,
        content_encoding: attributes.content_encoding,
        content_language: attributes.content_language,
        content_disposition: attributes.content_disposition,
        cache_control: attributes.cache_control,
        checksum_crc32: checksums.crc32,
        checksum_crc32c: checksums.crc32c,
        checksum_crc64nvme: checksums.crc64nvme,
        checksum_sha1: checksums.sha1,
        checksum_sha256: checksums.sha256,
        object_lock_mode: head
            .retention
            .map(|retention| ObjectLockMode::from_static(retention.mode.as_str())),
        object_lock_retain_until_date: head
            .retention
            .map(|retention| Timestamp::from(retention.until.time())),
        checksum_type: has_checksum.then(|| ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
        ..GetObjectOutput::default()
    })
}

fn as_get(input: HeadObjectInput) -> GetObjectInput {
    GetObjectInput {
        bucket: input.bucket,
        key: input.key,
        range: input.range,
        checksum_mode: input.checksum_mode,
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
        part_number: input.part_number,
        version_id: input.version_id,
        sse_customer_algorithm: input.sse_customer_algorithm,
        ..GetObjectInput::default()
    }
}

fn without_body(output: GetObjectOutput) -> HeadObjectOutput {
    HeadObjectOutput {
        accept_ranges: output.accept_ranges,
        content_length: output.content_length,
        content_range: output.content_range,
        e_tag: output.e_tag,
        last_modified: output.last_modified,
        metadata: output.metadata,
        server_side_encryption: output.server_side_encryption,
        ssekms_key_id: output.ssekms_key_id,
        content_type: output.content_type,
        content_encoding: output.content_encoding,
        content_language: output.content_language,
        content_disposition: output.content_disposition,
        cache_control: output.cache_control,
        checksum_crc32: output.checksum_crc32,
        checksum_crc32c: output.checksum_crc32c,
        checksum_crc64nvme: output.checksum_crc64nvme,
        checksum_sha1: output.checksum_sha1,
        checksum_sha256: output.checksum_sha256,
        checksum_type: output.checksum_type,
        version_id: output.version_id,
        object_lock_mode: output.object_lock_mode,
        object_lock_retain_until_date: output.object_lock_retain_until_date,
        ..HeadObjectOutput::default()
    }
}
