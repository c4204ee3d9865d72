//! What the page says of an earlier try, and of what somebody else paid: never that it is this payment.

use serde_json::{Value, json};

use super::{
    page::{MATCHED, MAY_ARRIVE, NOT_KNOWN, NOT_MADE, Page, RECORDED, ROW},
    proxy::Fate::{AnswerLost, Forged, RequestLost},
};

pub async fn p4_a_form_brought_back_asks_for_what_another_one_lost(page: &Page) {
    page.run("window.isFirst = true").await;
    page.click("footer a").await;
    page.until_shown("Payments API").await;
    page.click("footer a").await;
    page.until_shown("What it is for").await;
    page.lose_answer("brought back").await;
    let id = page.id().await;
    page.until_rows("brought back", &[ROW]).await;
    page.proxy.reset();
    page.run("history.go(-2)").await;
    page.browser.until("window.isFirst").await.unwrap();
    page.until_shown(MATCHED).await;
    assert_eq!(page.id().await, id);
    page.until_rows("brought back", &[ROW]).await;
}

pub async fn p4_a_receipt_brought_back_forgets_no_lost_payment(page: &Page) {
    let unavailable = json!({"code": "status_unavailable"});
    page.proxy.all_asks(Forged(503, unavailable));
    page.pay("followed first").await;
    page.until_shown("Payment accepted").await;
    page.run("window.isFirst = true").await;
    page.click("#another").await;
    page.until_shown("What it is for").await;
    page.lose_answer("lost second").await;
    let id = page.id().await;
    page.until_rows("lost second", &[ROW]).await;
    let asked = page.proxy.seen().len();
    page.run("history.back()").await;
    page.browser.until("window.isFirst").await.unwrap();
    page.proxy.until_seen(asked + 2).await;
    page.proxy.reset();
    page.click("#another").await;
    page.until_shown(MATCHED).await;
    assert_eq!(page.id().await, id);
}

pub async fn p4_what_somebody_else_paid_under_the_id_is_not_this_payment(page: &Page) {
    let id = page.id().await;
    let same = json!({
        "id": id, "amount": "1250.50", "currency": "USD", "payer_name": "Zoë Müller", "transaction": "shared",
    });
    page.lab.until_accepted(&same.to_string()).await;
    page.until_rows("shared", &[ROW]).await;
    page.pay("shared").await;
    page.until_shown("A payment like this was made before")
        .await;
    assert!(page.shows("Nothing more was paid.").await);
    assert!(!page.shows(RECORDED).await);
    assert_eq!(page.run("return sessionStorage.length").await, 0);
}

/// Two nodes may accept one id, before either knows of the other.
pub async fn p4_after_acceptance_a_row_with_another_name_is_not_this_payment(page: &Page) {
    let id = page.id().await;
    let other = json!({
        "id": id, "amount": "1250.50", "currency": "USD", "payer_name": "Alice", "transaction": "raced",
    });
    page.lab.until_accepted(&other.to_string()).await;
    page.until_rows("raced", &["1250.5000\tUSD\tAlice"]).await;
    let accepted = json!({"id": id, "status": "accepted", "received_at": "2026-11-22T07:30:00Z"});
    page.proxy.posts([Forged(202, accepted)]);
    page.pay("raced").await;
    page.until_shown(NOT_MADE).await;
    assert!(!page.shows(RECORDED).await);
}

pub async fn p4_a_change_after_a_lost_answer_shows_the_first_try(page: &Page) {
    let unavailable = json!({"code": "status_unavailable"});
    page.proxy.all_asks(Forged(503, unavailable));
    page.proxy.posts([AnswerLost]);
    page.proxy.all_posts(RequestLost);
    page.pay("changed").await;
    page.until_shown("No answer came.").await;
    let id = page.id().await;
    page.click("#cancel").await;
    page.type_into("#payer_name", "x").await;
    page.proxy.reset();
    page.click("#pay").await;
    page.until_shown("An earlier payment was made").await;
    assert!(page.shows("Your change was not made.").await);
    assert!(page.shows("1,250.50").await);
    assert_eq!(page.id().await, id, "no new number without a press");
    page.until_rows("changed", &[ROW]).await;
}

