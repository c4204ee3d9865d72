//! Every refusal that a person may meet is a page, with words for people.

use payment_core::{ErrorCode, Problem};

use crate::tier::{Act, BROWSER, Tier, answer};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

const UNKNOWN: &str = "It is not known whether your payment was made";

fn refusal(code: ErrorCode) -> Act {
    let status = format!("{} x", code.status());
    let body = serde_json::to_string(&Problem::new(code, "words of a server", "r")).unwrap();
    answer(
        &status,
        "content-type: application/problem+json\r\nretry-after: 7\r\n",
        &body,
    )
}

/// The page, with its status.
async fn page(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    let kind = response.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/html"), "{kind}");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let page = response.text().await.unwrap();
    assert!(!page.contains("\"code\""), "{page}");
    (status, page)
}

#[tokio::test]
async fn p4_every_refusal_of_a_form_keeps_it_and_says_whether_it_may_be_paid() {
    for code in ErrorCode::ALL {
        let tier = Tier::before(vec![refusal(code)]).await;
        let response = tier
            .post(&[FORM], "id=tx_1&amount=12.50&payer_name=Jane")
            .await;
        let (status, page) = page(response).await;
        // A server that says it broke is as good as one that said nothing.
        let expected = if code == ErrorCode::Internal {
            502
        } else {
            code.status()
        };
        assert_eq!(status, expected, "{code:?}");
        let is_unknown = page.contains(UNKNOWN) && page.contains(r#"href="/pay/tx_1""#);
        let may_be_made = [408, 429].contains(&status) || status >= 500;
        assert_eq!(is_unknown, may_be_made, "{code:?}: {page}");
        let is_no = page.contains("Nothing was paid") || page.contains("was not made");
        assert_eq!(is_no, !may_be_made, "{code:?}: {page}");
        assert!(page.contains(r#"value="Jane""#), "{code:?}: {page}");
        assert!(!page.contains("words of a server"), "{code:?}: {page}");
    }
}

#[tokio::test]
async fn what_is_refused_before_the_form_is_read_is_a_page() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let url = format!("{}/pay?id=tx_1", tier.url);
    let post = |kind: &'static str, coding: &'static str, body: String| {
        let request = reqwest::Client::new()
            .post(&url)
            .header("content-type", kind);
        let request = request
            .header("content-encoding", coding)
            .header("accept", BROWSER);
        request.body(body).send()
    };
    for (kind, coding, body, expected) in [
        (
            FORM.1,
            "",
            format!("id=tx_1&transaction={}", "x".repeat(140_000)),
            413,
        ),
        (FORM.1, "gzip", "id=tx_1".to_owned(), 415),
        (
            "multipart/form-data; boundary=x",
            "",
            "--x--".to_owned(),
            415,
        ),
        ("text/plain", "", "id=tx_1".to_owned(), 415),
        (FORM.1, "", "id=tx_1&colour=red".to_owned(), 400),
        (FORM.1, "", "id=tx_1&payer_name=J%FCrgen".to_owned(), 400),
    ] {
        let (status, page) = page(post(kind, coding, body).await.unwrap()).await;
        assert_eq!(status, expected, "{kind} {coding}");
        for part in [
            "<h1>This try was not taken</h1>",
            "Back keeps what you entered",
            r#"href="/pay?id=tx_1""#,
            r#"href="/pay/tx_1""#,
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
    }
}

#[tokio::test]
async fn an_address_without_anything_is_a_page_to_browsers_and_a_problem_to_programs() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let (status, page) = page(tier.browse("/nowhere").await).await;
    assert_eq!(status, 404);
    assert!(page.contains(r#"href="/pay""#), "{page}");
    let problem = tier.get("/nowhere").await;
    assert_eq!(problem.headers()["content-type"], Problem::MEDIA_TYPE);
}

#[tokio::test]
async fn p1_an_acceptance_of_another_payment_does_not_count() {
    for body in [
        "{}",
        "<html>",
        r#"{"id":"tx_2","status":"accepted","received_at":"2026-11-22T07:30:00.123456Z"}"#,
        r#"{"id":"tx_1","status":"maybe","received_at":"2026-11-22T07:30:00.123456Z"}"#,
    ] {
        let other = answer("200 OK", "content-type: application/json\r\n", body);
        let tier = Tier::before(vec![other]).await;
        let (status, page) = page(tier.post(&[FORM], "id=tx_1&amount=1").await).await;
        assert_eq!(status, 502, "{body}");
        assert!(page.contains(UNKNOWN), "{body}: {page}");
    }
}
