//! The body of a write: received completely and verified before any of it is stored.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::stream::StreamExt;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{Checksum, PutObjectInput, StreamingBlob, UploadPartInput};
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};

use crate::store::Checksums;

/// Largest PUT or part, in bytes.
pub const MAX_BODY: usize = 64 * 1024 * 1024;

/// Bodies up to this size are hashed inline; larger ones on a thread for blocking work.
const HASHED_INLINE: usize = 1024 * 1024;

/// What the client claims about the body.
pub struct Claims {
    content_md5: Option<String>,
    checksums: Checksums,
}

/// Takes the claims out of an input. The inputs have the same members, but no common type.
macro_rules! claims_from {
    ($($input:ty),+) => {$(
        impl From<&mut $input> for Claims {
            fn from(input: &mut $input) -> Self {
                let checksums = Checksums {
                    crc32: input.checksum_crc32.take(),
                    crc32c: input.checksum_crc32c.take(),
                    crc64nvme: input.checksum_crc64nvme.take(),
                    sha1: input.checksum_sha1.take(),
                    sha256: input.checksum_sha256.take(),
                };
                Self { content_md5: input.content_md5.take(), checksums }
            }
        }
    )+};
}

claims_from!(PutObjectInput, UploadPartInput);

/// A body that matches its claims.
pub struct Verified {
    pub chunks: Vec<Bytes>,
    pub size: u64,
    pub md5: [u8; 16],
    /// The checksums that were claimed, or else CRC64NVME, S3's default since 2024.
    pub checksums: Checksums,
}

impl Verified {
    /// Receives and verifies a body. `trailers` are the checksums that follow it.
    pub async fn receive(
        body: Option<StreamingBlob>,
        claims: Claims,
        trailers: Option<TrailingHeaders>,
    ) -> S3Result<Self> {
        let chunks = collect(body).await?;
        let Claims {
            content_md5,
            mut checksums,
        } = claims;
        if let Some(trailers) = trailers {
            checksums.add_trailers(&trailers);
        }
        let length: usize = chunks.iter().map(Bytes::len).sum();
        let verified = if length <= HASHED_INLINE {
            Self::new(chunks, &checksums)
        } else {
            let claimed = checksums.clone();
            let hashed = tokio::task::spawn_blocking(move || Self::new(chunks, &claimed)).await;
            hashed.map_err(S3Error::internal_error)?
        };
        verified.check(content_md5.as_deref(), &checksums)?;
        Ok(verified)
    }

    pub fn etag(&self) -> String {
        hex::encode(self.md5)
    }

    fn new(chunks: Vec<Bytes>, claimed: &Checksums) -> Self {
        let mut hasher = claimed.hasher();
        let mut md5 = Md5::new();
        for chunk in &chunks {
            hasher.update(chunk);
            md5.update(chunk);
        }
        let size = chunks
            .iter()
            .map(|chunk| u64::try_from(chunk.len()).unwrap_or(u64::MAX))
            .sum();
        Self {
            size,
            md5: md5.finalize(),
            checksums: hasher.finalize().into(),
            chunks,
        }
    }

    fn check(&self, content_md5: Option<&str>, claimed: &Checksums) -> S3Result<()> {
        if let Some(claimed) = content_md5 {
            let decoded = BASE64_STANDARD
                .decode(claimed)
                .ok()
                .filter(|md5| md5.len() == self.md5.len());
            let decoded = decoded.ok_or_else(|| {
                s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid.")
            })?;
            if decoded != self.md5 {
                return Err(s3_error!(
                    BadDigest,
                    "The Content-MD5 you specified did not match what we received."
                ));
            }
        }
        if *claimed != Checksums::default() && *claimed != self.checksums {
            return Err(s3_error!(
                BadDigest,
                "The checksum you specified did not match the calculated checksum."
            ));
        }
        Ok(())
    }
}

