//! Operations on buckets.

use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput,
    GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput,
    ListBucketsOutput, Timestamp,
};
use s3s::{S3Response, S3Result, s3_error};

use super::Ops;

/// Most buckets of an account, which was S3's default quota for years.
const MAX_BUCKETS: usize = 100;

impl Ops {
    pub(super) fn all_buckets(&self) -> S3Response<ListBucketsOutput> {
        let buckets = self.store.buckets();
        let buckets = buckets.iter().map(|bucket| Bucket {
            name: Some(bucket.name.clone()),
            creation_date: Some(Timestamp::from(bucket.created)),
            bucket_region: None,
        });
        S3Response::new(ListBucketsOutput {
            buckets: Some(buckets.collect()),
            ..ListBucketsOutput::default()
        })
    }

    pub(super) fn bucket_head(
        &self,
        input: &HeadBucketInput,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.store.bucket(&input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput {
            bucket_region: Some(self.region.clone()),
            ..HeadBucketOutput::default()
        }))
    }

    pub(super) fn bucket_location(
        &self,
        input: &GetBucketLocationInput,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.store.bucket(&input.bucket)?;
        // S3's first region has no name here.
        let region = (self.region != "us-east-1")
            .then(|| BucketLocationConstraint::from(self.region.clone()));
        Ok(S3Response::new(GetBucketLocationOutput {
            location_constraint: region,
        }))
    }

    pub(super) async fn new_bucket(
        &self,
        input: CreateBucketInput,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        if self.store.bucket(&input.bucket).is_ok() {
            return Err(s3_error!(
                BucketAlreadyOwnedByYou,
                "You already own a bucket of that name"
            ));
        }
        if self.store.buckets().len() >= MAX_BUCKETS {
            return Err(s3_error!(
                TooManyBuckets,
                "The lab holds at most {MAX_BUCKETS} buckets"
            ));
        }
        self.store.open_bucket(&input.bucket, None).await?;
        Ok(S3Response::new(CreateBucketOutput {
            location: Some(format!("/{}", input.bucket)),
        }))
    }
}
