//! Odd requests, byte by byte: what a browser or a library would not send.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tier::Tier;

/// Requests without their end: `Connection: close` follows.
const ODD: &[&str] = &[
    "GET /nowhere HTTP/1.1",
    "GET //pay HTTP/1.1",
    "GET /pay/ HTTP/1.1",
    "GET /pay/%ff HTTP/1.1",
    "GET /pay/%00 HTTP/1.1",
    "GET /pay/a%2fb HTTP/1.1",
    "GET /pay/a/b HTTP/1.1",
    "GET /assets/x/%ff HTTP/1.1",
    "GET /assets/%ff/pay.js HTTP/1.1",
    "GET /assets/x HTTP/1.1",
    "POST /assets/x/pay.js HTTP/1.1",
    "POST / HTTP/1.1",
    "POST /health HTTP/1.1",
    "POST /openapi.json HTTP/1.1",
    "DELETE /pay/a HTTP/1.1",
    "PUT /pay HTTP/1.1",
    "PATCH /pay HTTP/1.1",
    "TRACE /pay HTTP/1.1",
    "OPTIONS /pay HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "BREW /pay HTTP/1.1",
    "CONNECT pay:443 HTTP/1.1",
    "GET http://elsewhere/nowhere HTTP/1.1",
    "POST /pay HTTP/1.1",
    "POST /pay HTTP/1.1\r\ncontent-type: text/plain",
    "POST /pay HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 99999",
    "POST /pay HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded",
    "POST /pay HTTP/1.1\r\ncontent-type: application/json\r\nidempotency-key: a\r\nidempotency-key: b",
    "POST /pay HTTP/1.1\r\ncontent-type: application/json\r\nidempotency-key: \u{e4}",
    "POST /pay/a HTTP/1.1\r\ntransfer-encoding: chunked",
];

async fn send(tier: &Tier, odd: &str) -> String {
    let address: SocketAddr = tier.url.strip_prefix("http://").unwrap().parse().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{odd}\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.to_lowercase()
}

#[tokio::test]
async fn every_odd_request_is_refused_with_a_problem() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    for odd in ODD {
        let answer = send(&tier, odd).await;
        assert!(answer.starts_with("http/1.1 4"), "{odd}: {answer}");
        let kind = "\r\ncontent-type: application/problem+json\r\n";
        assert!(answer.contains(kind), "{odd}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(body.contains("\"code\":"), "{odd}: {answer}");
    }
}

#[tokio::test]
async fn a_head_of_what_is_not_there_has_the_type_of_a_problem() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let answer = send(&tier, "HEAD /nowhere HTTP/1.1").await;
    assert!(answer.contains("application/problem+json"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn p4_two_keys_that_differ_are_refused_and_one_sent_twice_is_one() {
    let accepted = crate::tier::answer("202 Accepted", "content-type: application/json\r\n", "{}");
    let tier = Tier::before(vec![accepted]).await;
    let json = ("content-type", "application/json");
    let keys = |one, two| [json, ("idempotency-key", one), ("idempotency-key", two)];
    let differ = tier.post(&keys("a", "b"), "{}").await;
    assert_eq!(differ.status().as_u16(), 400);
    assert!(differ.text().await.unwrap().contains("\"id_mismatch\""));
    assert_eq!(tier.calls(), 0);
    assert_eq!(
        tier.post(&keys("a", "a"), "{}").await.status().as_u16(),
        202
    );
    let seen = tier.seen.lock().unwrap().join("");
    assert_eq!(seen.matches("idempotency-key: a").count(), 1, "{seen}");
}
