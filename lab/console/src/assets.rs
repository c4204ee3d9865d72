//! Style sheets and scripts, embedded in the program and served under URLs that change with their content.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Name, type, content.
const ASSETS: [(&str, &str, &str); 5] = [
    ("console.css", CSS, include_str!("../assets/console.css")),
    ("console.js", SCRIPT, include_str!("../assets/console.js")),
    (
        "uplot.css",
        CSS,
        include_str!("../assets/vendor/uPlot.min.css"),
    ),
    (
        "uplot.js",
        SCRIPT,
        include_str!("../assets/vendor/uPlot.iife.min.js"),
    ),
    (
        "idiomorph.js",
        SCRIPT,
        include_str!("../assets/vendor/idiomorph.min.js"),
    ),
];

static BASE: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    ASSETS.hash(&mut hasher);
    format!("/assets/{:016x}", hasher.finish())
});

/// Prefix of the assets' URLs.
pub fn base() -> &'static str {
    &BASE
}

pub async fn get(Path((_, name)): Path<(String, String)>) -> Response {
    let asset = ASSETS.iter().find(|(known, ..)| *known == name);
    let Some((_, kind, content)) = asset else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, *kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, *content).into_response()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    #[test]
    fn the_libraries_are_the_files_that_their_authors_published() {
        let listed = include_str!("../assets/vendor/README.md");
        let files = [
            (
                "uPlot.min.css",
                include_str!("../assets/vendor/uPlot.min.css"),
            ),
            (
                "uPlot.iife.min.js",
                include_str!("../assets/vendor/uPlot.iife.min.js"),
            ),
            (
                "idiomorph.min.js",
                include_str!("../assets/vendor/idiomorph.min.js"),
            ),
        ];
        for (name, content) in files {
            let hash = hex::encode(Sha256::digest(content));
            let row = format!("| `{name}` | `{hash}` |");
            assert!(listed.contains(&row), "{row}");
        }
    }
}
