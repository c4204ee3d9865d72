//! CPU time to find the client of a Bearer key, beside the same loop without the look-up:
//! `cargo run --release -p clients --example bearer_cost`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::time::Instant;

use clients::Registry;
use clients::bearer::{KeyHash, new_key};
use clients::signature::Message;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, Uri};
use payment_core::Timestamp;
use time::OffsetDateTime;

const CLIENTS: usize = 200;
const ROUNDS: usize = 5;
const REQUESTS: u32 = 200_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut file, mut key) = (String::new(), String::new());
    for client in 0..CLIENTS {
        key = new_key().map_err(|_| "no random bytes")?;
        let hash = KeyHash::of(&key);
        write!(
            file,
            "[[clients.c{client}.keys]]\nid = \"k{client}\"\nsha256 = \"{hash}\"\ncreated = 2026-01-01T00:00:00Z\n\
             expires = 2100-01-01T00:00:00Z\n"
        )?;
    }
    let registry = Registry::parse(&file)?;
    let value = HeaderValue::from_str(&format!("Bearer {key}"))?;
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let uri = Uri::from_static("/pay");
    let message = Message {
        method: &Method::POST,
        uri: &uri,
        headers: &headers,
    };
    for _ in 0..ROUNDS {
        let with = each(|| {
            let now = Timestamp::new(OffsetDateTime::now_utc());
            registry.authenticate(black_box(&message), now).is_some()
        });
        let without = each(|| black_box(&message).headers.contains_key(AUTHORIZATION));
        writeln!(io::stdout(), "{with} ns with, {without} ns without")?;
    }
    Ok(())
}

/// Nanoseconds of one call.
fn each(call: impl Fn() -> bool) -> u128 {
    let began = Instant::now();
    for _ in 0..REQUESTS {
        assert!(black_box(call()));
    }
    began.elapsed().as_nanos() / u128::from(REQUESTS)
}
