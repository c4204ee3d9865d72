//! The pay page, as a browser without a script uses it.

use crate::tier::{Tier, answer};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const BODY: &str = "id=tx_1&amount=12.50&currency=EUR&payer_name=Zo%C3%AB+%3Cb%3E&transaction=";

/// The value of the form's hidden id.
fn id_of(page: &str) -> &str {
    let (_, rest) = page.split_once(r#"name="id" value=""#).unwrap();
    rest.split_once('"').unwrap().0
}

#[tokio::test]
async fn each_page_has_an_id_of_its_own_and_allows_no_script() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let page = tier.get("/").await;
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("script-src"),
        "{policy}"
    );
    assert_eq!(page.headers()["cache-control"], "no-store");
    let (first, second) = (
        page.text().await.unwrap(),
        tier.get("/pay").await.text().await.unwrap(),
    );
    assert_ne!(id_of(&first), id_of(&second));
    assert!(
        tier.get("/pay.css")
            .await
            .text()
            .await
            .unwrap()
            .contains("--accent")
    );
}

#[tokio::test]
async fn a_form_becomes_a_payment_and_a_receipt() {
    let accepted = r#"{"id":"tx_1","status":"accepted","received_at":"2026-11-22T07:30:00.123456Z","request_id":"r"}"#;
    let tier = Tier::before(vec![answer(
        "202 Accepted",
        "content-type: application/json\r\n",
        accepted,
    )])
    .await;
    let response = tier.post(&[FORM], BODY).await;
    assert_eq!(response.status().as_u16(), 202);
    let page = response.text().await.unwrap();
    for part in [
        "Payment accepted",
        "12.50 EUR",
        "2026-11-22T07:30:00.123456Z",
        "/pay/tx_1",
        "Zoë &#60;b&#62;",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let sent = tier.seen.lock().unwrap()[0].clone();
    assert!(
        sent.ends_with(r#"{"id":"tx_1","amount":"12.50","currency":"EUR","payer_name":"Zoë <b>"}"#),
        "{sent}"
    );
}

#[tokio::test]
async fn a_refusal_shows_the_form_again_with_what_is_to_be_mended() {
    let refused =
        r#"{"code":"invalid_member","detail":"amount must be more than 0","member":"amount"}"#;
    let headers = "content-type: application/problem+json\r\n";
    let tier = Tier::before(vec![answer("422 Unprocessable Content", headers, refused)]).await;
    let response = tier.post(&[FORM], BODY).await;
    assert_eq!(response.status().as_u16(), 422);
    let page = response.text().await.unwrap();
    assert!(
        page.contains("amount must be more than 0") && page.contains(r#"aria-invalid="true""#),
        "{page}"
    );
    assert_eq!(id_of(&page), "tx_1", "the same payment is sent again");
}

#[tokio::test]
async fn p4_a_taken_id_is_replaced_and_an_outage_keeps_it() {
    let headers = "content-type: application/problem+json\r\n";
    let conflict = r#"{"code":"id_conflict","detail":"another payment has this id"}"#;
    let tier = Tier::before(vec![answer("409 Conflict", headers, conflict)]).await;
    assert_ne!(
        id_of(&tier.post(&[FORM], BODY).await.text().await.unwrap()),
        "tx_1"
    );
    let away = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let response = away.post(&[FORM], BODY).await;
    assert_eq!(response.status().as_u16(), 502);
    assert_eq!(id_of(&response.text().await.unwrap()), "tx_1");
}
