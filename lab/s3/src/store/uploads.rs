//! Incomplete multipart uploads. They do not survive the process.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use uuid::Uuid;

use super::error::StoreError;
use super::object::{Attributes, Checksums};

/// Most open uploads.
const MAX_UPLOADS: usize = 1000;

pub struct Uploads {
    directory: PathBuf,
    open: Mutex<HashMap<String, Arc<Upload>>>,
}

pub struct Upload {
    pub id: String,
    pub bucket: String,
    pub key: String,
    pub attributes: Attributes,
    directory: PathBuf,
    parts: Mutex<BTreeMap<i32, Part>>,
}

#[derive(Clone, Debug)]
pub struct Part {
    pub md5: [u8; 16],
    pub size: u64,
    pub checksums: Checksums,
    /// A part that is sent again gets a new file, so that a reader of the old one is not disturbed.
    file: PathBuf,
}

impl Uploads {
    /// Deletes what an earlier run left unfinished.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let directory = root.join("uploads");
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::io(&directory)(error));
            }
            _ => {}
        }
        fs::create_dir_all(&directory).map_err(StoreError::io(&directory))?;
        Ok(Self {
            directory,
            open: Mutex::default(),
        })
    }

    pub fn begin(
        &self,
        bucket: String,
        key: String,
        attributes: Attributes,
    ) -> Result<Arc<Upload>, StoreError> {
        let id = Uuid::now_v7().simple().to_string();
        let directory = self.directory.join(&id);
        let upload = Arc::new(Upload {
            id,
            bucket,
            key,
            attributes,
            directory,
            parts: Mutex::default(),
        });
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MAX_UPLOADS {
            return Err(StoreError::TooManyUploads { limit: MAX_UPLOADS });
        }
        fs::create_dir(&upload.directory).map_err(StoreError::io(&upload.directory))?;
        open.insert(upload.id.clone(), Arc::clone(&upload));
        Ok(upload)
    }

    pub fn find(&self, id: &str) -> Option<Arc<Upload>> {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }

    /// Returns the upload with that id to that object.
    pub fn of(&self, id: &str, bucket: &str, key: &str) -> Result<Arc<Upload>, StoreError> {
        self.find(id)
            .filter(|upload| upload.bucket == bucket && upload.key == key)
            .ok_or_else(|| StoreError::NoSuchUpload(id.to_owned()))
    }

    /// Removes an upload and its parts.
    pub async fn end(&self, upload: &Upload) -> Result<(), StoreError> {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&upload.id);
        let removed = tokio::fs::remove_dir_all(&upload.directory).await;
        removed.map_err(StoreError::io(&upload.directory))
    }
}

impl Upload {
    pub async fn put(
        &self,
        number: i32,
        md5: [u8; 16],
        checksums: Checksums,
        body: Vec<Bytes>,
    ) -> Result<(), StoreError> {
        let file = self.directory.join(Uuid::now_v7().simple().to_string());
        let bytes = body.concat();
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        tokio::fs::write(&file, bytes)
            .await
            .map_err(StoreError::io(&file))?;
        let part = Part {
            md5,
            size,
            checksums,
            file,
        };
        self.parts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number, part);
        Ok(())
    }

    pub fn part(&self, number: i32) -> Option<Part> {
        self.parts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&number)
            .cloned()
    }
}

/// Returns the bytes of `parts` in order, one part at a time.
pub fn concatenate(parts: Vec<Part>) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::iter(parts)
        .then(|part| async move { tokio::fs::read(part.file).await.map(Bytes::from) })
}
