//! The test vectors of RFC 9421, appendix B.2, and of RFC 9530.

use clients::signature::{self, Message};
use clients::{Client, Material, Registry};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

/// `test-key-ed25519` and `test-shared-secret` of appendix B.1.
const KEYS: &str = r#"
[clients.rfc]
[[clients.rfc.keys]]
id = "test-key-ed25519"
ed25519 = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="
created = 2021-04-20T00:00:00Z
[[clients.rfc.keys]]
id = "test-shared-secret"
hmac_sha256 = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
created = 2021-04-20T00:00:00Z
"#;

/// `test-request`, with a signature.
fn headers(input: &str, signature: &str) -> HeaderMap {
    let own = [
        ("host", "example.com"),
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        ),
        ("content-length", "18"),
        ("signature-input", input),
        ("signature", signature),
    ];
    own.into_iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

fn is_right(input: &str, signature: &str, method: &Method) -> bool {
    let registry = Registry::parse(KEYS).unwrap();
    let [Client { keys, .. }] = registry.clients() else {
        unreachable!()
    };
    let uri = Uri::from_static("/foo?param=Value&Pet=dog");
    let message = Message {
        method,
        uri: &uri,
        headers: &headers(input, signature),
    };
    let key = |id: &str| keys.iter().find(|key| &*key.id == id);
    let (key, signed) = signature::read(&message, key).unwrap();
    assert!(!matches!(key.material, Material::Bearer(_)));
    signed.is_by(&key.material, &message)
}

#[test]
fn p10_the_rfcs_own_signatures_are_right() {
    let ed25519 = (
        r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#,
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
    );
    let hmac = (
        r#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#,
        "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
    );
    for (input, signature) in [ed25519, hmac] {
        assert!(is_right(input, signature, &Method::POST), "{input}");
        let later = input.replace("1618884473", "1618884474");
        assert!(!is_right(&later, signature, &Method::POST), "{later}");
    }
    assert!(!is_right(ed25519.0, ed25519.1, &Method::GET));
    assert!(!is_right(
        ed25519.0,
        &hmac.1.replace("b25", "b26"),
        &Method::POST
    ));
}
