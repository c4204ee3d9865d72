//! Object attributes from request headers.

use s3s::dto::{
    CopyObjectInput, CreateMultipartUploadInput, Metadata, PutObjectInput, ServerSideEncryption,
};

use crate::store::Attributes;

/// The type that S3 assumes if the writer names none.
const DEFAULT_TYPE: &str = "binary/octet-stream";

/// Takes the attributes out of an input. The inputs have the same members, but no common type.
macro_rules! attributes_from {
    ($($input:ty),+) => {$(
        impl From<&mut $input> for Attributes {
            fn from(input: &mut $input) -> Self {
                Self {
                    content_type: input.content_type.take().or_else(|| Some(DEFAULT_TYPE.to_owned())),
                    content_encoding: input.content_encoding.take(),
                    content_language: input.content_language.take(),
                    content_disposition: input.content_disposition.take(),
                    cache_control: input.cache_control.take(),
                    encryption: encryption(input.server_side_encryption.as_ref()),
                    kms_key_id: input.ssekms_key_id.take(),
                    metadata: input.metadata.take().unwrap_or_default().into_iter().collect(),
                }
            }
        }
    )+};
}

attributes_from!(PutObjectInput, CreateMultipartUploadInput, CopyObjectInput);

/// Returns the encryption: S3's own keys unless the writer names something else.
fn encryption(named: Option<&ServerSideEncryption>) -> String {
    named
        .map_or(ServerSideEncryption::AES256, ServerSideEncryption::as_str)
        .to_owned()
}

impl Attributes {
    pub fn encryption_dto(&self) -> ServerSideEncryption {
        self.encryption.clone().into()
    }

    pub fn metadata_dto(&self) -> Option<Metadata> {
        let metadata = self.metadata.clone();
        (!metadata.is_empty()).then(|| metadata.into_iter().collect())
    }
}
