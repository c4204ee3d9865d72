//! Batches on their way through the web tier.

use clients::bearer::new_key;
use clients::digest;
use clients::signature::{Message, SigningKey};
use http::{HeaderMap, Method, Uri};
use payment_core::Timestamp;
use serde_json::Value;
use time::OffsetDateTime;

use crate::callers::{ClientsFile, SEED, client, signer};
use crate::tier::{Act, Tier, answer};

const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

const LINES: &str = concat!(
    r#"{"line":1,"id":"a","status":"accepted"}"#,
    "\n",
    r#"{"line":2,"id":"b","status":"refused","code":"id_conflict","http_status":409,"detail":"d"}"#,
    "\n"
);

fn answered() -> Act {
    let headers = "content-type: application/x-ndjson\r\nx-payments-accepted: 1\r\n";
    answer("200 OK", headers, LINES)
}

fn batch(payments: usize) -> String {
    "{\"id\":\"a\"}\n".repeat(payments)
}

async fn status(tier: &Tier, headers: &[(&str, &str)], payments: usize) -> u16 {
    let headers = [headers, &[NDJSON]].concat();
    tier.post(&headers, batch(payments)).await.status().as_u16()
}

#[tokio::test]
async fn a_batch_and_its_answer_go_through_as_they_are() {
    let tier = Tier::before(vec![answered()]).await;
    let response = tier.post(&[NDJSON], batch(2)).await;
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(response.headers()["content-type"], NDJSON.1);
    assert!(response.headers().get("x-payments-accepted").is_none());
    assert_eq!(response.text().await.unwrap(), LINES);
    let seen = tier.seen.lock().unwrap().join("");
    assert!(
        seen.contains("content-type: application/x-ndjson"),
        "{seen}"
    );
    assert!(seen.ends_with(&batch(2)), "{seen}");
}

#[tokio::test]
async fn p4_p6_a_broken_batch_is_sent_again_and_no_refusal_of_it_is_final() {
    let problem = "content-type: application/problem+json\r\n";
    for (again, expected) in [
        (answered(), 200),
        (answer("413 Content Too Large", problem, "{}"), 502),
    ] {
        let tier = Tier::before(vec![Act::HangUp, again]).await;
        let response = tier.post(&[NDJSON], batch(2)).await;
        assert_eq!((response.status().as_u16(), tier.calls()), (expected, 2));
        let text = response.text().await.unwrap();
        assert!(!text.contains("refused"), "{text}");
    }
}

#[tokio::test]
async fn a_batch_refused_as_a_whole_is_a_problem() {
    let problem = answer(
        "503 Service Unavailable",
        "content-type: application/problem+json\r\nretry-after: 1\r\n",
        r#"{"code":"overloaded"}"#,
    );
    let tier = Tier::before(vec![problem]).await;
    let response = tier.post(&[NDJSON], batch(2)).await;
    assert_eq!(response.status().as_u16(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(status(&tier, &[("idempotency-key", "a")], 2).await, 400);
    assert_eq!(status(&tier, &[("content-encoding", "gzip")], 2).await, 415);
    assert_eq!(
        status(&tier, &[("sec-fetch-site", "cross-site")], 2).await,
        403
    );
    assert_eq!(status(&tier, &[], 1001).await, 413);
    assert_eq!(tier.calls(), 1);
}

#[tokio::test]
async fn p10_each_payment_of_a_batch_counts_against_the_limits() {
    let keys = [new_key().unwrap(), new_key().unwrap()];
    let text = client("rated", "rate = 1\nburst = 10", &keys[0])
        + &client("held", "in_flight = 3", &keys[1]);
    let file = ClientsFile::new(&text);
    let tier = file.tier(vec![answered()]).await;
    let [rated, held] = keys.map(|key| format!("Bearer {key}"));
    let (rated, held) = ([("authorization", &*rated)], [("authorization", &*held)]);
    assert_eq!(status(&tier, &rated, 11).await, 413);
    assert_eq!(status(&tier, &rated, 8).await, 200);
    let limited = tier.post(&[rated[0], NDJSON], batch(8)).await;
    assert_eq!(limited.status().as_u16(), 429);
    assert!(limited.headers().contains_key("retry-after"));
    for _ in 0..2 {
        assert_eq!(status(&tier, &held, 3).await, 200);
        assert_eq!(status(&tier, &held, 4).await, 413);
    }
}

#[tokio::test]
async fn p10_callers_without_a_key_are_limited_by_payments_too() {
    let tier = Tier::with(vec![answered()], &[("ADDRESS_RATE", "10")]).await;
    assert_eq!(status(&tier, &[], 11).await, 413);
    let mut last = 200;
    while last == 200 {
        last = status(&tier, &[], 8).await;
    }
    assert_eq!((last, tier.calls() > 0), (429, true));
}

#[tokio::test]
async fn p10_the_signature_of_a_batch_is_good_for_that_batch_alone() {
    let file = ClientsFile::new(&format!("[clients.shop]\n{}", signer("shop")));
    let tier = file.tier(vec![answered()]).await;
    let body = batch(2);
    let mut signed = HeaderMap::new();
    let digest = digest::header_of(body.as_bytes());
    signed.insert("content-digest", digest.try_into().unwrap());
    signed.insert("content-type", NDJSON.1.try_into().unwrap());
    let message = Message {
        method: &Method::POST,
        uri: &Uri::from_static("/pay"),
        headers: &signed,
    };
    let key = SigningKey::new("ed25519", &SEED).unwrap();
    let now = Timestamp::new(OffsetDateTime::now_utc());
    let (input, signature) = key.sign(&message, "shop-signs", now).unwrap();
    signed.insert("signature-input", input.try_into().unwrap());
    signed.insert("signature", signature.try_into().unwrap());
    let send = async |media_type: &'static str, body: String| {
        let mut headers = signed.clone();
        headers.insert("content-type", media_type.try_into().unwrap());
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        tier.post(&headers, body).await
    };
    assert_eq!(send(NDJSON.1, body.clone()).await.status().as_u16(), 200);
    for (media_type, body) in [(NDJSON.1, batch(3)), ("application/json", body)] {
        let refused = send(media_type, body).await;
        assert_eq!(refused.status().as_u16(), 401, "{media_type}");
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["code"], "unauthenticated");
    }
    assert_eq!(tier.calls(), 1);
}
