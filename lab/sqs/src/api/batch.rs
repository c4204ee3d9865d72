//! Rules and response format shared by the batch operations.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::error::ApiError;

const ENTRIES_MAX: usize = 10;

/// A batch of an operation whose entries are `E`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Batch<E> {
    pub queue_url: String,
    #[serde(default = "Vec::new")]
    pub entries: Vec<Entry<E>>,
}

#[derive(Debug, Deserialize)]
pub struct Entry<E> {
    #[serde(rename = "Id")]
    pub id: String,
    #[serde(flatten)]
    pub input: E,
}

/// Outcome of each entry.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Results<O> {
    successful: Vec<Successful<O>>,
    failed: Vec<Failed>,
}

#[derive(Debug, Serialize)]
struct Successful<O> {
    #[serde(rename = "Id")]
    id: String,
    #[serde(flatten)]
    output: O,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    id: String,
    sender_fault: bool,
    code: &'static str,
    message: String,
}

impl<E> Batch<E> {
    /// Validates the batch as a whole: a batch that breaks one of these rules is refused.
    pub fn check(&self) -> Result<(), ApiError> {
        if self.entries.is_empty() {
            return Err(ApiError::EmptyBatchRequest);
        }
        if self.entries.len() > ENTRIES_MAX {
            return Err(ApiError::TooManyEntriesInBatchRequest(self.entries.len()));
        }
        let mut ids = HashSet::new();
        for Entry { id, .. } in &self.entries {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if id.is_empty() || id.len() > 80 || !id.bytes().all(plain) {
                return Err(ApiError::InvalidBatchEntryId);
            }
            if !ids.insert(id) {
                return Err(ApiError::BatchEntryIdsNotDistinct);
            }
        }
        Ok(())
    }
}

impl<O> Results<O> {
    pub fn new() -> Self {
        Self {
            successful: Vec::new(),
            failed: Vec::new(),
        }
    }

    pub fn add(&mut self, id: String, result: Result<O, ApiError>) {
        match result {
            Ok(output) => self.successful.push(Successful { id, output }),
            Err(error) => self.failed.push(Failed {
                id,
                sender_fault: error.is_senders(),
                code: error.code(),
                message: error.to_string(),
            }),
        }
    }
}
