//! What programs may ask of this tier: one description, as `/openapi.json` and as a page.
//!
//! It is made from what decides: limits, codes and currencies are those of `payment-core`. Each example is run by a test.

mod description;
mod examples;
mod schema;

use std::sync::LazyLock;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use payment_core::ErrorCode;
use serde_json::Value;

pub use self::examples::{BATCH, Example, PAY};
use crate::{assets, page};

/// Made once: it never changes while the program runs.
static JSON: LazyLock<String> = LazyLock::new(|| description::openapi().to_string());

/// Serves the description of the interface as JSON.
pub async fn json() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, JSON.as_str())
}

/// The description as a value.
pub fn openapi() -> Value {
    description::openapi()
}

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    assets: &'static str,
    version: &'static str,
    members: Vec<[String; 2]>,
    examples: &'static [Example],
    batch: [&'static str; 2],
    codes: Vec<(u16, &'static str, &'static str)>,
}

/// Serves the page that describes the interface.
pub async fn page() -> Response {
    page::render(&DocsPage {
        assets: assets::base(),
        version: env!("CARGO_PKG_VERSION"),
        members: schema::members(),
        examples: PAY,
        batch: BATCH,
        codes: ErrorCode::ALL.map(ErrorCode::parts).into(),
    })
}
