//! Receipt handles: each names one receive of one message.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    pub queue: String,
    pub id: Uuid,
    /// Number of this receive. It is on disk, so that a handle survives a restart.
    pub receives: u32,
}

impl Receipt {
    pub fn parse(handle: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64.decode(handle).ok()?).ok()?;
        let mut parts = text.split('/');
        let receipt = Self {
            queue: parts.next()?.to_owned(),
            id: Uuid::parse_str(parts.next()?).ok()?,
            receives: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(receipt)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}/{}/{}", self.queue, self.id, self.receives);
        f.write_str(&BASE64.encode(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_names_its_receive_and_nothing_else_is_one() {
        let receipt = Receipt {
            queue: "events".into(),
            id: Uuid::now_v7(),
            receives: 3,
        };
        assert_eq!(Receipt::parse(&receipt.to_string()), Some(receipt));
        for wrong in ["", "x", "AAAA", &BASE64.encode("events/not-an-id/1")] {
            assert_eq!(Receipt::parse(wrong), None);
        }
    }
}
