//! JSON that loses nothing: numbers stay the text that was sent, members keep their order, and a name that
//! stands twice in one object is an error, since two readers could take different values.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

/// Levels of nesting that a payment may have, as the client counts them: the body is the first. Databases refuse
/// deep JSON (MariaDB at 32 levels), so it is refused first. Lines of the journal nest this deep: it may be raised,
/// but never lowered.
pub const DEPTH_MAX: usize = 16;

/// A JSON value whose numbers keep their text. It borrows what stands in the text as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    Null,
    Bool(bool),
    /// A number in JSON's notation, as it was written.
    Number(Cow<'a, str>),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Members<'a>),
}

/// Members in the order in which they were written, each name once.
pub type Members<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

/// Why a text is not the JSON object that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Where it stands, in words that hold nothing of the input.
    #[error("is not JSON (line {line}, column {column})")]
    Syntax { line: usize, column: usize },
    #[error("must be a JSON object: {{…}}")]
    NotAnObject,
    #[error("has the same member twice in one object")]
    DuplicateMember,
    #[error("is nested deeper than {depth_max} levels")]
    TooDeep { depth_max: usize },
}

/// Whether members are written as they came, or sorted by name for comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    AsSent,
    Sorted,
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The members of the one object that `text` must be.
pub fn read_object(text: &str, depth_max: usize) -> Result<Members<'_>, JsonError> {
    RawObject::parse(text)?.read(depth_max)
}

/// An object whose values are unread, which may have a member twice.
#[derive(Debug)]
pub struct RawObject<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> RawObject<'a> {
    /// A byte order mark before it is skipped, as RFC 8259, 8.1 lets a reader do.
    pub fn parse(text: &'a str) -> Result<Self, JsonError> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        serde_json::from_str(text).map_err(|error| match error.classify() {
            Category::Data => JsonError::NotAnObject,
            _ => syntax(&error),
        })
    }

    /// The texts of all members of this name.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(other, _)| other == name);
        named.map(|(_, value)| value.get())
    }

    pub fn read(self, depth_max: usize) -> Result<Members<'a>, JsonError> {
        Reader { depth_max }.members(self, 1)
    }
}

struct Reader {
    depth_max: usize,
}

impl Reader {
    /// `depth` is the level on which the value stands, were it an array or an object.
    fn value<'a>(&self, raw: &'a RawValue, depth: usize) -> Result<Json<'a>, JsonError> {
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'{') => Json::Object(self.members(RawObject::parse(text)?, depth)?),
            Some(b'[') => {
                self.check(depth)?;
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|e| syntax(&e))?;
                // Collecting results would leave room for four in each array of one.
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    values.push(self.value(item, depth + 1)?);
                }
                Json::Array(values)
            }
            Some(b'"') => Json::String(unescaped(text)?),
            Some(b't') => Json::Bool(true),
            Some(b'f') => Json::Bool(false),
            Some(b'n') => Json::Null,
            _ => Json::Number(text.into()),
        })
    }

    fn members<'a>(&self, object: RawObject<'a>, depth: usize) -> Result<Members<'a>, JsonError> {
        self.check(depth)?;
        let mut names: Vec<&str> = object.0.iter().map(|(name, _)| name.as_ref()).collect();
        // Any order serves, and lengths are compared faster than texts.
        names.sort_unstable_by_key(|name| (name.len(), *name));
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(JsonError::DuplicateMember);
        }
        let mut members = Members::with_capacity(object.0.len());
        for (name, raw) in object.0 {
            members.push((name, self.value(raw, depth + 1)?));
        }
        Ok(members)
    }

    fn check(&self, depth: usize) -> Result<(), JsonError> {
        let Self { depth_max } = *self;
        if depth > depth_max {
            return Err(JsonError::TooDeep { depth_max });
        }
        Ok(())
    }
}

/// What a string literal means. It was read over before, so without an escape it is right as it stands.
fn unescaped(literal: &str) -> Result<Cow<'_, str>, JsonError> {
    let text = literal
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    match text {
        Some(text) if !text.contains('\\') => Ok(Cow::Borrowed(text)),
        _ => serde_json::from_str(literal)
            .map(Cow::Owned)
            .map_err(|e| syntax(&e)),
    }
}

fn syntax(error: &serde_json::Error) -> JsonError {
    JsonError::Syntax {
        line: error.line(),
        column: error.column(),
    }
}

impl Json<'_> {
    /// The same, for longer than the text.
    pub fn into_owned(self) -> Json<'static> {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(value),
            Self::Number(text) => Json::Number(Cow::Owned(text.into_owned())),
            Self::String(text) => Json::String(Cow::Owned(text.into_owned())),
            Self::Array(items) => Json::Array(items.into_iter().map(Json::into_owned).collect()),
            Self::Object(members) => {
                Json::Object(members.into_iter().map(into_owned_member).collect())
            }
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 0,
            Self::Number(text) | Self::String(text) => allocated(text.len()),
            Self::Array(items) => {
                let inner = items.iter().map(Self::heap_bytes).sum::<usize>();
                allocated(items.capacity() * size_of::<Self>()) + inner
            }
            Self::Object(members) => heap_bytes(members),
        }
    }

    /// Appends compact JSON. Numbers come out as they came in.
    pub fn write(&self, out: &mut String, order: Order) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(text) => out.push_str(text),
            Self::String(text) => write_string(text, out),
            Self::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out, order);
                }
                out.push(']');
            }
            Self::Object(members) => write_object(members, out, order),
        }
    }
}

