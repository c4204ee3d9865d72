//! Payments on their way through the web tier.

use std::net::SocketAddr;

use payment_core::CLIENT_HEADER;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::tier::{Act, Tier, answer};

const JSON: (&str, &str) = ("content-type", "application/json");

fn accepted() -> Act {
    let headers =
        "content-type: application/json\r\nlocation: /pay/a\r\nserver: app\r\nset-cookie: a=b\r\n";
    answer("202 Accepted", headers, r#"{"id":"a"}"#)
}

async fn code(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let body: Value = response.json().await.unwrap();
    (status, body["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn headers_pass_by_an_allow_list_in_both_directions() {
    let tier = Tier::before(vec![accepted()]).await;
    let headers = [
        JSON,
        ("idempotency-key", "a"),
        ("x-request-id", "req-1"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("cookie", "secret"),
        ("authorization", "secret"),
        ("x-forwarded-for", "1.2.3.4"),
        ("te", "trailers"),
    ];
    let response = tier.post(&headers, "{}").await;
    assert_eq!(response.status().as_u16(), 202);
    assert_eq!(response.headers()["location"], "/pay/a");
    assert_eq!(response.headers()["x-request-id"], "req-1");
    assert!(
        response.headers().get("set-cookie").is_none()
            && response.headers().get("server").is_none()
    );
    let seen = tier.seen.lock().unwrap().join("");
    for line in [
        "POST /process HTTP/1.1",
        "idempotency-key: a",
        "x-request-id: req-1",
        "traceparent: 00-0af7",
    ] {
        assert!(seen.contains(line), "{line} in {seen}");
    }
    for word in ["secret", "1.2.3.4", "trailers"] {
        assert!(!seen.contains(word), "{word} in {seen}");
    }
}

#[tokio::test]
async fn p10_a_client_name_from_outside_does_not_reach_the_app_tier() {
    let tier = Tier::before(vec![accepted()]).await;
    for name in ["x-payment-client", "X-Payment-Client", "X-PAYMENT-CLIENT"] {
        let forged = [
            JSON,
            ("idempotency-key", "a"),
            (name, "victim"),
            (name, "shop"),
        ];
        assert_eq!(tier.post(&forged, "{}").await.status().as_u16(), 202);
        let request = reqwest::Client::new().get(format!("{}/pay/a", tier.url));
        request.header(name, "victim").send().await.unwrap();
    }
    let seen = tier.seen.lock().unwrap();
    assert_eq!(seen.len(), 6);
    for request in seen.iter() {
        let request = request.to_ascii_lowercase();
        assert!(!request.contains(CLIENT_HEADER), "{request}");
        assert!(!request.contains("victim"), "{request}");
    }
}

#[tokio::test]
async fn p4_a_broken_post_is_sent_again_only_where_an_id_makes_it_safe() {
    for (headers, body, calls, status) in [
        (vec![JSON], r#"{"id":"a"}"#, 2, 202),
        (vec![JSON, ("idempotency-key", "a")], "{}", 2, 202),
        (vec![JSON], r#"{"amount":1}"#, 1, 502),
    ] {
        for broken in [
            Act::HangUp,
            answer("502 Bad Gateway", "content-type: text/html\r\n", "<html>"),
        ] {
            let tier = Tier::before(vec![broken, accepted()]).await;
            let response = tier.post(&headers, body).await;
            assert_eq!(
                (response.status().as_u16(), tier.calls()),
                (status, calls),
                "{body}"
            );
        }
    }
}

/// The first may have been recorded. Seen in a chaos run: one node took it, the answer broke, and the other node
/// had taken other content under the id when the repeat came.
#[tokio::test]
async fn p6_a_no_to_the_repeat_of_a_broken_post_is_not_passed_on() {
    let conflict = || {
        answer(
            "409 Conflict",
            "content-type: application/problem+json\r\n",
            r#"{"code":"id_conflict"}"#,
        )
    };
    let tier = Tier::before(vec![Act::HangUp, conflict()]).await;
    assert_eq!(
        code(tier.post(&[JSON], r#"{"id":"a"}"#).await).await,
        (502, "upstream_failed".to_owned())
    );
    let tier = Tier::before(vec![conflict()]).await;
    assert_eq!(
        code(tier.post(&[JSON], r#"{"id":"a"}"#).await).await,
        (409, "id_conflict".to_owned())
    );
}

#[tokio::test]
async fn a_post_is_sent_again_once_at_most() {
    let tier = Tier::before(vec![Act::HangUp]).await;
    assert_eq!(
        code(tier.post(&[JSON], r#"{"id":"a"}"#).await).await,
        (502, "upstream_failed".to_owned())
    );
    assert_eq!(tier.calls(), 2);
}

/// The upstream takes one connection at a time: a second one would wait for ever.
#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let tier = Tier::before(vec![accepted()]).await;
    for _ in 0..3 {
        assert_eq!(tier.post(&[JSON], "{}").await.status().as_u16(), 202);
    }
    assert_eq!((tier.calls(), *tier.closed.borrow()), (3, 0));
}

/// Neither payment has an id, so that nothing may be sent twice.
#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_not_used_again() {
    let Act::Answer(text) = accepted() else {
        unreachable!()
    };
    let mut tier = Tier::before(vec![Act::AnswerAndClose(text), accepted()]).await;
    assert_eq!(tier.post(&[JSON], "{}").await.status().as_u16(), 202);
    tier.closed.wait_for(|closed| *closed == 1).await.unwrap();
    assert_eq!(tier.post(&[JSON], "{}").await.status().as_u16(), 202);
    assert_eq!(tier.calls(), 2);
}

#[tokio::test]
async fn an_upstream_that_is_away_is_a_502() {
    let addr: SocketAddr = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let tier = Tier::at(addr).await;
    assert_eq!(
        code(tier.post(&[JSON], "{}").await).await,
        (502, "upstream_failed".to_owned())
    );
}

#[tokio::test]
async fn the_app_tiers_word_passes_and_a_load_balancers_does_not() {
    let problem = |status, code| {
        answer(
            status,
            "content-type: application/problem+json\r\nretry-after: 1\r\n",
            code,
        )
    };
    let html = |status| answer(status, "content-type: text/html\r\n", "<html>");
    let app_says = [
        (
            problem("409 Conflict", r#"{"code":"id_conflict"}"#),
            (409, "id_conflict"),
        ),
        (
            problem("503 Service Unavailable", r#"{"code":"draining"}"#),
            (503, "draining"),
        ),
        (
            problem("500 Internal Server Error", r#"{"code":"internal"}"#),
            (502, "upstream_failed"),
        ),
        (html("503 Service Unavailable"), (502, "upstream_failed")),
        (html("504 Gateway Timeout"), (504, "upstream_timeout")),
        (html("404 Not Found"), (502, "upstream_failed")),
        (
            answer("302 Found", "location: http://elsewhere/\r\n", ""),
            (502, "upstream_failed"),
        ),
    ];
    for (act, (status, name)) in app_says {
        let tier = Tier::before(vec![act]).await;
        assert_eq!(
            code(tier.post(&[JSON], "{}").await).await,
            (status, name.to_owned())
        );
    }
}

#[tokio::test]
async fn what_is_too_large_or_no_json_goes_no_further() {
    let tier = Tier::before(vec![accepted()]).await;
    let large = "x".repeat(16 * 1024 + 1);
    assert_eq!(
        code(tier.post(&[JSON], large).await).await,
        (413, "body_too_large".to_owned())
    );
    let text = [("content-type", "text/plain")];
    assert_eq!(
        code(tier.post(&text, "{}").await).await,
        (415, "unsupported_media_type".to_owned())
    );
    assert_eq!(
        code(tier.post(&[], "{}").await).await,
        (415, "unsupported_media_type".to_owned())
    );
    assert_eq!(
        code(tier.get("/pay/a%20b").await).await,
        (404, "not_found".to_owned())
    );
    let card = tier.get("/pay/4111111111111111").await;
    assert_eq!(code(card).await, (404, "not_found".to_owned()));
    assert_eq!(tier.calls(), 0);
}

#[tokio::test]
async fn a_status_is_asked_of_the_app_tier() {
    let tier = Tier::before(vec![answer(
        "200 OK",
        "content-type: application/json\r\n",
        r#"{"state":"recorded"}"#,
    )])
    .await;
    let body: Value = tier.get("/pay/tx_1").await.json().await.unwrap();
    assert_eq!(body["state"], "recorded");
    assert!(tier.seen.lock().unwrap()[0].starts_with("GET /process/tx_1 HTTP/1.1"));
}

#[tokio::test]
async fn health_does_not_depend_on_the_upstream() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let response = tier.get("/health").await;
    assert_eq!(
        (
            response.status().as_u16(),
            response.text().await.unwrap().as_str()
        ),
        (200, "OK")
    );
}
