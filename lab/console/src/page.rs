//! The pages, and what they have in common.

pub mod balancers;
pub mod faults;
pub mod function;
pub mod journal;
pub mod network;
pub mod overview;
pub mod payment;
pub mod rows;

use std::time::Duration;

use askama::Template;
use axum::http::Uri;
use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;
use time::OffsetDateTime;

use crate::assets;
use crate::state::Console;
use crate::text;
use crate::watch::Event;

/// What every page shows: problems of the lab, and recent events.
#[derive(Debug)]
pub struct Shell {
    pub assets: &'static str,
    /// Token for the forms.
    pub token: String,
    /// Path of this page, for the forms to return to.
    pub here: String,
    /// Service that the page is about.
    pub service: &'static str,
    pub services: &'static [(&'static str, &'static str)],
    pub faults: Vec<String>,
    /// Parts that are not healthy, with their state.
    pub ill: Vec<String>,
    pub last: Option<Event>,
    /// Whether the state of the parts is known.
    pub is_known: bool,
    /// When the oldest figure of the page was taken.
    as_of: OffsetDateTime,
}

/// Name and page of each service.
const SERVICES: [(&str, &str); 7] = [
    ("Overview", "/"),
    ("Load balancers", "/load-balancers"),
    ("S3", "/s3"),
    ("Lambda", "/lambda"),
    ("Database", "/database"),
    ("Network", "/network"),
    ("Faults", "/faults"),
];

impl Shell {
    pub fn of(service: &'static str, uri: &Uri, console: &Console) -> Self {
        let parts = console.watch.parts().into_iter();
        let ill = parts.filter(|part| !part.state.is_healthy());
        let here = uri.path_and_query();
        Self {
            assets: assets::base(),
            token: console.guard.token().to_owned(),
            here: here.map_or("/", |here| here.as_str()).to_owned(),
            service,
            services: &SERVICES,
            faults: console.watch.faults(),
            ill: ill
                .map(|part| format!("{} is {}", part.name, part.state.as_str()))
                .collect(),
            last: console.watch.events(1).pop(),
            is_known: console.watch.at().is_some(),
            as_of: console.watch.at().unwrap_or(console.started),
        }
    }

    /// Sets the time at which the figures were taken.
    #[must_use]
    pub fn with_figures_of(self, at: OffsetDateTime) -> Self {
        let as_of = self.as_of.min(at);
        Self { as_of, ..self }
    }

    /// Age of the figures, which the script keeps counting.
    fn age_ms(&self) -> i128 {
        let age = OffsetDateTime::now_utc() - self.as_of;
        age.whole_milliseconds().max(0)
    }

    fn clock(&self) -> String {
        text::clock(self.as_of)
    }

    fn is_well(&self) -> bool {
        self.ill.is_empty() && self.faults.is_empty()
    }
}

fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Returns the decoded value of a query parameter; empty if it is missing.
fn parameter(uri: &Uri, name: &str) -> String {
    let pairs =
        serde_urlencoded::from_str::<Vec<(String, String)>>(uri.query().unwrap_or_default());
    let pairs = pairs.unwrap_or_default().into_iter();
    pairs
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value)
        .next()
        .unwrap_or_default()
}

/// Encodes a text for use as one path segment or query value.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Formats a rate, with tenths if it is small.
fn per_second(rate: Option<f64>) -> String {
    match rate {
        None => "–".to_owned(),
        Some(rate) if rate >= 99.5 => format!("{rate:.0}"),
        Some(rate) if rate < 0.05 => "0".to_owned(),
        Some(rate) => format!("{rate:.1}"),
    }
}

/// Returns the number of rows, and the time of that number if the last poll did not get one.
fn rows(console: &Console) -> (String, Option<String>) {
    let Some(rows) = console.watch.rows() else {
        return ("–".to_owned(), None);
    };
    let is_old = console.watch.at() != Some(rows.at);
    let as_of = is_old.then(|| format!("as of {}", text::clock(rows.at)));
    (text::count(rows.count), as_of)
}

fn or_dash(length: Option<Duration>) -> String {
    length.map_or("–".to_owned(), text::duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_decoded_and_an_encoded_one_comes_back() {
        let text = "transactions/2026/11/25/ ü&?.json";
        let uri: Uri = format!("/s3/object?key={}&x=1", encoded(text))
            .parse()
            .unwrap();
        assert_eq!(parameter(&uri, "key"), text);
        assert_eq!(parameter(&uri, "none"), "");
    }
}
