//! Callers with and without credentials, before a web tier that knows its clients.

use std::fs;

use clients::bearer::new_key;
use clients::signature::AGE_SECONDS_MAX;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::io::AsyncReadExt as _;

use crate::callers::{
    BODY, ClientsFile, JSON, accepted, bearer, begin, borrowed, client, get, signed, signed_at,
    signer, status, until_metric, until_status,
};
use crate::tier::Tier;

#[tokio::test]
async fn p10_an_unknown_caller_gets_401_and_never_the_reason() {
    let (key, expired) = (new_key().unwrap(), new_key().unwrap());
    let old = client("old", "", &expired) + "expires = 2026-01-02T00:00:00Z\n";
    let file = ClientsFile::new(&[client("shop", "", &key), signer("shop"), old].concat());
    let tier = file.tier(vec![accepted()]).await;
    let [wrong, expired] = [bearer(&new_key().unwrap()), bearer(&expired)];
    let changed = signed(r#"{"id":"tx_1","amount":"2"}"#);
    let cut = signed(BODY)
        .into_iter()
        .filter(|(name, _)| name != "idempotency-key");
    let cut: Vec<_> = cut.collect();
    let now = OffsetDateTime::now_utc();
    let [late, early] = [-AGE_SECONDS_MAX - 1, 120]
        .map(|seconds| signed_at(BODY, now + time::Duration::seconds(seconds)));
    let mut told = Vec::new();
    for headers in [
        vec![],
        vec![("authorization", &*wrong)],
        vec![("authorization", &*expired)],
        vec![("authorization", "Bearer")],
        vec![("authorization", "Basic eDp5")],
        vec![("signature-input", "sig=()"), ("signature", "sig=:AA==:")],
        borrowed(&changed),
        borrowed(&cut),
        borrowed(&late),
        borrowed(&early),
        vec![("x-payment-client", "shop")],
    ] {
        let answer = tier.post(&[&headers[..], &[JSON]].concat(), BODY).await;
        assert_eq!(answer.status().as_u16(), 401, "{headers:?}");
        let challenges = answer.headers().get_all("www-authenticate");
        assert_eq!(challenges.iter().count(), 2);
        let accept = answer.headers()["accept-signature"].to_str().unwrap();
        assert!(
            accept.contains(
                r#"("@method" "@path" "content-digest" "idempotency-key");created;keyid"#
            )
        );
        let mut problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "unauthenticated");
        problem["request_id"].take();
        told.push(problem);
    }
    assert!(told.iter().all(|problem| *problem == told[0]), "{told:?}");
    assert_eq!(get(&tier, &[]).await.status().as_u16(), 401);
    assert_eq!(tier.calls(), 0);
}

#[tokio::test]
async fn p10_a_valid_credential_pays_and_only_the_clients_name_goes_on() {
    let key = new_key().unwrap();
    let file = ClientsFile::new(&[client("shop", "", &key), signer("shop")].concat());
    let tier = file.tier(vec![accepted()]).await;
    let (bearer, signed) = (bearer(&key), signed(BODY));
    assert_eq!(status(&tier, &[("authorization", &bearer)]).await, 202);
    assert_eq!(status(&tier, &borrowed(&signed)).await, 202);
    assert_eq!(
        get(&tier, &[("authorization", &bearer)])
            .await
            .status()
            .as_u16(),
        202
    );
    let seen = tier.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 3);
    for request in &seen {
        assert_eq!(
            request.matches("x-payment-client: shop\r\n").count(),
            1,
            "{request}"
        );
        for secret in [&*key, "authorization", "signature", "content-digest"] {
            assert!(!request.contains(secret), "{secret} in {request}");
        }
    }
}

#[tokio::test]
async fn p10_a_caller_is_refused_before_its_body_is_read() {
    let file = ClientsFile::new(&client("shop", "", &new_key().unwrap()));
    let tier = file.tier(vec![accepted()]).await;
    let head = "POST /pay HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    let mut stream = begin(&tier, head).await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test]
async fn p10_what_needs_no_credential_stays_open() {
    let file = ClientsFile::new(&client("shop", "", &new_key().unwrap()));
    let tier = file.tier(vec![accepted()]).await;
    for path in ["/", "/health", "/docs", "/openapi.json", "/pay?id=tx_1"] {
        assert_eq!(tier.get(path).await.status().as_u16(), 200, "{path}");
    }
    // Without a client `page` nothing is looked up for it.
    assert_eq!(tier.calls(), 0);
}

#[tokio::test]
async fn p10_headers_of_ours_that_are_forged_gain_nothing() {
    let key = new_key().unwrap();
    let file = ClientsFile::new(&client("shop", "rate = 1000\nburst = 1", &key));
    let tier = file.tier(vec![accepted()]).await;
    let forged = [
        ("x-payment-client", "other"),
        ("X-Payment-Client", "page"),
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("via", "1.1 web-tier"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("x-request-id", "mine"),
    ];
    assert_eq!(status(&tier, &forged[..7]).await, 401);
    let bearer = bearer(&key);
    let paid = [&forged[..7], &[forged[7], ("authorization", &bearer)]].concat();
    assert_eq!(status(&tier, &paid).await, 202);
    let seen = tier.seen.lock().unwrap().join("");
    assert_eq!(seen.matches("x-payment-client").count(), 1, "{seen}");
    assert!(seen.contains("x-payment-client: shop\r\n"), "{seen}");
    for header in ["forwarded", "x-real-ip", "x-forwarded-for", "via"] {
        assert!(!seen.contains(&format!("\r\n{header}")), "{header}: {seen}");
    }
}

#[tokio::test]
async fn p10_without_a_file_no_credential_matters_and_none_goes_on() {
    let tier = Tier::before(vec![accepted()]).await;
    let signed = signed("another body");
    for headers in [
        vec![],
        vec![("authorization", "Bearer pk_1")],
        borrowed(&signed),
        vec![("x-payment-client", "shop")],
    ] {
        assert_eq!(status(&tier, &headers).await, 202, "{headers:?}");
    }
    let seen = tier.seen.lock().unwrap().join("");
    for header in ["x-payment-client", "authorization", "signature", "digest"] {
        assert!(!seen.contains(header), "{header}: {seen}");
    }
}

#[tokio::test]
async fn p10_a_key_is_revoked_by_the_file_and_a_broken_file_changes_nothing() {
    let (key, other) = (new_key().unwrap(), new_key().unwrap());
    let both = [client("shop", "", &key), client("other", "", &other)].concat();
    let file = ClientsFile::new(&both);
    let tier = file.tier(vec![accepted()]).await;
    let [revoked, other_key] = [bearer(&key), bearer(&other)];
    let revoked = [("authorization", &*revoked)];
    assert_eq!(status(&tier, &revoked).await, 202);

    file.write("[clients.shop\n");
    until_metric(&tier, "payments_clients_reload_failures_total 1").await;
    assert_eq!(status(&tier, &revoked).await, 202);

    file.write(&client("other", "", &other));
    until_status(&tier, &revoked, 401).await;
    assert_eq!(status(&tier, &[("authorization", &other_key)]).await, 202);
    until_metric(&tier, "payments_clients_stale_seconds 0").await;

    fs::remove_file(&file.path).unwrap();
    until_metric(&tier, "payments_clients_reload_failures_total 2").await;
    assert_eq!(status(&tier, &[("authorization", &other_key)]).await, 202);
    file.write(&both);
    until_status(&tier, &revoked, 202).await;
}
