//! One page of a listing.

use std::collections::BTreeMap;
use std::ops::Bound;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::index::Entry;

#[derive(Clone, Debug)]
pub struct Query<'a> {
    pub prefix: &'a str,
    /// Keys with the same text up to the first delimiter after the prefix become one item.
    pub delimiter: Option<&'a str>,
    pub after: Cursor,
    /// Most items.
    pub limit: usize,
}

impl<'a> Query<'a> {
    /// Returns the common prefix that `key` is listed under, if any.
    fn group<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(self.prefix)?;
        let end = self.prefix.len() + rest.find(delimiter)? + delimiter.len();
        key.get(..end)
    }

    /// Returns the cursor after `marker`, a key or common prefix that an earlier page ended with.
    #[must_use]
    pub fn behind(self, marker: &str) -> Query<'a> {
        let after = match self.group(marker) {
            Some(group) if group == marker => Cursor::Group(marker.to_owned()),
            _ => Cursor::Key(marker.to_owned()),
        };
        Query { after, ..self }
    }
}

/// Where a listing continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    Start,
    /// After this key.
    Key(String),
    /// After every key with this prefix.
    Group(String),
}

impl Cursor {
    /// Returns a continuation token.
    pub fn to_token(&self) -> String {
        let (kind, text) = match self {
            Self::Start => ('s', ""),
            Self::Key(key) => ('k', key.as_str()),
            Self::Group(group) => ('g', group.as_str()),
        };
        format!("{kind}{}", utf8_percent_encode(text, NON_ALPHANUMERIC))
    }

    /// Returns `None` for a token that [`Self::to_token`] never makes.
    pub fn from_token(token: &str) -> Option<Self> {
        let text = percent_decode_str(token.get(1..)?)
            .decode_utf8()
            .ok()?
            .into_owned();
        match token.get(..1)? {
            "s" => Some(Self::Start),
            "k" => Some(Self::Key(text)),
            "g" => Some(Self::Group(text)),
            _ => None,
        }
    }

    /// Returns the key or common prefix itself.
    pub fn text(&self) -> &str {
        match self {
            Self::Start => "",
            Self::Key(text) | Self::Group(text) => text,
        }
    }

    fn skips(&self, key: &str) -> bool {
        match self {
            Self::Start => false,
            Self::Key(last) => key <= last.as_str(),
            Self::Group(group) => key.starts_with(group.as_str()),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Object(String, Entry),
    Group(String),
}

impl Item {
    fn cursor(&self) -> Cursor {
        match self {
            Self::Object(key, _) => Cursor::Key(key.clone()),
            Self::Group(group) => Cursor::Group(group.clone()),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub items: Vec<Item>,
    /// Set if more items follow.
    pub next: Option<Cursor>,
}

pub fn list(entries: &BTreeMap<String, Entry>, query: &Query<'_>) -> Page {
    let first = query.prefix.max(query.after.text());
    let keys = entries
        .range::<str, _>((Bound::Included(first), Bound::Unbounded))
        .take_while(|(key, _)| key.starts_with(query.prefix))
        .filter(|(key, _)| !query.after.skips(key));
    let mut items: Vec<Item> = Vec::new();
    for (key, entry) in keys {
        let item = match query.group(key) {
            Some(group) if matches!(items.last(), Some(Item::Group(last)) if last == group) => {
                continue;
            }
            Some(group) => Item::Group(group.to_owned()),
            None => Item::Object(key.clone(), entry.clone()),
        };
        if items.len() >= query.limit {
            return Page {
                next: items.last().map(Item::cursor),
                items,
            };
        }
        items.push(item);
    }
    Page { items, next: None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Cursor, Entry, Item, Query, list};
    use crate::clock::Clock;

    fn entries(keys: &[&str]) -> BTreeMap<String, Entry> {
        let entry = Entry {
            etag: String::new(),
            size: 0,
            modified: Clock::default().stamp(),
        };
        keys.iter()
            .map(|key| ((*key).to_owned(), entry.clone()))
            .collect()
    }

    /// Every page of a listing; groups end in `*`.
    fn pages(
        keys: &[&str],
        prefix: &str,
        delimiter: Option<&str>,
        limit: usize,
    ) -> Vec<Vec<String>> {
        let entries = entries(keys);
        let mut query = Query {
            prefix,
            delimiter,
            after: Cursor::Start,
            limit,
        };
        let mut pages = Vec::new();
        loop {
            let page = list(&entries, &query);
            pages.push(page.items.iter().map(show).collect());
            let Some(next) = page.next else { return pages };
            query.after = Cursor::from_token(&next.to_token()).unwrap();
        }
    }

    fn show(item: &Item) -> String {
        match item {
            Item::Object(key, _) => key.clone(),
            Item::Group(group) => format!("{group}*"),
        }
    }

    /// Prefix, delimiter, limit, and the pages that follow.
    type Case<'a> = (&'a str, Option<&'a str>, usize, &'a [&'a [&'a str]]);

    #[test]
    fn pages_by_prefix_and_delimiter() {
        let keys = ["a", "a/1", "a/2", "a/b/3", "b", "c/1", "ü/%", "ü/é"];
        let cases: &[Case<'_>] = &[
            ("", None, 10, &[&keys]),
            (
                "",
                None,
                3,
                &[
                    &["a", "a/1", "a/2"],
                    &["a/b/3", "b", "c/1"],
                    &["ü/%", "ü/é"],
                ],
            ),
            ("", Some("/"), 10, &[&["a", "a/*", "b", "c/*", "ü/*"]]),
            ("", Some("/"), 2, &[&["a", "a/*"], &["b", "c/*"], &["ü/*"]]),
            (
                "",
                Some("/"),
                1,
                &[&["a"], &["a/*"], &["b"], &["c/*"], &["ü/*"]],
            ),
            ("a/", Some("/"), 10, &[&["a/1", "a/2", "a/b/*"]]),
            ("a", None, 10, &[&["a", "a/1", "a/2", "a/b/3"]]),
            ("ü", None, 1, &[&["ü/%"], &["ü/é"]]),
            ("zz", None, 10, &[&[]]),
            ("", Some(""), 10, &[&keys]),
            ("", None, 0, &[&[]]),
        ];
        for (prefix, delimiter, limit, expected) in cases {
            assert_eq!(
                pages(&keys, prefix, *delimiter, *limit),
                *expected,
                "prefix {prefix:?}, delimiter {delimiter:?}, limit {limit}"
            );
        }
    }

    #[test]
    fn a_marker_may_be_a_key_or_a_common_prefix() {
        let entries = entries(&["a", "a/1", "a/2", "b"]);
        let query = Query {
            prefix: "",
            delimiter: Some("/"),
            after: Cursor::Start,
            limit: 10,
        };
        let after = |marker: &str| {
            let page = list(&entries, &query.clone().behind(marker));
            page.items.iter().map(show).collect::<Vec<_>>()
        };
        assert_eq!(after("a"), ["a/*", "b"]);
        assert_eq!(after("a/"), ["b"]);
        assert_eq!(after("a/1"), ["a/*", "b"]);
    }
}
