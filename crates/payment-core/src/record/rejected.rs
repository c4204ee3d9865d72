//! A line that is no payment, and what may be said of it.

use super::{LogRecord, RecordError, V1};
use crate::client::{ClientName, PaymentKey};
use crate::id::PaymentId;
use crate::json::RawObject;
use crate::object::Unreadable;
use crate::object_key::ObjectKey;

/// What every line of this system holds, as [`LogRecord::to_line`] writes it.
const OWN_MEMBERS: [&[u8]; 2] = [b"\"v\":", b"\"hash\":\""];

/// Why a line is no payment, and whose it is. Nothing else of the line is kept: it may hold anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedLine {
    pub error: RecordError,
    /// This system wrote the line, and so accepted the payment: it is to be a row all the same.
    pub is_own: bool,
    /// The text holds what a line of this system holds, so it may be one that something else broke.
    pub resembles_own: bool,
    /// The payment that the line names, if its id is one that the door would take.
    pub payment: Option<PaymentKey>,
}

impl RejectedLine {
    /// `in_own_object`: the object's key says that this system wrote the line.
    pub(super) fn new(text: &[u8], in_own_object: bool, error: RecordError) -> Self {
        let object = str::from_utf8(text)
            .ok()
            .and_then(|text| RawObject::parse(text).ok());
        let has_version = |object: &RawObject<'_>| object.values("v").next().is_some();
        Self {
            is_own: in_own_object || object.as_ref().is_some_and(has_version),
            resembles_own: OWN_MEMBERS.iter().all(|member| contains(text, member)),
            payment: object.as_ref().and_then(payment_key),
            error,
        }
    }

    /// A payment whose row would be too large.
    pub(crate) fn too_large(record: &LogRecord, in_own_object: bool) -> Self {
        Self {
            error: Unreadable::LargeLine.into(),
            is_own: in_own_object || record.is_own(),
            resembles_own: false,
            payment: Some(record.payment.key().clone()),
        }
    }

    /// The object as a whole.
    pub fn whole_object(key: &ObjectKey, why: Unreadable) -> Self {
        Self::unread(key.is_own(), why)
    }

    /// A line that was not looked into.
    pub(crate) fn unread(in_own_object: bool, why: Unreadable) -> Self {
        Self {
            error: why.into(),
            is_own: in_own_object,
            resembles_own: false,
            payment: None,
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// `None` if the line does not say clearly which payment it is, and of which client.
fn payment_key(object: &RawObject<'_>) -> Option<PaymentKey> {
    let id = PaymentId::parse(&string(object, "id")?)?;
    // In version 1, and in objects of older systems, a member of this name says something else.
    let names_client = !matches!(object.values("v").next(), None | Some(V1));
    let client = if names_client && object.values("client").next().is_some() {
        string(object, "client")?.parse().ok()?
    } else {
        ClientName::default()
    };
    Some(PaymentKey { id, client })
}

/// `None` if the line has two of the name.
fn string(object: &RawObject<'_>, name: &str) -> Option<String> {
    let mut values = object.values(name);
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    serde_json::from_str(value).ok()
}

#[cfg(test)]
mod tests {
    use super::super::read_line;
    use crate::{ObjectKey, Timestamp};

    const OWN: &str =
        "transactions/dt=2026-11-22/hh=07/019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4-a.ndjson";
    const FOREIGN: &str = "transactions/export.ndjson";

    fn rejected(key: &str, line: &str) -> (bool, Option<String>) {
        let key = ObjectKey::parse(key).unwrap();
        let rejected = read_line(line.as_bytes(), key.is_own(), Timestamp::EPOCH).expect_err(line);
        let id = rejected.payment.map(|key| key.to_string());
        (rejected.is_own, id)
    }

    #[test]
    fn p2_a_rejected_line_of_this_system_is_known_as_its_own() {
        let a = || Some("a".to_owned());
        assert_eq!(rejected(FOREIGN, r#"{"v":9,"id":"a"}"#), (true, a()));
        assert_eq!(rejected(FOREIGN, r#"{"id":"a","\u0076":1}"#), (true, a()));
        assert_eq!(rejected(FOREIGN, r#"{"v":1,"id":"a","v":1}"#), (true, a()));
        assert_eq!(rejected(OWN, r#"{"id":"a","amount":0}"#), (true, a()));
        assert_eq!(rejected(OWN, r#"{"v":1,"id":"a"#), (true, None));
        assert_eq!(rejected(FOREIGN, r#"{"id":"a","amount":0}"#), (false, a()));
        assert_eq!(rejected(FOREIGN, "nonsense"), (false, None));
    }

    /// A part of another line before it, or its end missing.
    #[test]
    fn p2_a_broken_line_that_looks_like_the_systems_own_is_known() {
        let resembles = |line: &str| {
            let rejected = read_line(line.as_bytes(), false, Timestamp::EPOCH).expect_err(line);
            (rejected.is_own, rejected.resembles_own)
        };
        let own = r#"{"v":1,"id":"a","hash":"00"}"#;
        assert_eq!(resembles(&format!("al\"}}{own}")), (false, true));
        assert_eq!(resembles(&own[..own.len() - 1]), (false, true));
        assert_eq!(resembles(r#"{"id":"a","amount":0}"#), (false, false));
        assert_eq!(resembles(r#"{"hash":"","id"#), (false, false));
    }

    #[test]
    fn p2_a_broken_line_under_a_clients_key_is_the_systems_own() {
        assert_eq!(
            rejected("transactions/client=shop/a.json", "nonsense"),
            (true, None)
        );
    }

    #[test]
    fn p10_a_rejected_line_is_its_clients_where_its_version_names_one() {
        let named = |line: &str| rejected(OWN, line).1;
        let shop = || Some("a of client shop".to_owned());
        assert_eq!(named(r#"{"v":2,"client":"shop","id":"a"}"#), shop());
        assert_eq!(named(r#"{"v":9,"client":"shop","id":"a"}"#), shop());
        assert_eq!(
            named(r#"{"v":1,"client":"shop","id":"a"}"#),
            Some("a".to_owned())
        );
        for line in [
            r#"{"v":2,"client":"","id":"a"}"#,
            r#"{"v":2,"client":"shop","client":"shop","id":"a"}"#,
            r#"{"v":2,"client":7,"id":"a"}"#,
        ] {
            assert_eq!(named(line), None, "{line}");
        }
    }

    #[test]
    fn p8_a_rejected_line_gives_away_no_more_than_a_right_id() {
        for line in [
            r#"{"v":1,"id":"4111111111111111"}"#,
            r#"{"v":1,"id":"4111 1111 1111 1111"}"#,
            r#"{"v":1,"id":4111111111111111}"#,
            r#"{"v":1,"id":"a","id":"b"}"#,
            r#"{"v":1,"id":{"id":"a"}}"#,
            r#"{"v":1}"#,
        ] {
            assert_eq!(rejected(OWN, line), (true, None), "{line}");
        }
    }
}
