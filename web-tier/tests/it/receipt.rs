//! What became of a payment: a page for people, JSON for programs.

use crate::tier::{Act, BROWSER, Tier, answer};

const ROW: &str = r#"{"id":"order-1","state":"recorded","transaction":"Invoice \u202e1234","amount":"1234567.50","currency":"EUR","status":"processed","received_at":"2026-11-22T07:30:00.123456Z","recorded_at":"2026-11-22T07:30:01.000000Z"}"#;

fn found(body: &str) -> Act {
    answer("200 OK", "content-type: application/json\r\n", body)
}

/// The page, with its status.
async fn page(act: Act) -> (u16, String) {
    let tier = Tier::before(vec![act]).await;
    let response = tier.browse("/pay/order-1").await;
    let headers = response.headers();
    let kind = headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/html"), "{kind}");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("vary", "Accept"),
    ] {
        assert_eq!(headers[name], value);
    }
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn p3_a_row_is_a_receipt_with_its_amount_times_and_id() {
    let (status, page) = page(found(ROW)).await;
    assert_eq!(status, 200);
    for part in [
        "<h1>Payment recorded</h1>",
        "1,<wbr>234,<wbr>567.50 ",
        ">EUR<",
        r#"<time datetime="2026-11-22T07:30:00.123456Z">22 November 2026, 07:30:00 UTC</time>"#,
        "22 November 2026, 07:30:01 UTC",
        "<bdi>Invoice \u{202e}1234</bdi>",
        r#"<code class="id" id="id">order-1</code>"#,
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("recorded_at"), "{page}");
}

#[tokio::test]
async fn each_state_has_its_words() {
    let state = |state: &str| ROW.replace(r#""recorded","tr"#, &format!(r#""{state}","tr"#));
    for (body, words) in [
        (
            state("conflict"),
            "if yours is not the same, yours was not made",
        ),
        (state("rejected"), "do not pay again"),
        (ROW.replace("processed", "failed"), "nothing was paid"),
        (
            r#"{"id":"order-1","state":"accepted","received_at":"2026-11-22T07:30:00.123456Z"}"#
                .to_owned(),
            "<h1>Payment accepted</h1>",
        ),
    ] {
        let (status, page) = page(found(&body)).await;
        assert_eq!(status, 200);
        assert!(page.contains(words), "{words} in {page}");
        let is_paid = page.contains("<h1>Payment recorded</h1>");
        assert!(!is_paid, "{body}: {page}");
    }
}

#[tokio::test]
async fn what_is_not_known_says_so_and_leads_to_another_look() {
    let problem = |status: &str, code: &str| {
        let kind = "content-type: application/problem+json\r\n";
        answer(
            status,
            kind,
            &format!(r#"{{"code":"{code}","detail":"x"}}"#),
        )
    };
    for (act, expected, words) in [
        (problem("404 x", "not_found"), 404, "No payment is known"),
        (
            problem("503 x", "status_unavailable"),
            503,
            "It is not known",
        ),
        (found("{}"), 502, "It is not known"),
        (
            found(&ROW.replace("order-1", "order-2")),
            502,
            "It is not known",
        ),
        (
            found(&ROW.replace("\"recorded\"", "\"paid\"")),
            502,
            "It is not known",
        ),
    ] {
        let (status, page) = page(act).await;
        assert_eq!(status, expected);
        assert!(page.contains(words), "{words} in {page}");
        assert!(page.contains(r#"href="/pay/order-1""#), "{page}");
    }
}

#[tokio::test]
async fn p3_programs_get_json_word_for_word() {
    let tier = Tier::before(vec![found(ROW)]).await;
    for accept in [
        None,
        Some("*/*"),
        Some("application/json"),
        Some("application/json, text/html;q=0.9"),
    ] {
        let request = reqwest::Client::new().get(format!("{}/pay/order-1", tier.url));
        let request = accept
            .into_iter()
            .fold(request, |request, accept| request.header("accept", accept));
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["vary"], "Accept");
        assert_eq!(response.text().await.unwrap(), ROW);
    }
    assert!(BROWSER.contains("*/*"), "which browsers take as well");
}
