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
async fn each_page_has_an_id_of_its_own_and_loads_nothing_from_elsewhere() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let page = tier.get("/").await;
    let policy = page.headers()["content-security-policy"].to_str();
    let policy = policy.unwrap().to_owned();
    for part in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers()["cache-control"], "no-store");
    let first = page.text().await.unwrap();
    let second = tier.get("/pay").await.text().await.unwrap();
    assert_ne!(id_of(&first), id_of(&second));
}

#[tokio::test]
async fn the_page_has_every_currency_with_its_decimals_from_the_servers_own_table() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let page = tier.get("/pay").await.text().await.unwrap();
    for currency in payment_core::Currency::all() {
        let (code, decimals) = (currency.code(), currency.decimals());
        let option = format!(r#"<option value="{code}" data-decimals="{decimals}""#);
        assert!(page.contains(&option), "{option}");
        let words = format!(">{code} – {}</option>", currency.name());
        assert!(page.contains(&words), "{words}");
    }
}

#[tokio::test]
async fn assets_are_kept_for_ever_under_the_address_of_their_content() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let page = tier.get("/pay").await.text().await.unwrap();
    let (_, rest) = page.split_once(r#"src="/assets/"#).unwrap();
    let (version, _) = rest.split_once('/').unwrap();
    for (name, kind) in [
        ("pay.css", "text/css"),
        ("docs.css", "text/css"),
        ("pay.js", "text/javascript"),
        ("card.js", "text/javascript"),
        ("form.js", "text/javascript"),
        ("kept.js", "text/javascript"),
        ("payment.js", "text/javascript"),
        ("progress.js", "text/javascript"),
        ("rules.js", "text/javascript"),
        ("receipt.js", "text/javascript"),
        ("server.js", "text/javascript"),
        ("words.js", "text/javascript"),
    ] {
        let asset = tier.get(&format!("/assets/{version}/{name}")).await;
        let headers = asset.headers();
        let found = headers["content-type"].to_str().unwrap();
        assert!(found.starts_with(kind), "{name}: {found}");
        let cache = "public, max-age=31536000, immutable";
        assert_eq!(headers["cache-control"], cache);
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }
    let older = tier.get("/assets/0000000000000000/pay.js").await;
    assert_eq!(older.status().as_u16(), 200);
    assert_eq!(older.headers()["cache-control"], "no-cache");
    let tag = older.headers()["etag"].clone();
    let again = reqwest::Client::new()
        .get(format!("{}/assets/{version}/pay.js", tier.url))
        .header("if-none-match", tag)
        .send();
    assert_eq!(again.await.unwrap().status().as_u16(), 304);
    let none = tier.get(&format!("/assets/{version}/none.js")).await;
    assert_eq!(none.status().as_u16(), 404);
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
        "12.50 <",
        ">EUR<",
        r#"<time datetime="2026-11-22T07:30:00.123456Z">22 November 2026, 07:30:00 UTC<"#,
        "/pay/tx_1",
        "<bdi>Zoë &#60;b&#62;</bdi>",
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
async fn p4_a_form_that_was_paid_before_reads_that_nothing_more_was() {
    let accepted = r#"{"id":"tx_1","status":"accepted","received_at":"2026-11-22T07:30:00.123456Z","request_id":"r"}"#;
    let headers = "content-type: application/json\r\nidempotent-replayed: true\r\n";
    let tier = Tier::before(vec![answer("200 OK", headers, accepted)]).await;
    let page = tier.post(&[FORM], BODY).await.text().await.unwrap();
    for part in [
        "<h1>Payment accepted before</h1>",
        "Nothing more was paid.",
        "22 November 2026, 07:30:00 UTC",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[tokio::test]
async fn a_refusal_shows_the_form_again_with_what_to_correct() {
    let refused =
        r#"{"code":"invalid_member","detail":"amount must be more than 0","member":"amount"}"#;
    let headers = "content-type: application/problem+json\r\n";
    let tier = Tier::before(vec![answer("422 Unprocessable Content", headers, refused)]).await;
    let response = tier.post(&[FORM], BODY).await;
    assert_eq!(response.status().as_u16(), 422);
    let page = response.text().await.unwrap();
    assert!(
        page.contains("Amount must be more than 0") && page.contains(r#"aria-invalid="true""#),
        "{page}"
    );
    assert_eq!(id_of(&page), "tx_1", "the same payment is sent again");
}

#[tokio::test]
async fn a_field_that_is_wrong_is_called_by_its_label() {
    let headers = "content-type: application/problem+json\r\n";
    for (code, member, detail, words) in [
        (
            "card_number",
            "payer_name",
            "payer_name holds a card number; send a token",
            "Never enter one here.",
        ),
        (
            "invalid_member",
            "transaction",
            "transaction must have at most 200 characters",
            "What it is for must have",
        ),
    ] {
        let refused = format!(r#"{{"code":"{code}","detail":"{detail}","member":"{member}"}}"#);
        let refused = answer("422 Unprocessable Content", headers, &refused);
        let tier = Tier::before(vec![refused]).await;
        let page = tier.post(&[FORM], BODY).await.text().await.unwrap();
        assert!(page.contains(words), "{page}");
        assert!(!page.contains(detail), "{page}");
    }
}

#[tokio::test]
async fn too_much_text_is_shown_again_to_be_shortened() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let note = "x".repeat(17_000);
    let response = tier.post(&[FORM], format!("{BODY}{note}")).await;
    assert_eq!(response.status().as_u16(), 413);
    let page = response.text().await.unwrap();
    assert!(page.contains("too much text") && page.contains(&note));
    assert_eq!(id_of(&page), "tx_1");
}

#[tokio::test]
async fn p3_a_form_that_is_not_utf_8_is_refused() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let body = "id=tx_1&amount=12.50&currency=EUR&payer_name=J%FCrgen+Stra%DFe";
    let response = tier.post(&[FORM], body).await;
    assert_eq!(response.status().as_u16(), 400);
    assert!(response.text().await.unwrap().contains("not UTF-8"));
}

#[tokio::test]
async fn a_decimal_comma_is_paid_and_separators_of_thousands_get_words() {
    let accepted = r#"{"id":"tx_1","status":"accepted","received_at":"2026-11-22T07:30:00.123456Z","request_id":"r"}"#;
    let headers = "content-type: application/json\r\n";
    let tier = Tier::before(vec![answer("202 Accepted", headers, accepted)]).await;
    let response = tier
        .post(&[FORM], "id=tx_1&amount=+12%2C50&currency=EUR")
        .await;
    assert_eq!(response.status().as_u16(), 202);
    let sent = tier.seen.lock().unwrap()[0].clone();
    assert!(sent.contains(r#""amount":"12.50""#), "{sent}");

    let response = tier
        .post(&[FORM], "id=tx_1&amount=1.234%2C50&currency=EUR")
        .await;
    assert_eq!(response.status().as_u16(), 422);
    let page = response.text().await.unwrap();
    assert!(page.contains("without separators of thousands"), "{page}");
}

#[tokio::test]
async fn p8_a_refused_form_never_repeats_a_card_number() {
    let headers = "content-type: application/problem+json\r\n";
    let refused =
        r#"{"code":"card_number","detail":"payer_name holds a card number","member":"payer_name"}"#;
    let tier = Tier::before(vec![answer("422 Unprocessable Content", headers, refused)]).await;
    let body = "id=tx_1&amount=12.50&currency=EUR&payer_name=4111+1111+1111+1111";
    let page = tier.post(&[FORM], body).await.text().await.unwrap();
    assert!(
        !page.contains("1111 1111") && page.contains("12.50"),
        "{page}"
    );
    let away = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let page = away.post(&[FORM], body).await.text().await.unwrap();
    assert!(!page.contains("1111 1111"), "{page}");
}

#[tokio::test]
async fn p4_the_loser_of_an_id_reads_that_it_was_not_made_and_an_outage_keeps_the_id() {
    let headers = "content-type: application/problem+json\r\n";
    let conflict = r#"{"code":"id_conflict","detail":"another payment has this id"}"#;
    let tier = Tier::before(vec![answer("409 Conflict", headers, conflict)]).await;
    let page = tier.post(&[FORM], BODY).await.text().await.unwrap();
    assert!(page.contains("What you sent last was not made."), "{page}");
    assert!(page.contains("do not press Pay: see first"), "{page}");
    assert!(
        page.contains(r#"href="/pay/tx_1""#),
        "the one that was made"
    );
    let own = id_of(&page);
    assert_ne!(own, "tx_1");
    assert!(
        page.contains(&format!(r#"action="/pay?id={own}""#)),
        "{page}"
    );
    let again = tier.post(&[FORM], BODY).await.text().await.unwrap();
    assert_eq!(id_of(&again), own, "sent again, it is still one payment");
    let changed = BODY.replace("12.50", "12.51");
    let other = tier.post(&[FORM], changed).await.text().await.unwrap();
    assert_ne!(id_of(&other), own);
    let away = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let response = away.post(&[FORM], BODY).await;
    assert_eq!(response.status().as_u16(), 502);
    let page = response.text().await.unwrap();
    assert_eq!(id_of(&page), "tx_1");
    let words =
        "It is not known whether your payment was made. A server did not answer. Ask first.";
    assert!(page.contains(words), "{page}");
    assert!(page.contains(r#"href="/pay/tx_1""#), "{page}");
    assert!(page.contains(r#"value="12.50""#), "{page}");
}
