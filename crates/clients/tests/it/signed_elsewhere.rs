//! Requests that another implementation has signed, and the ways to spoil each of them. `fixtures/sign.py` made them.

use clients::signature::Message;
use clients::{Registry, signature};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use payment_core::Timestamp;
use serde_json::Value;

pub struct Signed {
    pub name: String,
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    body: String,
}

pub struct Fixture {
    pub registry: Registry,
    pub created: i64,
    pub requests: Vec<Signed>,
}

impl Fixture {
    pub fn read() -> Self {
        let fixture: Value =
            serde_json::from_str(include_str!("../fixtures/signed_requests.json")).unwrap();
        let [ed25519, hmac] =
            ["ed25519", "hmac_sha256"].map(|name| fixture[name].as_str().unwrap());
        let file = format!(
            "[clients.other]\n[[clients.other.keys]]\nid = \"x\"\ned25519 = \"{ed25519}\"\ncreated = 2026-11-01T00:00:00Z\n\
             [clients.shop]\n[[clients.shop.keys]]\nid = \"ed\"\ned25519 = \"{ed25519}\"\ncreated = 2026-11-01T00:00:00Z\n\
             [[clients.shop.keys]]\nid = \"mac\"\nhmac_sha256 = \"{hmac}\"\ncreated = 2026-11-01T00:00:00Z\n"
        );
        let requests = fixture["requests"].as_array().unwrap();
        Self {
            registry: Registry::parse(&file).unwrap(),
            created: fixture["created"].as_i64().unwrap(),
            requests: requests.iter().map(Signed::read).collect(),
        }
    }

    /// The client's name, where the request is authentic so long after it was signed.
    pub fn client(&self, request: &Signed, after: i64) -> Option<&str> {
        let now = Timestamp::from_unix_millis((self.created + after) * 1000).unwrap();
        let client = self.registry.authenticate(&request.message(), now)?;
        Some(self.registry.clients()[client].name.as_str())
    }
}

impl Signed {
    fn read(request: &Value) -> Self {
        let text = |name: &str| request[name].as_str().unwrap();
        let headers = request["headers"].as_object().unwrap().iter();
        let header = |(name, value): (&String, &Value)| {
            let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
            (HeaderName::try_from(name).unwrap(), value)
        };
        Self {
            name: text("name").to_owned(),
            method: text("method").parse().unwrap(),
            uri: text("path").parse().unwrap(),
            headers: headers.map(header).collect(),
            body: text("body").to_owned(),
        }
    }

    pub fn message(&self) -> Message<'_> {
        Message {
            method: &self.method,
            uri: &self.uri,
            headers: &self.headers,
        }
    }

    fn replace(&mut self, name: &'static str, from: &str, to: &str) {
        let value = self.headers[name].to_str().unwrap();
        assert!(value.contains(from), "{name}: {value}");
        let value = HeaderValue::from_str(&value.replacen(from, to, 1)).unwrap();
        self.headers.insert(name, value);
    }
}

#[test]
fn p10_what_another_implementation_signed_is_authentic_for_five_minutes() {
    let fixture = Fixture::read();
    assert_eq!(fixture.requests.len(), 7);
    for request in &fixture.requests {
        let is_short = request.name.contains("expires");
        for (after, is_good) in [
            (-61, false),
            (-60, true),
            (0, true),
            (59, true),
            (60, !is_short),
            (300, !is_short),
            (301, false),
        ] {
            let expected = is_good.then_some("shop");
            assert_eq!(
                fixture.client(request, after),
                expected,
                "{} after {after} s",
                request.name
            );
        }
        if request.method == Method::POST {
            let digest = clients::digest::ContentDigest::of(&request.headers).unwrap();
            assert!(digest.is_of(request.body.as_bytes()), "{}", request.name);
            assert!(!digest.is_of(b"{}"), "{}", request.name);
        }
    }
}

