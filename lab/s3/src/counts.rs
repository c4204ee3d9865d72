//! Requests since the start, as S3 would bill them: without those that failed on the server's side.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use http::StatusCode;
use serde_json::json;

use crate::fault::ObjectRequest;

pub const PATH: &str = "/_lab/requests";

#[derive(Debug, Default)]
pub struct Counts {
    puts: AtomicU64,
    gets: AtomicU64,
}

impl Counts {
    pub fn add(&self, target: Option<ObjectRequest>, status: StatusCode) {
        let count = match target {
            _ if status.is_server_error() => return,
            Some(ObjectRequest::Put { .. }) => &self.puts,
            Some(ObjectRequest::Get) => &self.gets,
            _ => return,
        };
        count.fetch_add(1, Relaxed);
    }

    pub fn to_json(&self) -> String {
        let Self { puts, gets } = self;
        json!({"puts": puts.load(Relaxed), "gets": gets.load(Relaxed)}).to_string()
    }
}
