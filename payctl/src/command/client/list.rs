//! `payctl client list`.

use std::io;
use std::num::NonZeroU32;

use clients::{Client, Key, Registry};
use payment_core::Timestamp;
use serde::Serialize;

use crate::output;

/// A key of a client, or a client without one.
#[derive(Serialize)]
struct Line<'a> {
    client: &'a str,
    key: Option<&'a str>,
    kind: Option<&'static str>,
    created: Option<String>,
    expires: Option<String>,
    rate: Option<NonZeroU32>,
    burst: Option<NonZeroU32>,
    in_flight: Option<NonZeroU32>,
}

const HEAD: [&str; 8] = [
    "client",
    "key",
    "kind",
    "created",
    "expires",
    "rate",
    "burst",
    "in flight",
];

pub fn show(registry: &Registry, as_json: bool) -> io::Result<()> {
    let mut lines = registry.clients().iter().flat_map(lines);
    if as_json {
        return lines.try_for_each(|line| output::say_json(&line));
    }
    let head = HEAD.map(str::to_owned).to_vec();
    let rows: Vec<_> = [head].into_iter().chain(lines.map(Line::row)).collect();
    output::say(&output::table(&rows))
}

fn lines(client: &Client) -> Vec<Line<'_>> {
    if client.keys.is_empty() {
        return vec![Line::new(client, None)];
    }
    let keys = client.keys.iter();
    keys.map(|key| Line::new(client, Some(key))).collect()
}

impl<'a> Line<'a> {
    fn new(client: &'a Client, key: Option<&'a Key>) -> Self {
        Self {
            client: client.name.as_str(),
            key: key.map(|key| &*key.id),
            kind: key.map(Key::kind),
            created: key.map(|key| seconds(key.created)),
            expires: key.and_then(|key| key.expires).map(seconds),
            rate: client.limits.rate,
            burst: client.limits.burst,
            in_flight: client.limits.in_flight,
        }
    }

    fn row(self) -> Vec<String> {
        let text = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let limit =
            |limit: Option<NonZeroU32>| limit.map_or("-".to_owned(), |limit| limit.to_string());
        vec![
            self.client.to_owned(),
            text(self.key),
            text(self.kind),
            text(self.created.as_deref()),
            text(self.expires.as_deref()),
            limit(self.rate),
            limit(self.burst),
            limit(self.in_flight),
        ]
    }
}

/// `2026-11-27T08:00:00Z`
fn seconds(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(..19)
        .map_or(text.clone(), |whole| format!("{whole}Z"))
}
