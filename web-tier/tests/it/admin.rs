//! What the operator is shown.

use crate::tier::{Act, Tier, answer};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn ok() -> Act {
    answer("200 OK", "content-type: text/plain\r\n", "OK")
}

#[tokio::test]
async fn ready_is_who_reaches_an_app_tier_and_health_does_not_ask() {
    let ready = Tier::before(vec![ok()]).await;
    assert_eq!(ready.get("/health").await.status().as_u16(), 200);
    assert_eq!(ready.calls(), 0);
    for _ in 0..3 {
        assert_eq!(ready.admin("/ready").await.0, 200);
    }
    assert_eq!(ready.calls(), 1, "an answer is kept for a moment");
    let alone = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let (status, why) = alone.admin("/ready").await;
    assert_eq!(status, 503);
    assert!(why.contains("can't be reached"), "{why}");
    let gone = answer("503 Service Unavailable", "", "");
    let (_, why) = Tier::before(vec![gone]).await.admin("/ready").await;
    assert!(why.contains("503"), "{why}");
}

#[tokio::test]
async fn answers_are_counted_by_status_and_refusals_by_code() {
    let accepted = answer("202 Accepted", "content-type: application/json\r\n", "{}");
    let tier = Tier::before(vec![accepted, Act::HangUp]).await;
    assert_eq!(tier.post(JSON, "{}").await.status().as_u16(), 202);
    assert_eq!(tier.post(&[], "{}").await.status().as_u16(), 415);
    let lost = tier.post(JSON, r#"{"id":"a"}"#).await;
    assert_eq!(lost.status().as_u16(), 502);
    tier.get("/health").await;
    let (_, text) = tier.admin("/metrics").await;
    for line in [
        r#"payments_http_requests_total{status="202"} 1"#,
        r#"payments_http_requests_total{status="415"} 1"#,
        r#"payments_http_requests_total{status="502"} 1"#,
        r#"payments_http_requests_total{status="200"} 0"#,
        r#"payments_http_refused_total{code="unsupported_media_type"} 1"#,
        r#"payments_http_refused_total{code="upstream_failed"} 1"#,
        "payments_http_request_duration_seconds_count 3",
        "payments_upstream_duration_seconds_count 1",
        "payments_upstream_failures_total 2",
        "payments_upstream_repeats_total 1",
        "payments_http_requests_in_flight 0",
        "payments_draining 0",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
}
