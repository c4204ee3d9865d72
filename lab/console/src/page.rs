//! The pages, and what they have in common.

pub mod balancers;
pub mod faults;
pub mod function;
pub mod log;
pub mod network;
pub mod overview;
pub mod payment;
pub mod rows;

use askama::Template;
use axum::http::Uri;
use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;
use lab_runner::state::status::PartState;

use crate::assets;
use crate::server::Console;
use crate::watch::Event;

/// Around every page: what is wrong with the lab, and what happened last.
#[derive(Debug)]
pub struct Shell {
    pub assets: &'static str,
    /// For the forms.
    pub token: String,
    /// This page, for the forms to come back to.
    pub here: String,
    /// The service that it is about.
    pub service: &'static str,
    pub services: &'static [(&'static str, &'static str)],
    pub faults: Vec<String>,
    /// Parts that are not healthy, with their state.
    pub ill: Vec<String>,
    pub last: Option<Event>,
}

/// Where each service has its page.
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
        let ill = parts.filter(|part| part.state != PartState::Healthy);
        let here = uri.path_and_query();
        Self {
            assets: assets::base(),
            token: console.guard.token().to_owned(),
            here: here.map_or("/", |here| here.as_str()).to_owned(),
            service,
            services: &SERVICES,
            faults: console.watch.faults(),
            ill: ill
                .map(|part| format!("{} is {}", part.part, part.state.as_str()))
                .collect(),
            last: console.watch.events(1).pop(),
        }
    }
}

fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page can't be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The value of a parameter in the query, decoded; empty where it is missing.
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

/// A text as one part of a path or as a value in a query.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A rate for people: tenths where it is small.
fn per_second(rate: f64) -> String {
    if rate >= 99.5 {
        format!("{rate:.0}")
    } else if rate < 0.05 {
        "0".to_owned()
    } else {
        format!("{rate:.1}")
    }
}

fn or_dash(length: Option<std::time::Duration>) -> String {
    length.map_or("–".to_owned(), crate::text::duration)
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
