//! The file of one object: its metadata in front of its bytes.
//!
//! ```text
//! "lab-s3/1"   length of the head, u32 little-endian   head, JSON   body
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream};
use serde::{Deserialize, Serialize};

use super::retention::Retention;
use crate::clock::Stamp;

const MAGIC: &[u8; 8] = b"lab-s3/1";

/// Limits what a damaged file can make the reader allocate.
const MAX_HEAD: u32 = 1 << 20;

/// Bytes per read.
const CHUNK: u64 = 256 * 1024;

/// Everything about an object except its key and its bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Without quotes: the MD5 in hex, or that of the parts with their number.
    pub etag: String,
    /// Length of the body in bytes.
    pub size: u64,
    pub modified: Stamp,
    pub attributes: Attributes,
    pub checksums: Checksums,
    /// Object Lock, in a bucket that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

/// Attributes that the writer sets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attributes {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub content_disposition: Option<String>,
    pub cache_control: Option<String>,
    /// `x-amz-server-side-encryption`. The lab stores the name, but encrypts nothing.
    pub encryption: String,
    pub kms_key_id: Option<String>,
    /// `x-amz-meta-…`, without that prefix.
    pub metadata: BTreeMap<String, String>,
}

/// Checksums of the whole body, in base64.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checksums {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc32: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc32c: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Head {
    /// Returns the head in its file format.
    pub fn encode(&self) -> io::Result<Bytes> {
        let json = serde_json::to_vec(self)?;
        let length = u32::try_from(json.len()).map_err(io::Error::other)?;
        Ok([MAGIC.as_slice(), &length.to_le_bytes(), &json]
            .concat()
            .into())
    }

    /// Reads the head, and leaves `file` positioned at the body.
    fn read(file: &mut File) -> io::Result<Self> {
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why);
        let mut preamble = [0; 12];
        file.read_exact(&mut preamble)?;
        let (magic, length) = preamble.split_at(MAGIC.len());
        let length = u32::from_le_bytes(length.try_into().map_err(io::Error::other)?);
        if magic != MAGIC || length > MAX_HEAD {
            return Err(invalid("no head of an object"));
        }
        let mut json = Vec::new();
        file.take(u64::from(length)).read_to_end(&mut json)?;
        Ok(serde_json::from_slice(&json)?)
    }
}

/// An object that is open for reading. Unaffected by later writes and deletes of its key.
#[derive(Debug)]
pub struct StoredObject {
    pub head: Head,
    body: Body,
}

/// Position of the body in the file.
#[derive(Clone, Debug)]
struct Body {
    file: Arc<File>,
    start: u64,
}

impl StoredObject {
    /// Opens an object. Blocks.
    pub fn open(mut file: File) -> io::Result<Self> {
        let head = Head::read(&mut file)?;
        let start = io::Seek::stream_position(&mut file)?;
        if file.metadata()?.len() != start + head.size {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the body's length does not match its head",
            ));
        }
        Ok(Self {
            head,
            body: Body {
                file: Arc::new(file),
                start,
            },
        })
    }

    /// Returns the bytes of `range` in chunks.
    pub fn read(&self, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + use<> {
        stream::try_unfold((self.body.clone(), range), |(body, left)| async move {
            if left.is_empty() {
                return Ok(None);
            }
            let chunk = left.start..left.end.min(left.start + CHUNK);
            let rest = chunk.end..left.end;
            let reader = body.clone();
            let bytes = tokio::task::spawn_blocking(move || reader.chunk(chunk)).await??;
            Ok(Some((bytes, (body, rest))))
        })
    }
}

impl Body {
    fn chunk(&self, range: Range<u64>) -> io::Result<Bytes> {
        let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, self.start + range.start)?;
        Ok(bytes.into())
    }
}
