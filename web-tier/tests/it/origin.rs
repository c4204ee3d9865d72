//! Payments from pages of other sites.

use crate::tier::{BROWSER, Tier, answer};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");
const BODY: &str = "id=tx_1&amount=1";

fn accepted() -> crate::tier::Act {
    let body = r#"{"id":"tx_1","status":"accepted","received_at":"2026-11-22T07:30:00.123456Z","request_id":"r"}"#;
    answer("202 Accepted", "content-type: application/json\r\n", body)
}

#[tokio::test]
async fn p10_a_page_of_another_site_cannot_pay() {
    let tier = Tier::before(vec![accepted()]).await;
    let elsewhere = ("origin", "https://evil.example");
    for other in [
        &[("sec-fetch-site", "cross-site"), elsewhere][..],
        &[("sec-fetch-site", "same-site")],
        &[elsewhere],
        &[("origin", "null")],
    ] {
        let browser = [FORM, ("accept", BROWSER)];
        let form = tier.post(&[other, &browser].concat(), BODY).await;
        assert_eq!(form.status().as_u16(), 403, "{other:?}");
        let page = form.text().await.unwrap();
        assert!(
            page.contains("This try was not taken") && page.contains("another site"),
            "{page}"
        );

        let json = tier
            .post(&[other, &[JSON]].concat(), r#"{"id":"tx_1"}"#)
            .await;
        assert_eq!(json.status().as_u16(), 403, "{other:?}");
        let problem = json.text().await.unwrap();
        assert!(problem.contains(r#""code":"not_allowed""#), "{problem}");
    }
    assert_eq!(tier.calls(), 0);
}

#[tokio::test]
async fn the_own_page_and_programs_pay() {
    let tier = Tier::before(vec![accepted()]).await;
    let own = tier.url.clone();
    for own in [
        &[][..],
        &[("origin", own.as_str())],
        &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        &[("sec-fetch-site", "none")],
    ] {
        let form = tier.post(&[own, &[FORM]].concat(), BODY).await;
        assert_eq!(form.status().as_u16(), 202, "{own:?}");
        let json = tier
            .post(&[own, &[JSON]].concat(), r#"{"id":"tx_1"}"#)
            .await;
        assert_eq!(json.status().as_u16(), 202, "{own:?}");
    }
}
