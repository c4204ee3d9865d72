//! `CopyObject`.

use std::sync::Arc;

use futures::StreamExt;
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag, MetadataDirective,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Ops;
use super::commit::{Condition, Draft, origin};
use super::conditions::ReadConditions;
use super::unsupported::Request;
use super::versions::named_version;
use crate::access::Caller;
use crate::notify::EventName;
use crate::store::{Attributes, Content, StoredObject};

impl Ops {
    /// Copies an object. The copy keeps its source's `ETag` and checksums, even those of a multipart upload.
    pub(super) async fn copy(
        &self,
        req: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let origin = origin(&req.extensions)?;
        let mut input = req.input;
        input.refuse_unsupported()?;
        let bucket = self.store.bucket(&input.bucket)?;
        let source = self
            .source(Caller::of(&req.extensions)?, &mut input)
            .await?;
        let attributes = attributes(&mut input, &source);
        let whole = source.read(0..source.head.size);
        let written = Arc::clone(&bucket);
        let draft = Draft {
            event: EventName::Copy,
            origin,
            bucket,
            key: input.key,
            condition: Condition {
                if_match: None,
                if_none_match: None,
            },
            attributes,
            size: source.head.size,
            etag: source.head.etag,
            checksums: source.head.checksums,
            content: Content::Stream(whole.boxed()),
            forgettable: false,
        };
        let head = self.writer.commit(draft).await?;
        Ok(S3Response::new(CopyObjectOutput {
            version_id: written.version_id(&head),
            server_side_encryption: Some(head.attributes.encryption_dto()),
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(ETag::Strong(head.etag)),
                last_modified: Some(head.modified.last_modified()),
                ..CopyObjectResult::default()
            }),
            ..CopyObjectOutput::default()
        }))
    }

    async fn source(&self, caller: &Caller, input: &mut CopyObjectInput) -> S3Result<StoredObject> {
        let CopySource::Bucket {
            bucket,
            key,
            version_id,
        } = &input.copy_source
        else {
            return Err(s3_error!(
                NotImplemented,
                "Only bucket/key is supported as a copy's source"
            ));
        };
        let bucket = self.store.bucket(bucket)?;
        let version = named_version(&bucket, version_id.as_deref())?;
        let object = self.open(caller, &bucket, key, version).await?;
        let conditions = ReadConditions {
            if_match: input.copy_source_if_match.take(),
            if_none_match: input.copy_source_if_none_match.take(),
            if_modified_since: input.copy_source_if_modified_since.take(),
            if_unmodified_since: input.copy_source_if_unmodified_since.take(),
        };
        match conditions.check(&object.head) {
            Ok(()) => Ok(object),
            Err(_) => Err(s3_error!(
                PreconditionFailed,
                "A condition on the copy's source did not hold"
            )),
        }
    }
}

/// Returns the source's attributes, unless the request replaces them; encryption is always the request's.
fn attributes(input: &mut CopyObjectInput, source: &StoredObject) -> Attributes {
    let replace = MetadataDirective::from_static(MetadataDirective::REPLACE);
    let asked = Attributes::from(&mut *input);
    if input.metadata_directive == Some(replace) {
        return asked;
    }
    Attributes {
        encryption: asked.encryption,
        kms_key_id: asked.kms_key_id,
        ..source.head.attributes.clone()
    }
}