pub(crate) fn into_owned_member<'a>(
    (name, value): (Cow<'a, str>, Json<'a>),
) -> (Cow<'static, str>, Json<'static>) {
    (Cow::Owned(name.into_owned()), value.into_owned())
}

/// Memory, in bytes, that members take besides the `Vec` itself: up to some twenty times their text.
pub(crate) fn heap_bytes(members: &Members<'_>) -> usize {
    let inner = members
        .iter()
        .map(|(name, value)| allocated(name.len()) + value.heap_bytes());
    allocated(members.capacity() * size_of::<(Cow<'_, str>, Json<'_>)>()) + inner.sum::<usize>()
}

/// What the allocator gives for so many bytes, at the least.
fn allocated(bytes: usize) -> usize {
    bytes.next_multiple_of(16)
}

/// Appends `{…}`.
pub fn write_object(members: &Members<'_>, out: &mut String, order: Order) {
    let mut members: Vec<_> = members.iter().collect();
    if order == Order::Sorted {
        members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    }
    out.push('{');
    for (i, (name, value)) in members.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_string(name, out);
        out.push(':');
        value.write(out, order);
    }
    out.push('}');
}

/// Appends a string literal, escaped where JSON demands it and nowhere else.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    // Nearly all are plain. Looked at without a branch a byte, many bytes are one instruction.
    let escapes =
        |byte: u8| u8::from(byte <= 0x1f) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    if text.bytes().fold(0, |all, byte| all | escapes(byte)) == 0 {
        out.push_str(text);
    } else {
        push_escaped(text, out);
    }
    out.push('"');
}

fn push_escaped(text: &str, out: &mut String) {
    use fmt::Write as _;

    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[plain_from..at]);
        plain_from = at + 1;
        if escape.is_empty() {
            // Writing to a String can't fail.
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[plain_from..]);
}

/// Borrowed where it has no escape.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for RawObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = RawObject<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(RawObject(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Members<'_>, JsonError> {
        read_object(text, DEPTH_MAX)
    }

    fn rewrite(text: &str, order: Order) -> Result<String, JsonError> {
        let mut out = String::new();
        write_object(&read(text)?, &mut out, order);
        Ok(out)
    }

    #[test]
    fn p3_numbers_strings_and_order_are_kept() {
        let text = r#"{"b":1.10,"a":[1e400,-0,12345678901234567890.123],"s":"\u00e4\n\u0000\"","n":null,"t":true}"#;
        let kept = "{\"b\":1.10,\"a\":[1e400,-0,12345678901234567890.123],\"s\":\"ä\\n\\u0000\\\"\",\"n\":null,\"t\":true}";
        assert_eq!(rewrite(text, Order::AsSent).as_deref(), Ok(kept));
        assert_eq!(rewrite(kept, Order::AsSent).as_deref(), Ok(kept));
        assert_eq!(
            rewrite(r#"{"b":{"d":1,"c":2},"a":3}"#, Order::Sorted).unwrap(),
            r#"{"a":3,"b":{"c":2,"d":1}}"#
        );
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        assert_eq!(read(r#"{"a":1,"a":2}"#), Err(JsonError::DuplicateMember));
        assert_eq!(
            read(r#"{"x":{"a":1,"\u0061":2}}"#),
            Err(JsonError::DuplicateMember)
        );
        assert!(matches!(
            read(r#"{"x":["\ud800"]}"#),
            Err(JsonError::Syntax { .. })
        ));
        assert_eq!(read("[]"), Err(JsonError::NotAnObject));
        assert_eq!(read("1"), Err(JsonError::NotAnObject));
        for broken in [
            "",
            "{",
            "{}x",
            "{'a':1}",
            "{\"a\":01}",
            "{\"a\":1,}",
            "\u{feff}",
            "\u{feff}\u{feff}{}",
            "{}\u{feff}",
        ] {
            assert!(
                matches!(read(broken), Err(JsonError::Syntax { .. })),
                "{broken}"
            );
        }
    }

    #[test]
    fn a_byte_order_mark_before_an_object_is_skipped() {
        assert_eq!(read("\u{feff}{\"a\":1}"), read("{\"a\":1}"));
    }

    #[test]
    fn depth_is_bounded() {
        let nested =
            |levels: usize| format!("{}{}", "{\"a\":".repeat(levels) + "1", "}".repeat(levels));
        let too_deep = Err(JsonError::TooDeep {
            depth_max: DEPTH_MAX,
        });
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        assert_eq!(read(&nested(DEPTH_MAX + 1)), too_deep);
        assert!(read_object(&nested(DEPTH_MAX + 1), DEPTH_MAX + 1).is_ok());
        assert_eq!(
            read(&format!(
                "{{\"a\":{}{}}}",
                "[".repeat(5000),
                "]".repeat(5000)
            )),
            too_deep
        );
    }

    proptest! {
        #[test]
        fn strings_are_written_as_json_demands(text in any::<String>()) {
            let mut out = String::new();
            write_string(&text, &mut out);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }
}
