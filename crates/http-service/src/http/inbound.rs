//! What a request says about itself besides its body: everything here is logged, stored or sent on, so each is bounded and
//! has passed a rule that keeps card numbers out.

use std::convert::Infallible;
use std::fmt;

use axum::extract::{FromRequestParts, Path};
use http::header::HeaderName;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use payment_core::id::ID_BYTES_MAX;
use payment_core::record::TraceParent;
use payment_core::{
    CLIENT_HEADER, CardCheck, ClientName, ErrorCode, InvalidClientName, PaymentError, PaymentId,
    RequestId, card,
};
use uuid::Uuid;

use super::{REQUEST_ID, Refusal, TRACEPARENT};

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Trusted only behind the web tier, which never takes it from outside.
pub const CLIENT: HeaderName = HeaderName::from_static(CLIENT_HEADER);

/// The query of who asks the app tier for a payment, and does not want to wait for one that is not known yet.
pub const AT_ONCE: &str = "wait=0";

/// An id and two quotes around it.
const KEY_BYTES_MAX: usize = ID_BYTES_MAX + 2;

const METHODS: [Method; 9] = [
    Method::GET,
    Method::POST,
    Method::HEAD,
    Method::PUT,
    Method::DELETE,
    Method::OPTIONS,
    Method::PATCH,
    Method::TRACE,
    Method::CONNECT,
];

/// A method's name, or `OTHER`: HTTP lets a client make up a method of any letters and digits.
pub(super) fn method(method: &Method) -> &'static str {
    let known = METHODS.iter().find(|known| *known == method);
    known.map_or("OTHER", Method::as_str)
}

/// The client's if it is valid, otherwise a new one.
pub(super) fn request_id(headers: &HeaderMap) -> RequestId {
    text(headers, &REQUEST_ID)
        .and_then(RequestId::parse)
        .unwrap_or_else(|| RequestId::from(Uuid::now_v7()))
}

/// The client's trace, unless its ids look like a card number.
pub(super) fn trace(headers: &HeaderMap) -> Option<TraceParent> {
    let trace = text(headers, &TRACEPARENT).and_then(TraceParent::parse)?;
    let is_clean = !is_card(trace.trace_id()) && !is_card(trace.span_id());
    is_clean.then_some(trace)
}

/// The header Idempotency-Key. Sent twice it is one, if it says the same.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<&HeaderValue>, Refusal> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = values.next() else {
        return Ok(None);
    };
    if values.any(|other| other != key) {
        return Err(Refusal::new(
            ErrorCode::IdMismatch,
            "two headers Idempotency-Key differ; send one",
        ));
    }
    if key.len() > KEY_BYTES_MAX || key.to_str().is_err() {
        return Err(PaymentError::IdempotencyKey.into());
    }
    Ok(Some(key))
}

/// The client that the web tier authenticated; the empty name without the header. Two headers are refused even if they
/// say the same: whoever added one of them is not the web tier.
pub fn client_name(headers: &HeaderMap) -> Result<ClientName, Refusal> {
    let mut values = headers.get_all(CLIENT).iter();
    let Some(value) = values.next() else {
        return Ok(ClientName::default());
    };
    if values.next().is_some() {
        return Err(malformed(format!(
            "the header {CLIENT_HEADER} must be sent once"
        )));
    }
    let name = value.to_str().map_err(|_| InvalidClientName);
    name.and_then(str::parse)
        .map_err(|error| malformed(format!("the header {CLIENT_HEADER}: {error}")))
}

/// The general code of a 400. No client can cause it, so that it has no code of its own.
fn malformed(detail: String) -> Refusal {
    Refusal::new(ErrorCode::MalformedJson, detail)
}

/// The id in a request's path, as it was sent. It is not shown: it may be anything.
pub struct PathId(Option<String>);

impl fmt::Debug for PathId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PathId(…)")
    }
}

