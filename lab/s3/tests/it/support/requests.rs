//! Requests to the pipeline's bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::delete_object::builders::DeleteObjectFluentBuilder;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::head_object::builders::HeadObjectFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;

use super::BUCKET;

/// Builders of requests for one object.
pub trait Requests {
    fn put_key(&self, key: impl Into<String>) -> PutObjectFluentBuilder;
    fn get_key(&self, key: impl Into<String>) -> GetObjectFluentBuilder;
    fn head_key(&self, key: impl Into<String>) -> HeadObjectFluentBuilder;
    fn delete_key(&self, key: impl Into<String>) -> DeleteObjectFluentBuilder;
}

impl Requests for Client {
    fn put_key(&self, key: impl Into<String>) -> PutObjectFluentBuilder {
        self.put_object().bucket(BUCKET).key(key)
    }

    fn get_key(&self, key: impl Into<String>) -> GetObjectFluentBuilder {
        self.get_object().bucket(BUCKET).key(key)
    }

    fn head_key(&self, key: impl Into<String>) -> HeadObjectFluentBuilder {
        self.head_object().bucket(BUCKET).key(key)
    }

    fn delete_key(&self, key: impl Into<String>) -> DeleteObjectFluentBuilder {
        self.delete_object().bucket(BUCKET).key(key)
    }
}

/// A PUT as the app tier makes it.
pub fn app_put(client: &Client, key: &str, body: impl Into<Vec<u8>>) -> PutObjectFluentBuilder {
    let request = client.put_key(key).body(ByteStream::from(body.into()));
    request.server_side_encryption(ServerSideEncryption::Aes256)
}

/// Puts as the app tier does, or panics.
pub async fn put(client: &Client, key: &str, body: impl Into<Vec<u8>>) {
    app_put(client, key, body).send().await.unwrap();
}

/// Gets the whole body, or panics.
pub async fn get(client: &Client, key: &str) -> Vec<u8> {
    let output = client.get_key(key).send().await.unwrap();
    output.body.collect().await.unwrap().to_vec()
}

/// Returns every key of the bucket.
pub async fn keys(client: &Client) -> Vec<String> {
    let list = client.list_objects_v2().bucket(BUCKET);
    let pages = list.into_paginator().send().try_collect().await.unwrap();
    let objects = pages
        .into_iter()
        .flat_map(|page| page.contents.unwrap_or_default());
    objects.map(|object| object.key.unwrap()).collect()
}
