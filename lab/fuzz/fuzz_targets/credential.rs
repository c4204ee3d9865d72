//! What claims to be a credential: no text lets anybody in, and what a client signed is let in whatever else is there
//! (promise P10).
#![no_main]

use std::sync::LazyLock;

use clients::digest::{CONTENT_DIGEST, ContentDigest, header_of};
use clients::signature::{Message, SIGNATURE, SIGNATURE_INPUT, SigningKey};
use clients::{ClientIndex, Registry};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};
use libfuzzer_sys::fuzz_target;
use payment_core::Timestamp;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const BODY: &[u8] = b"{}";

/// One client with a key of each kind. The HMAC's secret is that of [`signer`].
const CLIENTS: &str = r#"
[clients.shop]
[[clients.shop.keys]]
id = "bearer"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
created = 1970-01-01T00:00:00Z
[[clients.shop.keys]]
id = "ed25519"
ed25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
created = 1970-01-01T00:00:00Z
[[clients.shop.keys]]
id = "hmac"
hmac_sha256 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
created = 1970-01-01T00:00:00Z
"#;

static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::parse(CLIENTS).expect("the file above is right"));

fn signer() -> SigningKey {
    SigningKey::new("hmac-sha256", &[0; 32]).expect("32 bytes are a secret")
}

fn authenticate(headers: &HeaderMap) -> Option<ClientIndex> {
    REGISTRY.authenticate(&message(headers), Timestamp::EPOCH)
}

fn message(headers: &HeaderMap) -> Message<'_> {
    static PATH: LazyLock<Uri> = LazyLock::new(|| Uri::from_static("/pay"));
    Message {
        method: &Method::POST,
        uri: &PATH,
        headers,
    }
}

// One header a line, in turns.
fuzz_target!(|text: &str| {
    let names = [
        AUTHORIZATION,
        SIGNATURE_INPUT,
        SIGNATURE,
        CONTENT_DIGEST,
        IDEMPOTENCY_KEY,
    ];
    let mut headers = HeaderMap::new();
    for (name, line) in names.iter().cycle().zip(text.lines()) {
        if let Ok(value) = HeaderValue::from_str(line)
            && !line.is_empty()
        {
            headers.append(name, value);
        }
    }
    assert_eq!(authenticate(&headers), None);
    let digest = ContentDigest::of(&headers);
    assert!(digest.is_none_or(|digest| !digest.is_of(BODY)));

    for claimed in [AUTHORIZATION, SIGNATURE_INPUT, SIGNATURE] {
        headers.remove(claimed);
    }
    let digest = HeaderValue::try_from(header_of(BODY)).expect("Base64 is a header");
    headers.insert(CONTENT_DIGEST, digest);
    if !headers.contains_key(IDEMPOTENCY_KEY) {
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
    }
    let signed = signer().sign(&message(&headers), "hmac", Timestamp::EPOCH);
    let Some((input, signature)) = signed else {
        return;
    };
    for (name, value) in [(SIGNATURE_INPUT, input), (SIGNATURE, signature)] {
        headers.insert(name, HeaderValue::try_from(value).expect("it is ASCII"));
    }
    assert_eq!(authenticate(&headers), Some(0));
    let digest = ContentDigest::of(&headers);
    assert!(digest.is_some_and(|digest| digest.is_of(BODY)));
});
