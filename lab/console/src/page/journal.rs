//! The journal in S3: by day and hour, and the payments inside an object.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use payment_core::record::Line;
use payment_core::{Currency, ObjectKey, Timestamp};
use time::OffsetDateTime;

use super::{Shell, encoded, page, parameter};
use crate::source::folder::{self, Count, Folder, Listed};
use crate::source::journal::{self, Content, ROOT};
use crate::state::Console;
use crate::text;

#[derive(Template)]
#[template(path = "journal.html")]
struct FolderPage {
    shell: Shell,
    bucket: &'static str,
    crumbs: Vec<Crumb>,
    prefix: String,
    found: Result<Arc<Folder>, String>,
}

#[derive(Template)]
#[template(path = "object.html")]
struct ObjectPage {
    shell: Shell,
    bucket: &'static str,
    crumbs: Vec<Crumb>,
    name: String,
    found: Result<Option<Content>, String>,
    lines: Vec<Shown>,
}

/// A folder on the path from the bucket.
struct Crumb {
    name: String,
    href: String,
}

/// A line of an object, as a table row.
struct Shown {
    line: u32,
    /// Why the line is not a payment.
    reject: Option<String>,
    id: String,
    amount: String,
    currency: &'static str,
    payer: String,
    transaction: String,
    received_at: String,
}

/// Lists a folder. Without a prefix, the folder of the current hour if it exists.
pub async fn list(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let asked = parameter(&uri, "prefix");
    let prefix = if asked.is_empty() {
        ObjectKey::hour_prefix(ROOT, Timestamp::new(OffsetDateTime::now_utc()))
    } else {
        asked
    };
    let found = folder::folder(&prefix, &console.s3, &console.walks).await;
    let mut shell = Shell::of("S3", &uri, &console);
    if let Ok(folder) = &found {
        shell = shell.with_figures_of(folder.at);
    }
    page(&FolderPage {
        shell,
        bucket: lab_runner::lab::BUCKET,
        crumbs: crumbs(&prefix),
        prefix,
        found: found.map_err(|away| away.to_string()),
    })
}

pub async fn object(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let name = parameter(&uri, "key");
    let found = match ObjectKey::parse(&name) {
        Some(key) => journal::object(&key, &console.s3).await,
        None => Ok(None),
    };
    let lines = match &found {
        Ok(Some(content)) => content.lines.iter().map(shown).collect(),
        _ => Vec::new(),
    };
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", &name));
    page(&ObjectPage {
        shell: Shell::of("S3", &uri, &console),
        bucket: lab_runner::lab::BUCKET,
        crumbs: crumbs(&format!("{folder}/")),
        name: file.to_owned(),
        found: found.map_err(|away| away.to_string()),
        lines,
    })
}

fn crumbs(prefix: &str) -> Vec<Crumb> {
    let mut path = String::new();
    let folders = prefix.split_terminator('/').filter(|name| !name.is_empty());
    folders
        .map(|name| {
            path.push_str(name);
            path.push('/');
            Crumb {
                name: name.to_owned(),
                href: format!("/s3?prefix={}", encoded(&path)),
            }
        })
        .collect()
}

fn shown((line, record): &Line) -> Shown {
    let record = match record {
        Ok(record) => record,
        Err(error) => {
            return Shown {
                line: *line,
                reject: Some(error.error.to_string()),
                id: String::new(),
                amount: String::new(),
                currency: "",
                payer: String::new(),
                transaction: String::new(),
                received_at: String::new(),
            };
        }
    };
    let payment = &record.payment;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Shown {
        line: *line,
        reject: None,
        id: payment.id().to_string(),
        amount: payment
            .amount()
            .map_or(String::new(), |amount| amount.to_string()),
        currency: payment.currency().map_or("", Currency::code),
        payer: text(payment.payer_name()),
        transaction: text(payment.transaction()),
        received_at: text::timestamp(record.received_at),
    }
}

impl FolderPage {
    fn name<'a>(&self, path: &'a str) -> &'a str {
        path.strip_prefix(self.prefix.as_str()).unwrap_or(path)
    }
}

impl Folder {
    /// Returns how many objects there are, and which of them are shown.
    fn summary(&self) -> String {
        let shown = self.objects.len();
        match self.count {
            Count::All(count) if count <= shown => format!("{} here.", objects(count)),
            Count::All(count) => {
                format!(
                    "{} here, of which the newest {shown} are shown.",
                    objects(count)
                )
            }
            Count::SoFar(count) => format!(
                "More than {} here: the newest {shown} of those listed so far.",
                objects(count)
            ),
            Count::NewestAlone => format!("The newest {shown} objects of many."),
        }
    }
}

fn objects(count: usize) -> String {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    text::plural(count, "object", "objects")
}

impl Listed {
    fn href(&self) -> String {
        format!("/s3/object?key={}", encoded(&self.key))
    }

    fn size(&self) -> String {
        text::bytes(self.bytes)
    }

    fn stored(&self) -> String {
        text::clock(self.stored_at.to_utc())
    }
}

impl Content {
    fn size(&self) -> String {
        text::bytes(self.bytes.try_into().unwrap_or(u64::MAX))
    }

    fn stored(&self) -> String {
        text::whole_seconds(self.stored_at.to_utc())
    }
}