impl PathId {
    /// The id, by the rules of the door. One that can't be a payment's is not found, whatever is wrong with it.
    pub fn parse(&self, cards: &CardCheck) -> Result<PaymentId, Refusal> {
        let id = self.0.as_deref();
        id.and_then(|id| PaymentId::parse_with(id, cards))
            .ok_or_else(|| Refusal::new(ErrorCode::NotFound, "this can't be a payment's id"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        // What is not UTF-8 is no id either.
        let path = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(path.ok().map(|Path(id)| id)))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Whether an id of a trace is decimal, as few are, and a card number stands anywhere in it: it may be filled up with
/// other digits. Ids with letters are let through, whatever chance puts into them.
fn is_card(id: &str) -> bool {
    const SHORTEST: usize = 13;
    const LONGEST: usize = 19;

    let part = |start, length| id.get(start..start + length);
    let is_decimal = id.bytes().all(|b| b.is_ascii_digit());
    is_decimal
        && (0..id.len())
            .flat_map(|start| (SHORTEST..=LONGEST).filter_map(move |length| part(start, length)))
            .any(card::is_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace_of(value: &str) -> Option<TraceParent> {
        let value = HeaderValue::try_from(value).ok()?;
        trace(&HeaderMap::from_iter([(TRACEPARENT, value)]))
    }

    #[test]
    fn p8_a_trace_of_card_digits_is_not_kept() {
        for card in [
            "00-00000000000000004111111111111111-b7ad6b7169203331-01",
            "00-41111111111111110000000000000000-b7ad6b7169203331-01",
            "00-12345378282246310005123456789012-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-4111111111111111-01",
            "00-0af7651916cd43dd8448eb211c80319c-0378282246310005-01",
        ] {
            assert_eq!(trace_of(card), None, "{card}");
        }
    }

    #[test]
    fn ordinary_traces_are_kept() {
        for trace in [
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            "00-00000000000000001234567890123456-1234567890123456-01",
            "00-411111111111111100000000000000aa-b7ad6b7169203331-01",
        ] {
            assert!(trace_of(trace).is_some(), "{trace}");
        }
    }

    /// Random ids, seeded by their number: no more than 1 in 1,000 may be taken for a card.
    #[test]
    fn traces_are_hardly_ever_lost_by_chance() {
        let id = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        let lost = (1..100_000_u64).filter(|n| {
            let (high, low, span) = (id(*n), id(n + 7), id(n + 13));
            trace_of(&format!("00-{high:016x}{low:016x}-{span:016x}-01")).is_none()
        });
        assert!(lost.count() < 100);
    }

    #[test]
    fn p8_a_method_of_the_clients_own_has_no_name() {
        let odd = Method::from_bytes(b"4111111111111111").unwrap_or_default();
        assert_eq!(method(&odd), "OTHER");
        assert_eq!(method(&Method::PATCH), "PATCH");
    }

    #[test]
    fn p4_a_key_sent_twice_is_one_and_two_keys_are_none() {
        let headers = |values: &[&'static str]| -> HeaderMap {
            let values = values.iter().map(|v| HeaderValue::from_static(v));
            let mut headers = HeaderMap::new();
            values.for_each(|value| _ = headers.append(IDEMPOTENCY_KEY, value));
            headers
        };
        let read = |values| {
            let headers = headers(values);
            let key = idempotency_key(&headers).map_err(|refusal| refusal.code);
            key.map(Option::<&HeaderValue>::cloned)
        };
        let one = Ok(Some(HeaderValue::from_static("a")));
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["a"]), one);
        assert_eq!(read(&["a", "a"]), one);
        assert_eq!(read(&["a", "b"]), Err(ErrorCode::IdMismatch));
        assert_eq!(read(&["a", "a", "b"]), Err(ErrorCode::IdMismatch));
    }

    #[test]
    fn p10_one_valid_client_name_is_taken_and_nothing_else() {
        let read = |values: &[&'static [u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CLIENT, HeaderValue::from_bytes(value).unwrap());
            }
            let name = client_name(&headers).map(String::from);
            name.map_err(|refusal| refusal.code.status())
        };
        assert_eq!(read(&[]).as_deref(), Ok(""));
        assert_eq!(read(&[b"shop-1"]).as_deref(), Ok("shop-1"));
        for bad in [
            &[b"".as_slice()][..],
            &[b"Shop"],
            &[b"shop,shop"],
            &[b"sh\xfcp"],
            &[b"012345678901234567890123456789012"],
            &[b"shop", b"shop"],
            &[b"shop", b"other"],
        ] {
            assert_eq!(read(bad), Err(400), "{bad:?}");
        }
    }

    #[test]
    fn a_key_that_is_too_long_goes_no_further() {
        let key = |length| {
            let value = HeaderValue::try_from("x".repeat(length)).ok()?;
            idempotency_key(&HeaderMap::from_iter([(IDEMPOTENCY_KEY, value)]))
                .map_err(|refusal| refusal.code)
                .err()
        };
        assert_eq!(key(KEY_BYTES_MAX), None);
        assert_eq!(key(KEY_BYTES_MAX + 1), Some(ErrorCode::InvalidMember));
    }
}
