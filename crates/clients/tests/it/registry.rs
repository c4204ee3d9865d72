//! Which client a Bearer key is.

use clients::Registry;
use clients::bearer::{KeyHash, new_key};
use clients::registry::has_credential;
use clients::signature::Message;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, Uri};
use payment_core::Timestamp;

fn client(registry: &Registry, authorization: &str, now: &str) -> Option<String> {
    let value = HeaderValue::from_str(authorization).unwrap();
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    assert!(has_credential(&headers));
    let message = Message {
        method: &Method::POST,
        uri: &Uri::from_static("/pay"),
        headers: &headers,
    };
    let client = registry.authenticate(&message, Timestamp::parse(now).unwrap())?;
    Some(registry.clients()[client].name.to_string())
}

#[test]
fn p10_a_key_is_its_clients_until_it_expires_and_no_other_key_is() {
    let keys: Vec<_> = (0..3).map(|_| new_key().unwrap()).collect();
    let entry = |client: &str, key: usize, rest: &str| {
        let hash = KeyHash::of(&keys[key]);
        format!(
            "[[clients.{client}.keys]]\nid = \"k{key}\"\nsha256 = \"{hash}\"\ncreated = 2026-01-01T00:00:00Z\n{rest}"
        )
    };
    let file = [
        "[clients.page]\n".to_owned(),
        entry("a", 0, "expires = 2026-06-01T00:00:00Z\n"),
        entry("a", 1, ""),
        entry("b", 2, ""),
    ];
    let registry = Registry::parse(&file.concat()).unwrap();
    assert_eq!(
        registry
            .page()
            .map(|page| registry.clients()[page].name.as_str()),
        Some("page")
    );
    let (early, late) = ("2026-05-31T23:59:59Z", "2026-06-01T00:00:00Z");
    let of = |key: &str, now| client(&registry, &format!("Bearer {key}"), now);
    assert_eq!(of(&keys[0], early).as_deref(), Some("a"));
    assert_eq!(of(&keys[0], late), None);
    assert_eq!(of(&keys[1], late).as_deref(), Some("a"));
    assert_eq!(of(&keys[2], late).as_deref(), Some("b"));
    let hash = KeyHash::of(&keys[2]).to_string();
    for wrong in [
        "",
        "pk_",
        &keys[2][..60],
        &keys[2].to_uppercase(),
        &hash,
        "page",
        &new_key().unwrap(),
    ] {
        assert_eq!(of(wrong, late), None, "{wrong}");
    }
    assert_eq!(client(&registry, &format!("Basic {}", keys[2]), late), None);
    assert_eq!(client(&registry, &keys[2], late), None);
}
