//! The id stands in the form's address, so that Back, reload and sending again keep it.

use crate::tier::{Tier, answer};

const FOUND: &str =
    r#"{"id":"order-1","state":"accepted","received_at":"2026-11-22T07:30:00.123456Z"}"#;

#[tokio::test]
async fn p4_the_form_moves_to_an_address_with_an_id_of_its_own() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    for path in [
        "/",
        "/pay",
        "/pay?id=",
        "/pay?id=a%2Fb",
        "/pay?id=4111111111111111",
    ] {
        let moved = tier.browse(path).await;
        assert_eq!(moved.status().as_u16(), 303, "{path}");
        assert_eq!(moved.headers()["cache-control"], "no-store");
        let address = moved.headers()["location"].to_str().unwrap();
        let id = address.strip_prefix("/pay?id=tx_").unwrap();

        let page = tier.browse(address).await;
        assert_eq!(page.headers()["cache-control"], "no-store");
        let page = page.text().await.unwrap();
        for part in [
            format!(r#"name="id" value="tx_{id}""#),
            format!(r#"action="/pay?id=tx_{id}""#),
        ] {
            assert!(page.contains(&part), "{part} in {page}");
        }
    }
}

#[tokio::test]
async fn p4_the_address_of_a_payment_that_was_made_leads_to_its_receipt() {
    let found = answer("200 OK", "content-type: application/json\r\n", FOUND);
    let tier = Tier::before(vec![found]).await;
    let moved = tier.browse("/pay?id=order-1").await;
    assert_eq!(moved.status().as_u16(), 303);
    assert_eq!(moved.headers()["location"], "/pay/order-1");
}

#[tokio::test]
async fn p5_the_form_needs_no_app_tier_and_says_what_could_not_be_asked() {
    let away = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let form = away.browse("/pay?id=order-1").await;
    assert_eq!(form.status().as_u16(), 200);
    let form = form.text().await.unwrap();
    for part in [
        "It is not known whether your payment was made.",
        r#"href="/pay/order-1""#,
    ] {
        assert!(form.contains(part), "{part} in {form}");
    }
    let new = away.get("/pay").await.text().await.unwrap();
    assert!(!new.contains("It is not known"), "nothing was sent: {new}");
}

#[tokio::test]
async fn p4_a_form_under_an_unused_id_has_no_warning() {
    let unknown = r#"{"code":"not_found","detail":"no payment has this id"}"#;
    let kind = "content-type: application/problem+json\r\n";
    let tier = Tier::before(vec![answer("404 Not Found", kind, unknown)]).await;
    let old = tier.get("/pay?id=order-1").await.text().await.unwrap();
    assert!(!old.contains("It is not known"), "the server knows of none");
    let asked = tier.seen.lock().unwrap()[0].clone();
    assert!(asked.starts_with("GET /process/order-1?wait=0 "), "{asked}");
}
