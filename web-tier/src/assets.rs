//! Style sheets and scripts: part of the program, under addresses that change with their content.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, StatusCode};
use http_service::http::Refusal;
use payment_core::ErrorCode;

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Name, type, content.
const ASSETS: [(&str, &str, &str); 12] = [
    ("pay.css", CSS, include_str!("../assets/pay.css")),
    ("docs.css", CSS, include_str!("../assets/docs.css")),
    ("pay.js", SCRIPT, include_str!("../assets/pay.js")),
    ("card.js", SCRIPT, include_str!("../assets/card.js")),
    ("form.js", SCRIPT, include_str!("../assets/form.js")),
    ("kept.js", SCRIPT, include_str!("../assets/kept.js")),
    ("payment.js", SCRIPT, include_str!("../assets/payment.js")),
    ("progress.js", SCRIPT, include_str!("../assets/progress.js")),
    ("receipt.js", SCRIPT, include_str!("../assets/receipt.js")),
    ("rules.js", SCRIPT, include_str!("../assets/rules.js")),
    ("server.js", SCRIPT, include_str!("../assets/server.js")),
    ("words.js", SCRIPT, include_str!("../assets/words.js")),
];

/// `/assets/` and the version of all of them, since they refer to one another.
static BASE: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    ASSETS.hash(&mut hasher);
    format!("/assets/{:016x}", hasher.finish())
});

/// What the addresses of assets start with.
pub fn base() -> &'static str {
    &BASE
}

/// Another version is asked for while servers are replaced: the answer is this one's, and is not kept.
pub async fn get(
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let asset = path.ok().and_then(|Path((version, name))| {
        let asset = ASSETS.iter().find(|(known, ..)| *known == name)?;
        Some((version, asset))
    });
    let Some((version, (_, kind, content))) = asset else {
        return Err(Refusal::new(ErrorCode::NotFound, "there is no such asset"));
    };
    let own = base().trim_start_matches("/assets/");
    let tag = format!("\"{own}\"");
    let cache = if version == own {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let is_known = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known == tag.as_str());
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        content.into_response()
    };
    let kept = response.headers_mut();
    kept.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    kept.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    kept.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        kept.insert(ETAG, tag);
    }
    Ok(response)
}