/// The request's body is in memory already, within [`MAX_BODY`]; only its signature can still be wrong.
async fn collect(body: Option<StreamingBlob>) -> S3Result<Vec<Bytes>> {
    let mut chunks = Vec::new();
    let Some(mut body) = body else {
        return Ok(chunks);
    };
    while let Some(chunk) = body.next().await {
        chunks.push(chunk.map_err(|source| {
            let mut error = S3Error::with_message(
                S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()),
                "The body does not match its length, its x-amz-content-sha256 or its chunks' signatures.",
            );
            error.set_status_code(http::StatusCode::BAD_REQUEST);
            error.set_source(source);
            error
        })?);
    }
    Ok(chunks)
}

impl Checksums {
    fn hasher(&self) -> ChecksumHasher {
        let none = *self == Self::default();
        ChecksumHasher {
            crc32: self.crc32.is_some().then(Crc32::new),
            crc32c: self.crc32c.is_some().then(Crc32c::new),
            crc64nvme: (none || self.crc64nvme.is_some()).then(Crc64Nvme::new),
            sha1: self.sha1.is_some().then(Sha1::new),
            sha256: self.sha256.is_some().then(Sha256::new),
        }
    }

    fn add_trailers(&mut self, trailers: &TrailingHeaders) {
        trailers.read(|headers| {
            let get = |name| {
                headers
                    .get(name)
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned)
            };
            self.crc32 = get("x-amz-checksum-crc32").or(self.crc32.take());
            self.crc32c = get("x-amz-checksum-crc32c").or(self.crc32c.take());
            self.crc64nvme = get("x-amz-checksum-crc64nvme").or(self.crc64nvme.take());
            self.sha1 = get("x-amz-checksum-sha1").or(self.sha1.take());
            self.sha256 = get("x-amz-checksum-sha256").or(self.sha256.take());
        });
    }
}

impl From<Checksum> for Checksums {
    fn from(from: Checksum) -> Self {
        Self {
            crc32: from.checksum_crc32,
            crc32c: from.checksum_crc32c,
            crc64nvme: from.checksum_crc64nvme,
            sha1: from.checksum_sha1,
            sha256: from.checksum_sha256,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Checksums, Claims, StreamingBlob, Verified};

    async fn receive(content_md5: Option<&str>, checksums: Checksums) -> Result<Verified, String> {
        let body = StreamingBlob::from(s3s::Body::from(Bytes::from_static(b"hello")));
        let claims = Claims {
            content_md5: content_md5.map(str::to_owned),
            checksums,
        };
        let received = Verified::receive(Some(body), claims, None).await;
        received.map_err(|error| error.code().as_str().to_owned())
    }

    #[tokio::test]
    async fn a_body_must_match_every_claim() {
        let crc32 = |value: &str| Checksums {
            crc32: Some(value.to_owned()),
            ..Checksums::default()
        };
        let both = |crc32c: &str| Checksums {
            crc32c: Some(crc32c.to_owned()),
            ..crc32("NhCmhg==")
        };
        let cases = [
            (None, Checksums::default(), Ok(())),
            (Some("XUFAKrxLKna5cZ2REBfFkg=="), crc32("NhCmhg=="), Ok(())),
            (
                Some("XUFAKrxLKna5cZ2REBfFkQ=="),
                Checksums::default(),
                Err("BadDigest"),
            ),
            (
                Some("XUFAKrxLKna5"),
                Checksums::default(),
                Err("InvalidDigest"),
            ),
            (
                Some("not base64"),
                Checksums::default(),
                Err("InvalidDigest"),
            ),
            (None, crc32("NhCmhh=="), Err("BadDigest")),
            (None, both("mnG7TA=="), Ok(())),
            (None, both("AAAAAA=="), Err("BadDigest")),
        ];
        for (md5, checksums, expected) in cases {
            let shown = format!("{md5:?} {checksums:?}");
            let result = receive(md5, checksums).await.map(|_| ());
            assert_eq!(result, expected.map_err(str::to_owned), "{shown}");
        }
    }

    #[tokio::test]
    async fn a_body_without_claims_gets_a_crc64nvme() {
        let verified = receive(None, Checksums::default()).await.unwrap();
        assert_eq!(verified.etag(), "5d41402abc4b2a76b9719d911017c592");
        assert!(verified.checksums.crc64nvme.is_some() && verified.checksums.crc32.is_none());
    }
}
