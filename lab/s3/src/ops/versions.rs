//! Versions of objects, and Object Lock.

use s3s::dto::{
    BucketVersioningStatus, DefaultRetention, DeleteMarkerEntry, ETag, GetBucketVersioningInput,
    GetBucketVersioningOutput, GetObjectLockConfigurationInput, GetObjectLockConfigurationOutput,
    GetObjectRetentionInput, GetObjectRetentionOutput, ListObjectVersionsInput,
    ListObjectVersionsOutput, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetention,
    ObjectLockRetentionMode, ObjectLockRule, ObjectVersion, ObjectVersionStorageClass, Timestamp,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Ops;
use super::list::{Encoding, MAX_KEYS, limit};
use crate::access::Caller;
use crate::clock::Stamp;
use crate::store::{Bucket, Entry, ListedVersion, RetentionMode, StoredObject, VersionMarker};

impl Ops {
    pub(super) fn bucket_versioning(
        &self,
        input: &GetBucketVersioningInput,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        let bucket = self.store.bucket(&input.bucket)?;
        let enabled = BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED);
        Ok(S3Response::new(GetBucketVersioningOutput {
            status: bucket.versioned.then_some(enabled),
            ..GetBucketVersioningOutput::default()
        }))
    }

    pub(super) fn lock_configuration(
        &self,
        input: &GetObjectLockConfigurationInput,
    ) -> S3Result<S3Response<GetObjectLockConfigurationOutput>> {
        let Some(retention) = self.store.bucket(&input.bucket)?.retention else {
            return Err(s3_error!(
                ObjectLockConfigurationNotFoundError,
                "Object Lock configuration does not exist for this bucket"
            ));
        };
        let rule = ObjectLockRule {
            default_retention: Some(DefaultRetention {
                days: Some(retention.days.get().into()),
                mode: Some(retention_mode(retention.mode)),
                years: None,
            }),
        };
        Ok(S3Response::new(GetObjectLockConfigurationOutput {
            object_lock_configuration: Some(ObjectLockConfiguration {
                object_lock_enabled: Some(ObjectLockEnabled::from_static(
                    ObjectLockEnabled::ENABLED,
                )),
                rule: Some(rule),
            }),
        }))
    }

    pub(super) async fn object_retention(
        &self,
        req: S3Request<GetObjectRetentionInput>,
    ) -> S3Result<S3Response<GetObjectRetentionOutput>> {
        let caller = Caller::of(&req.extensions)?;
        let bucket = self.store.bucket(&req.input.bucket)?;
        let version = named_version(&bucket, req.input.version_id.as_deref())?;
        let object = self.open(caller, &bucket, &req.input.key, version).await?;
        let Some(retention) = object.head.retention else {
            return Err(s3_error!(
                NoSuchObjectLockConfiguration,
                "The specified object does not have a ObjectLock configuration"
            ));
        };
        Ok(S3Response::new(GetObjectRetentionOutput {
            retention: Some(ObjectLockRetention {
                mode: Some(retention_mode(retention.mode)),
                retain_until_date: Some(Timestamp::from(retention.until.time())),
            }),
        }))
    }

    pub(super) fn list_versions(
        &self,
        input: ListObjectVersionsInput,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let bucket = self.store.bucket(&input.bucket)?;
        if !bucket.versioned || input.delimiter.is_some() {
            return Err(s3_error!(
                NotImplemented,
                "Versions are listed without a delimiter, in a bucket with Object Lock"
            ));
        }
        let encoding = Encoding::of(input.encoding_type);
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let after = marker(
            &bucket,
            input.key_marker.as_deref(),
            input.version_id_marker.as_deref(),
        )?;
        let (page, more) = bucket.list_versions(prefix, after.as_ref(), limit(input.max_keys)?);
        let next = page.last().filter(|_| more);
        let next_key_marker = next.map(|last| encoding.apply(&last.key));
        let next_version_id_marker = next.map(|last| last.version.id.to_string());
        let prefix = encoding.apply(prefix);
        let (mut versions, mut delete_markers) = (Vec::new(), Vec::new());
        for ListedVersion {
            key,
            version,
            is_latest,
        } in page
        {
            let key = encoding.apply(&key);
            match version.entry {
                Some(entry) => versions.push(listed(key, entry, is_latest)),
                None => delete_markers.push(DeleteMarkerEntry {
                    key: Some(key),
                    version_id: Some(version.id.to_string()),
                    is_latest: Some(is_latest),
                    last_modified: Some(version.id.last_modified()),
                    owner: None,
                }),
            }
        }
        Ok(S3Response::new(ListObjectVersionsOutput {
            name: Some(input.bucket),
            prefix: Some(prefix),
            key_marker: encoding.apply_to(input.key_marker),
            version_id_marker: input.version_id_marker,
            max_keys: Some(input.max_keys.unwrap_or(MAX_KEYS)),
            is_truncated: Some(more),
            next_key_marker,
            next_version_id_marker,
            versions: Some(versions),
            delete_markers: Some(delete_markers),
            encoding_type: encoding.0,
            ..ListObjectVersionsOutput::default()
        }))
    }

    /// Opens the version that a request names, or the current object.
    pub(super) async fn open(
        &self,
        caller: &Caller,
        bucket: &Bucket,
        key: &str,
        version: Option<Stamp>,
    ) -> S3Result<StoredObject> {
        if let Some(id) = version {
            return Ok(bucket.read_version(key, id).await?);
        }
        let found = bucket.read(key).await?;
        found.ok_or_else(|| self.access.absent_object(caller, &bucket.name, key))
    }
}

/// Returns the version that a request names.
pub fn named_version(bucket: &Bucket, id: Option<&str>) -> S3Result<Option<Stamp>> {
    let Some(id) = id else { return Ok(None) };
    if !bucket.versioned {
        return Err(s3_error!(
            NotImplemented,
            "versionId is supported only in a bucket with Object Lock"
        ));
    }
    match id.parse() {
        Ok(id) => Ok(Some(id)),
        Err(_) => Err(s3_error!(
            InvalidArgument,
            "Invalid version id specified: {id}"
        )),
    }
}

fn marker(bucket: &Bucket, key: Option<&str>, id: Option<&str>) -> S3Result<Option<VersionMarker>> {
    let id = named_version(bucket, id.filter(|id| !id.is_empty()))?;
    match key.filter(|key| !key.is_empty()) {
        Some(key) => Ok(Some(VersionMarker {
            key: key.to_owned(),
            id,
        })),
        None if id.is_some() => Err(s3_error!(
            InvalidArgument,
            "A version-id marker cannot be specified without a key marker."
        )),
        None => Ok(None),
    }
}

fn listed(key: String, entry: Entry, is_latest: bool) -> ObjectVersion {
    ObjectVersion {
        key: Some(key),
        version_id: Some(entry.modified.to_string()),
        is_latest: Some(is_latest),
        e_tag: Some(ETag::Strong(entry.etag)),
        size: i64::try_from(entry.size).ok(),
        last_modified: Some(entry.modified.last_modified()),
        storage_class: Some(ObjectVersionStorageClass::from_static(
            ObjectVersionStorageClass::STANDARD,
        )),
        ..ObjectVersion::default()
    }
}

fn retention_mode(mode: RetentionMode) -> ObjectLockRetentionMode {
    ObjectLockRetentionMode::from_static(mode.as_str())
}
