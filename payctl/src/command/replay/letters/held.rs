//! The letters in our hands.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::queue::Letter;

/// Receipts of the letters, by their ids.
#[derive(Debug, Clone, Default)]
pub struct Held(Arc<Mutex<HashMap<String, String>>>);

impl Held {
    /// The letters that were not in our hands before. One that was has a new receipt, and the last one counts.
    pub fn take(&self, received: Vec<Letter>) -> Vec<Letter> {
        let mut held = self.lock();
        let is_new = |letter: &Letter| {
            held.insert(letter.id.clone(), letter.receipt.clone())
                .is_none()
        };
        received.into_iter().filter(is_new).collect()
    }

    pub fn forget(&self, id: &str) {
        self.lock().remove(id);
    }

    pub fn receipt(&self, id: &str) -> Option<String> {
        self.lock().get(id).cloned()
    }

    pub fn receipts(&self) -> Vec<String> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