pub async fn p4_a_cancelled_try_is_asked_for_when_the_tab_opens_the_form(page: &Page) {
    for (fate, outcome) in [(RequestLost, MAY_ARRIVE), (AnswerLost, MATCHED)] {
        page.start_over().await;
        let unavailable = json!({"code": "status_unavailable"});
        page.proxy.all_asks(Forged(503, unavailable));
        page.proxy.posts([fate]);
        page.proxy.all_posts(RequestLost);
        page.pay("reopened").await;
        page.until_shown("No answer came.").await;
        let id = page.id().await;
        page.click("#cancel").await;
        if outcome == MATCHED {
            page.until_rows("reopened", &[ROW]).await;
        }
        page.proxy.reset();
        page.load().await;
        page.until_shown(outcome).await;
        assert_eq!(page.proxy.seen()[0], "GET");
        assert_eq!(page.id().await, id);
        assert_eq!(page.value("#amount").await, "1250.50");
    }
    page.until_rows("reopened", &[ROW]).await;
}

pub async fn p4_a_row_of_another_name_is_not_this_payment(page: &Page) {
    let id = page.id().await;
    let other = json!({
        "id": id, "amount": "1250.50", "currency": "USD", "payer_name": "Alice", "transaction": "namesake",
    });
    page.lab.until_accepted(&other.to_string()).await;
    page.until_rows("namesake", &["1250.5000\tUSD\tAlice"])
        .await;
    page.proxy.posts([RequestLost]);
    page.pay("namesake").await;
    page.until_shown(NOT_MADE).await;
    assert!(!page.shows(RECORDED).await);
}

pub async fn p4_a_state_of_odd_types_says_nothing(page: &Page) {
    let id = page.id().await;
    let at = "2026-11-22T07:30:00Z";
    let right = json!({
        "id": id, "state": "recorded", "amount": "1250.50", "currency": "USD", "transaction": "odd types",
        "status": "processed", "received_at": at, "recorded_at": at,
    });
    let odd = [
        ("amount", json!(10)),
        ("amount", Value::Null),
        ("transaction", json!([])),
        ("received_at", json!("1")),
    ];
    let with = |(member, value): &(&str, Value)| {
        let mut body = right.clone();
        body[*member] = value.clone();
        Forged(200, body)
    };
    page.proxy.all_posts(RequestLost);
    page.proxy.asks(odd.iter().map(with));
    page.pay("odd types").await;
    for tries in 1..=odd.len() {
        page.proxy.until_seen(2 * tries).await;
        page.until_shown(NOT_KNOWN).await;
        page.click("#again").await;
    }
    assert!(!page.shows("not made").await);
    page.proxy.reset();
    page.until_shown(RECORDED).await;
    page.until_rows("odd types", &[ROW]).await;
}

pub async fn a_receipt_of_its_own_ends_what_the_tab_has_kept(page: &Page) {
    let unavailable = json!({"code": "status_unavailable"});
    page.proxy.all_asks(Forged(503, unavailable));
    page.proxy.posts([AnswerLost]);
    page.proxy.all_posts(RequestLost);
    page.pay("own receipt").await;
    page.until_shown("No answer came.").await;
    let url = format!("{}/pay/{}", page.proxy.url, page.id().await);
    page.until_rows("own receipt", &[ROW]).await;
    page.browser.goto(&url).await.unwrap();
    page.until_shown(RECORDED).await;
    page.click("main a.button").await;
    page.until_shown("Make a payment").await;
    assert_eq!(page.value("#amount").await, "");
    assert_eq!(page.run("return sessionStorage.length").await, 0);
}
