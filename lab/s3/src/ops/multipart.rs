//! Multipart uploads.

use std::sync::Arc;

use futures::StreamExt;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Ops;
use super::body::{Claims, Verified};
use super::commit::{Condition, Draft, origin};
use super::unsupported::Request;
use crate::notify::EventName;
use crate::store::{Attributes, Checksums, Content, Part, Upload, concatenate};

/// Smallest size of every part but the last, in bytes.
const MIN_PART: u64 = 5 * 1024 * 1024;
const MAX_PARTS: i32 = 10_000;

impl Ops {
    pub(super) fn begin_upload(
        &self,
        mut input: CreateMultipartUploadInput,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        input.refuse_unsupported()?;
        self.store.bucket(&input.bucket)?;
        let attributes = Attributes::from(&mut input);
        let upload = self.uploads.begin(input.bucket, input.key, attributes)?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(upload.bucket.clone()),
            key: Some(upload.key.clone()),
            upload_id: Some(upload.id.clone()),
            server_side_encryption: Some(upload.attributes.encryption_dto()),
            checksum_algorithm: input.checksum_algorithm,
            checksum_type: input.checksum_type,
            ..CreateMultipartUploadOutput::default()
        }))
    }

    pub(super) async fn put_part(
        &self,
        req: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let mut input = req.input;
        let upload = self
            .uploads
            .of(&input.upload_id, &input.bucket, &input.key)?;
        if !(1..=MAX_PARTS).contains(&input.part_number) {
            return Err(s3_error!(
                InvalidArgument,
                "Part number must be between 1 and {MAX_PARTS}"
            ));
        }
        let claims = Claims::from(&mut input);
        let body = Verified::receive(input.body, claims, req.trailing_headers).await?;
        let (etag, checksums) = (body.etag(), body.checksums.clone());
        upload
            .put(input.part_number, body.md5, body.checksums, body.chunks)
            .await?;
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(ETag::Strong(etag)),
            server_side_encryption: Some(upload.attributes.encryption_dto()),
            checksum_crc32: checksums.crc32,
            checksum_crc32c: checksums.crc32c,
            checksum_crc64nvme: checksums.crc64nvme,
            checksum_sha1: checksums.sha1,
            checksum_sha256: checksums.sha256,
            ..UploadPartOutput::default()
        }))
    }

    /// Completes an upload. The object has no checksum of its own: each part was checked when it arrived.
    pub(super) async fn complete_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let origin = origin(&req.extensions)?;
        let input = req.input;
        input.refuse_unsupported()?;
        let upload = self
            .uploads
            .of(&input.upload_id, &input.bucket, &input.key)?;
        let named = input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let parts = choose(&upload, &named)?;
        let bucket = self.store.bucket(&input.bucket)?;
        let draft = Draft {
            event: EventName::CompleteMultipartUpload,
            origin,
            bucket: Arc::clone(&bucket),
            key: input.key.clone(),
            condition: Condition {
                if_match: input.if_match,
                if_none_match: input.if_none_match,
            },
            attributes: upload.attributes.clone(),
            etag: etag(&parts),
            checksums: Checksums::default(),
            size: parts.iter().map(|part| part.size).sum(),
            content: Content::Stream(concatenate(parts).boxed()),
            forgettable: false,
        };
        let head = self.writer.commit(draft).await?;
        self.uploads.end(&upload).await?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            version_id: bucket.version_id(&head),
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            server_side_encryption: Some(head.attributes.encryption_dto()),
            e_tag: Some(ETag::Strong(head.etag)),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    pub(super) async fn abort_upload(
        &self,
        input: &AbortMultipartUploadInput,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let upload = self
            .uploads
            .of(&input.upload_id, &input.bucket, &input.key)?;
        self.uploads.end(&upload).await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

/// Returns the parts that the client names, if they exist, are in ascending order and large enough.
fn choose(upload: &Upload, named: &[CompletedPart]) -> S3Result<Vec<Part>> {
    if named.is_empty() {
        return Err(s3_error!(
            MalformedXML,
            "You must specify at least one part"
        ));
    }
    if !named.is_sorted_by(|a, b| a.part_number < b.part_number) {
        return Err(s3_error!(
            InvalidPartOrder,
            "The list of parts was not in ascending order."
        ));
    }
    let invalid = || {
        s3_error!(
            InvalidPart,
            "A part was not found, or its ETag or checksum did not match."
        )
    };
    let find = |named: &CompletedPart| {
        upload
            .part(named.part_number?)
            .filter(|part| agrees(named, part))
    };
    let parts: Option<Vec<_>> = named.iter().map(find).collect();
    let parts = parts.ok_or_else(invalid)?;
    if parts.iter().rev().skip(1).any(|part| part.size < MIN_PART) {
        return Err(s3_error!(
            EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size"
        ));
    }
    Ok(parts)
}

/// Whether what the client says about a part is correct.
fn agrees(named: &CompletedPart, part: &Part) -> bool {
    let same = |named: &Option<String>, own: &Option<String>| named.is_none() || named == own;
    let checksums = &part.checksums;
    named
        .e_tag
        .as_ref()
        .is_none_or(|etag| etag.value() == hex::encode(part.md5))
        && same(&named.checksum_crc32, &checksums.crc32)
        && same(&named.checksum_crc32c, &checksums.crc32c)
        && same(&named.checksum_crc64nvme, &checksums.crc64nvme)
        && same(&named.checksum_sha1, &checksums.sha1)
        && same(&named.checksum_sha256, &checksums.sha256)
}

/// Returns the MD5 of the parts' MD5s, with their number.
fn etag(parts: &[Part]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(&part.md5);
    }
    format!("{}-{}", hex::encode(md5.finalize()), parts.len())
}
