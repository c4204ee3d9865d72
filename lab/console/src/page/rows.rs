//! The rows, newest first.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;

use super::{Shell, encoded, page};
use crate::source::rows::{Row, SELECT};
use crate::state::Console;
use crate::text;

#[derive(Template)]
#[template(path = "rows.html")]
struct Page {
    shell: Shell,
    select: &'static str,
    found: Result<Vec<Row>, String>,
    rows: String,
    conflicts: String,
    about: String,
}

pub async fn show(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let (newest, conflicts) = tokio::join!(console.rows.newest(), console.rows.conflicts());
    let tools = &console.lab.settings.tools.database;
    page(&Page {
        shell: Shell::of("Database", &uri, &console),
        select: SELECT,
        found: newest.map_err(|away| away.to_string()),
        rows: match super::rows(&console) {
            (rows, Some(as_of)) => format!("{rows} rows {as_of}"),
            (rows, None) => format!("{rows} rows"),
        },
        conflicts: conflicts.map_or("–".to_owned(), text::count),
        about: match tools {
            Some(_) => format!(
                "the lab's own server on {}",
                console.lab.address(lab_runner::part::PartName::Mysql)
            ),
            None => "a server that was there before".to_owned(),
        },
    })
}

impl Row {
    fn href(&self) -> String {
        format!("/payments/{}", encoded(&self.payment_id))
    }
}

/// Formats a missing value as a terminal does.
#[expect(clippy::ref_option, reason = "as a template hands a member over")]
fn or_null(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("NULL")
}