#[test]
fn p10_a_request_that_was_changed_on_its_way_is_not_authentic() {
    type Change = fn(&mut Signed);
    let all: [(&str, Change); 9] = [
        ("method", |request| {
            let is_get = request.method == Method::GET;
            request.method = if is_get { Method::HEAD } else { Method::PUT };
        }),
        ("path", |request| {
            request.uri = Uri::from_static("/pay/order-2");
        }),
        ("key", |request| {
            request.replace("signature-input", "keyid=\"", "keyid=\"x");
        }),
        ("other client's key", |request| {
            let (from, to) = (["keyid=\"ed\"", "keyid=\"mac\""], "keyid=\"x\"");
            let input = request.headers["signature-input"]
                .to_str()
                .unwrap()
                .to_owned();
            let from = from.iter().find(|from| input.contains(**from)).unwrap();
            request.replace("signature-input", from, to);
        }),
        ("created", |request| {
            request.replace("signature-input", "created=1", "created=2");
        }),
        ("created left out", |request| {
            request.replace("signature-input", ";created=", ";creates=");
        }),
        ("a component twice", |request| {
            request.replace("signature-input", "(", "(\"@method\" ");
        }),
        ("signature", |request| {
            request.replace("signature", "=:", "=:AA");
        }),
        ("no signature", |request| {
            request.headers.remove("signature");
        }),
    ];
    let of_a_post: [(&str, Change); 3] = [
        ("digest", |request| {
            request.replace("content-digest", "sha-256=:", "sha-256=:AA");
        }),
        ("idempotency key", |request| {
            request.replace("idempotency-key", "1", "2");
        }),
        ("a second idempotency key", |request| {
            request
                .headers
                .append("idempotency-key", HeaderValue::from_static("order-2"));
        }),
    ];
    for index in 0..Fixture::read().requests.len() {
        let is_post = Fixture::read().requests[index].method == Method::POST;
        let of_a_post = of_a_post.iter().filter(|_| is_post);
        for (what, change) in all.iter().chain(of_a_post) {
            let mut fixture = Fixture::read();
            change(&mut fixture.requests[index]);
            let request = &fixture.requests[index];
            assert_eq!(fixture.client(request, 0), None, "{}: {what}", request.name);
        }
    }
}

#[test]
fn p10_a_signature_that_leaves_out_what_matters_is_none() {
    let fixture = Fixture::read();
    let key = signature::SigningKey::new("ed25519", &(0..32).collect::<Vec<u8>>()).unwrap();
    let now = Timestamp::from_unix_millis(fixture.created * 1000).unwrap();
    let mut request = Fixture::read().requests.remove(0);
    // Signed as a GET is: without the digest and the key of the payment.
    let get = Message {
        method: &Method::GET,
        ..request.message()
    };
    let (input, signature) = key.sign(&get, "ed", now).unwrap();
    request
        .headers
        .insert("signature-input", input.try_into().unwrap());
    request
        .headers
        .insert("signature", signature.try_into().unwrap());
    assert_eq!(fixture.client(&request, 0), None);
    request.method = Method::GET;
    assert_eq!(fixture.client(&request, 0), Some("shop"));
}

#[test]
fn p10_what_is_signed_here_is_what_the_other_implementation_signs() {
    let fixture = Fixture::read();
    let now = Timestamp::from_unix_millis(fixture.created * 1000).unwrap();
    let secrets = [
        ("ed25519", "ed", (0..32).collect::<Vec<u8>>()),
        ("hmac-sha256", "mac", (100..164).collect()),
    ];
    for (algorithm, id, secret) in secrets {
        let key = signature::SigningKey::new(algorithm, &secret).unwrap();
        for mut request in Fixture::read().requests {
            let (input, signature) = key.sign(&request.message(), id, now).unwrap();
            request
                .headers
                .insert("signature-input", input.try_into().unwrap());
            request
                .headers
                .insert("signature", signature.try_into().unwrap());
            assert_eq!(
                fixture.client(&request, 0),
                Some("shop"),
                "{}",
                request.name
            );
        }
    }
}
