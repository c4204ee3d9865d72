//! Where the pages of a payment are. Its id stands in each address, so that Back, reload and sending again keep it.

use std::time::{Duration, SystemTime};

use http::Uri;
use payment_core::{CardCheck, PaymentId};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

/// The form, with an id of its own.
pub const PAY: &str = "/pay";

/// So long nobody can have filled in the form.
const NEW: Duration = Duration::from_secs(2);

/// An id that no other payment has.
pub fn new_id() -> PaymentId {
    PaymentId::made_from(Uuid::now_v7())
}

/// The id that follows one that another payment has, for a payment with this content. It is the same each time, so that
/// a form that is sent again leads to no further payment.
pub fn id_after(id: &PaymentId, content: &[u8]) -> PaymentId {
    let hash = Sha256::new()
        .chain_update(id.as_str())
        .chain_update([0])
        .chain_update(content)
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    PaymentId::made_from(Builder::from_custom_bytes(bytes).into_uuid())
}

/// The form under this id. An id's characters are all allowed in a query and in a path.
pub fn form(id: &PaymentId) -> String {
    format!("{PAY}?id={id}")
}

pub fn receipt(id: &PaymentId) -> String {
    format!("{PAY}/{id}")
}

/// The id in the form's address, if it can be a payment's.
pub fn id_in_query(uri: &Uri, cards: &CardCheck) -> Option<PaymentId> {
    #[derive(Deserialize)]
    struct Query {
        id: String,
    }
    let query: Query = serde_urlencoded::from_str(uri.query()?).ok()?;
    PaymentId::parse_with(&query.id, cards)
}

/// Whether the id was made by [`new_id`] this moment, here or on another node: there is nothing to ask about it.
pub fn is_new(id: &PaymentId) -> bool {
    let uuid = id
        .as_str()
        .strip_prefix("tx_")
        .and_then(|uuid| Uuid::try_parse(uuid).ok());
    let Some(made) = uuid.and_then(|uuid| uuid.get_timestamp()) else {
        return false;
    };
    let (seconds, nanos) = made.to_unix();
    let made = Duration::new(seconds, nanos);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    now.abs_diff(made) < NEW
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_query(uri: &'static str) -> Option<String> {
        let id = id_in_query(&Uri::from_static(uri), &CardCheck::ALL);
        id.map(|id| id.to_string())
    }

    #[test]
    fn an_id_in_an_address_is_a_payments_or_none() {
        assert_eq!(
            in_query("/pay?id=order-1:a.b").as_deref(),
            Some("order-1:a.b")
        );
        assert_eq!(in_query("/pay?x=1&id=a").as_deref(), Some("a"));
        for bad in [
            "/pay",
            "/pay?",
            "/pay?id=",
            "/pay?id=a%2Fb",
            "/pay?id=..",
            "/pay?id=a&id=b",
            "/pay?id=4111111111111111",
            "/pay?id=%22%3E%3Cscript%3E",
        ] {
            assert_eq!(in_query(bad), None, "{bad}");
        }
    }

    #[test]
    fn p4_the_next_id_depends_on_the_last_one_and_the_content_alone() {
        let [one, two] = ["order-1", "order-2"].map(|id| PaymentId::parse(id).unwrap());
        let next = id_after(&one, b"12.50");
        assert_eq!(next, id_after(&one, b"12.50"));
        for other in [id_after(&one, b"12.51"), id_after(&two, b"12.50"), one] {
            assert_ne!(next, other);
        }
        assert!(!is_new(&next));
        assert_eq!(
            PaymentId::parse_with(next.as_str(), &CardCheck::ALL),
            Some(next)
        );
    }

    #[test]
    fn only_an_id_of_this_moment_is_new() {
        assert!(is_new(&new_id()));
        for old in [
            "order-1",
            "tx_1",
            "tx_019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4",
            "tx_9d0fa1c2-b3d4-4c11-8e11-019ab0f277aa",
            "tx_ffffffff-ffff-7c11-8e11-9d0fa1c2b3d4",
        ] {
            assert!(!is_new(&PaymentId::parse(old).unwrap()), "{old}");
        }
    }
}
