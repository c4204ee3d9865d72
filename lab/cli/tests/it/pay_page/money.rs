//! What the page says about money: only what the server said about this id and this content.

use std::sync::Arc;

use payment_core::ErrorCode;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{
    page::{MATCHED, MAY_ARRIVE, NOT_KNOWN, NOT_MADE, Page, RECORDED, ROW},
    proxy::Fate::{AnswerLost, AnswerReplaced, Forged, Held, Passed, Refused, RequestLost},
};

const UNSURE: &str = "Was your payment made?";

pub async fn p4_a_double_click_and_a_reload_pay_once(page: &Page) {
    page.fill("double click").await;
    assert_eq!(page.text("#pay").await, "Pay 1,250.50 USD");
    // Both clicks happen before the page can do anything in between.
    page.run("const pay = document.getElementById('pay'); pay.click(); pay.click();")
        .await;
    page.until_shown(RECORDED).await;
    for text in ["1,250.50", "Zoë Müller", "double click"] {
        page.until_shown(text).await;
    }
    page.reload().await;
    page.until_shown(RECORDED).await;
    assert_eq!(page.proxy.sent().len(), 1);
    page.until_rows("double click", &[ROW]).await;
    let complaints = page.browser.complaints().await.unwrap();
    // The other node does not know the payment before it is a row.
    let other = complaints.iter().filter(|text| !text.contains("404"));
    assert_eq!(other.collect::<Vec<_>>(), [""; 0]);
}

pub async fn p4_offline_the_payment_waits(page: &Page) {
    page.fill("offline").await;
    page.browser.set_offline(true).await.unwrap();
    page.click("#pay").await;
    page.until_shown("You are offline.").await;
    page.browser.set_offline(false).await.unwrap();
    page.until_shown(RECORDED).await;
    page.until_rows("offline", &[ROW]).await;
}

pub async fn p4_a_lost_answer_is_asked_for_before_anything_is_sent_again(page: &Page) {
    page.proxy.posts([AnswerLost]);
    page.pay("lost answer").await;
    page.until_shown("No answer came.").await;
    assert!(page.shows(NOT_KNOWN).await);
    page.until_shown(RECORDED).await;
    assert_eq!(page.proxy.seen()[..2], ["POST", "GET"]);
    page.until_rows("lost answer", &[ROW]).await;
    let names = page.shows("Zoë Müller").await;
    assert!(names, "only a POST tells whether the row has this name");
    let sent = page.proxy.sent();
    assert_eq!((sent.len(), &sent[0]), (2, &sent[1]));
}

pub async fn p4_a_refusal_after_a_lost_try_never_says_not_made(page: &Page) {
    let unavailable = json!({"code": "status_unavailable"});
    page.proxy.all_asks(Forged(503, unavailable));
    page.proxy.posts([AnswerLost]);
    page.proxy
        .all_posts(Forged(429, json!({"code": "rate_limited"})));
    page.pay("refused later").await;
    page.until_shown("No answer came.").await;
    page.click("#cancel").await;
    page.until_shown(MAY_ARRIVE).await;
    page.click("#pay").await;
    page.until_shown("Too many payments are coming from here.")
        .await;
    assert!(page.shows(NOT_KNOWN).await);
    page.click("#cancel").await;
    page.until_shown(MAY_ARRIVE).await;
    assert!(!page.shows("not made").await);
    page.until_rows("refused later", &[ROW]).await;
}

pub async fn p4_under_an_id_that_is_not_new_something_may_have_been_sent(page: &Page) {
    let url = format!("{}/pay?id={}-old", page.proxy.url, page.id().await);
    page.browser.goto(&url).await.unwrap();
    assert_eq!(page.text("#banner").await, "", "the server knows of none");
    page.reload().await;
    assert_eq!(page.text("#banner").await, "");
    page.proxy
        .all_posts(Forged(403, json!({"code": "not_allowed"})));
    page.pay("old id").await;
    page.until_shown(MAY_ARRIVE).await;
    assert!(!page.shows("not made").await);
}

/// A browser sends a payment again by itself where the connection ended before the answer.
pub async fn p4_too_many_requests_may_be_the_answer_to_a_repeat(page: &Page) {
    page.proxy
        .all_posts(AnswerReplaced(429, json!({"code": "rate_limited"})));
    page.pay("repeated").await;
    page.until_shown("Too many payments are coming from here.")
        .await;
    assert!(page.shows(NOT_KNOWN).await);
    page.click("#cancel").await;
    page.until_shown(MATCHED).await;
    page.until_rows("repeated", &[ROW]).await;
}

pub async fn p4_a_lost_request_is_asked_for_and_then_sent_again(page: &Page) {
    page.proxy.posts([RequestLost]);
    page.pay("lost request").await;
    page.until_shown(RECORDED).await;
    assert_eq!(page.proxy.seen()[..3], ["POST", "GET", "POST"]);
    let sent = page.proxy.sent();
    assert_eq!(sent[0], sent[1]);
    page.until_rows("lost request", &[ROW]).await;
}

pub async fn p4_an_answer_without_this_id_and_a_status_is_no_receipt(page: &Page) {
    let id = page.id().await;
    let at = "2026-11-22T07:30:00Z";
    let wrong = [
        json!({}),
        json!("accepted"),
        json!({"id": "other", "status": "accepted", "received_at": at}),
        json!({"id": id, "received_at": at}),
        json!({"id": id, "status": "accepted"}),
    ];
    page.proxy
        .all_asks(Forged(404, json!({"code": "not_found"})));
    page.proxy
        .posts(wrong.iter().map(|body| Forged(200, body.clone())));
    page.pay("forged").await;
    for tries in 1..wrong.len() {
        page.proxy.until_seen(2 * tries - 1).await;
        page.until_shown("not the payment server's").await;
        assert!(page.shows(NOT_KNOWN).await);
        page.click("#again").await;
    }
    page.proxy.all_asks(Passed);
    page.until_shown(RECORDED).await;
    assert_eq!(page.proxy.sent().len(), wrong.len() + 1);
    page.until_rows("forged", &[ROW]).await;
}

pub async fn p4_an_answer_about_another_payment_says_nothing(page: &Page) {
    let at = "2026-11-22T07:30:00Z";
    let other = json!({
        "id": "other", "state": "recorded", "amount": "1250.50", "currency": "USD",
        "received_at": at, "recorded_at": at,
    });
    page.proxy.all_asks(Forged(200, other));
    page.pay("other id").await;
    page.until_shown("can't say right now what became of your payment")
        .await;
    assert!(!page.shows(RECORDED).await);
    page.proxy.all_asks(Passed);
    page.until_shown(RECORDED).await;
}

pub async fn p4_a_payment_that_is_followed_never_stands_for_the_next(page: &Page) {
    let released = Arc::new(Notify::new());
    page.proxy.asks([Held(Arc::clone(&released))]);
    page.pay("first").await;
    page.until_shown("Payment accepted").await;
    let first = page.id().await;
    page.click("#another").await;
    page.until_shown("Make a payment").await;
    page.proxy.all_posts(RequestLost);
    page.type_into("#amount", "9999").await;
    page.type_into("#transaction", "next").await;
    page.click("#pay").await;
    released.notify_one();
    page.until_shown("No answer came.").await;
    assert_ne!(page.id().await, first);
    assert_eq!(page.text("#total").await, "9,999.00 USD");
    assert!(!page.shows(RECORDED).await);
    assert_eq!(page.rows("next").await, [""; 0]);
}

pub async fn p4_a_payment_found_at_opening_is_never_sent_without_a_press(page: &Page) {
    page.proxy.all_posts(RequestLost);
    page.pay("found").await;
    page.until_shown("No answer came.").await;
    page.load().await;
    page.until_shown(UNSURE).await;
    assert!(!page.shows("Zoë Müller").await);
    let seen = page.proxy.seen();
    assert_eq!(seen.last().unwrap(), "GET");
    let sent = page.proxy.sent();

    page.proxy.all_posts(Passed);
    page.click("#again").await;
    page.until_shown(RECORDED).await;
    assert_eq!(page.proxy.seen()[seen.len()..][..2], ["GET", "POST"]);
    let again = page.proxy.sent().last().cloned();
    assert_eq!(again.as_ref(), sent.first());
    page.until_rows("found", &[ROW]).await;
}

pub async fn p4_a_payment_found_at_opening_is_recorded_when_the_server_says_so(page: &Page) {
    page.proxy.posts([AnswerLost]);
    let unavailable = json!({"code": "status_unavailable"});
    page.proxy.all_asks(Forged(503, unavailable));
    page.proxy.all_posts(RequestLost);
    page.pay("known").await;
    page.until_shown("No answer came.").await;
    page.proxy.all_asks(Passed);
    page.load().await;
    page.until_shown(MATCHED).await;
    assert!(!page.shows(RECORDED).await, "its name was never confirmed");
    page.until_rows("known", &[ROW]).await;
}

pub async fn p4_after_minutes_of_not_knowing_the_person_is_asked(page: &Page) {
    page.proxy.all_posts(RequestLost);
    page.pay("minutes").await;
    page.until_shown("No answer came.").await;
    page.skip(4).await;
    page.until_shown(UNSURE).await;
    let seen = page.proxy.seen();
    page.click("#cancel").await;
    page.until_shown("Cancelled.").await;
    assert_eq!(page.proxy.seen()[seen.len()..], ["GET"]);
    assert_eq!(page.rows("minutes").await, [""; 0]);
}

pub async fn p4_a_cancelled_payment_and_the_next_try_are_one(page: &Page) {
    page.proxy.posts([AnswerLost]);
    page.proxy.all_posts(RequestLost);
    let unavailable = json!({"code": "status_unavailable"});
    page.proxy.all_asks(Forged(503, unavailable));
    page.pay("cancelled").await;
    let id = page.id().await;
    page.until_shown("No answer came.").await;
    page.click("#cancel").await;
    page.until_shown("An earlier try may still arrive.").await;
    assert_eq!(page.value("#amount").await, "1250.50");
    assert_eq!(page.id().await, id);

    page.proxy.reset();
    page.click("#pay").await;
    page.until_shown(RECORDED).await;
    page.until_rows("cancelled", &[ROW]).await;
}

pub async fn p4_the_loser_of_an_id_reads_that_it_was_not_made(page: &Page) {
    let id = page.id().await;
    page.record(&id).await;
    page.pay("loser").await;
    page.until_shown(NOT_MADE).await;
    page.until_shown("That one was 11.00 USD.").await;
    assert_ne!(page.id().await, id);
    page.click("#pay").await;
    page.until_shown(RECORDED).await;
    page.until_rows("loser", &[ROW]).await;
}

/// Two nodes may accept the same id before either knows of the other.
pub async fn p4_an_accepted_payment_that_lost_its_id_reads_so(page: &Page) {
    let id = page.id().await;
    page.record(&id).await;
    let accepted = json!({"id": id, "status": "accepted", "received_at": "2026-11-22T07:30:00Z"});
    page.proxy.posts([Forged(202, accepted)]);
    page.pay("late loser").await;
    page.until_shown(NOT_MADE).await;
    page.until_shown("That one was 11.00 USD.").await;
    assert!(!page.shows(RECORDED).await);
}

pub async fn p4_a_refusal_after_a_lost_answer_does_not_end_the_payment(page: &Page) {
    let refusal = json!({"code": "invalid_member", "member": "amount", "detail": "wrong"});
    page.proxy.posts([AnswerLost, Forged(422, refusal)]);
    let unavailable = json!({"code": "status_unavailable"});
    page.proxy.asks([Forged(503, unavailable)]);
    page.pay("refused after").await;
    page.until_shown(RECORDED).await;
    assert_eq!(page.proxy.seen()[..4], ["POST", "GET", "POST", "GET"]);
    page.until_rows("refused after", &[ROW]).await;
}

pub async fn p4_too_many_requests_is_sent_again_under_the_same_id(page: &Page) {
    let refusal = json!({"code": "rate_limited"});
    page.proxy.posts([Refused(429, refusal, 1)]);
    page.pay("too many").await;
    page.until_shown("Too many payments are coming from here.")
        .await;
    assert!(page.shows(NOT_KNOWN).await);
    page.until_shown(RECORDED).await;
    let sent = page.proxy.sent();
    assert_eq!((sent.len(), &sent[0]), (2, &sent[1]));
    page.until_rows("too many", &[ROW]).await;
}

/// What takes too long for a test: the states themselves, with a simulated clock.
pub async fn p4_pauses_and_limits_are_those_of_the_table(page: &Page) {
    let script = "
        const payment = { id: 'tx_1', amount: '1.00', currency: 'USD' };
        const minutes = (count) => count * 60_000;
        return import(document.querySelector('script').src.replace('pay.js', 'payment.js')).then(({ isKept, next, start }) => {
            const run = (...events) => events.reduce(next, start(true));
            const pay = { type: 'pay', payment, now: 0 };
            const lost = (now) => ({ type: 'lost', code: 'lost', now });
            const open = (record, id, now) =>
                run({ type: 'open', kept: [record].filter((record) => isKept(record, id, now)), id, now }).name;
            const press = (kept) => run({ ...pay, kept }).name;
            const receipt = { payment, receivedAt: 'then', at: 0 };
            return {
                retryAfter: run(pay, { type: 'lost', code: 'rate_limited', after: 20_000, now: 0 }).pauseMs,
                offline: run(pay, { type: 'lost', code: 'offline', now: 0 }).pauseMs,
                slept: run(pay, lost(0), { type: 'waited', now: minutes(60) }, { type: 'unknown', now: minutes(60) }).name,
                late: run(pay, lost(minutes(3))).name,
                receipt: open(receipt, 'tx_1', minutes(30)),
                oldReceipt: open(receipt, 'tx_1', minutes(31)),
                othersReceipt: open(receipt, 'tx_2', 0),
                oldUnknown: open({ payment, at: 0 }, 'tx_2', minutes(60 * 24)),
                ownLost: press([{ payment, at: 0 }]),
                othersLost: press([{ payment: { ...payment, id: 'tx_2' }, at: 0 }]),
                othersAccepted: press([{ ...receipt, payment: { ...payment, id: 'tx_2' } }]),
            };
        });";
    let expected = json!({
        "retryAfter": 20_000,
        "offline": 180_000,
        "slept": "unsure",
        "late": "unsure",
        "receipt": "following",
        "oldReceipt": "editing",
        "othersReceipt": "editing",
        "oldUnknown": "asking",
        "ownLost": "sending",
        "othersLost": "asking",
        "othersAccepted": "sending",
    });
    assert_eq!(page.run(script).await, expected);
}

/// Lost and late answers, races for the id and clicks, in random order.
pub async fn p4_no_order_of_answers_makes_the_page_say_what_is_not_so(page: &Page) {
    let script = format!(
        "{}
        return import(document.querySelector('script').src.replace('pay.js', 'payment.js')).then((payment) =>
            import(document.querySelector('script').src.replace('pay.js', 'words.js')).then((words) =>
                Array.from({{ length: 20_000 }}, (_, seed) => walk(payment, words, seed)).flat().slice(0, 3)));",
        include_str!("walks.js")
    );
    assert_eq!(page.run(&script).await, json!([]));
}

pub async fn p4_it_pays_in_a_browser_without_abort_signal_timeout(page: &Page) {
    page.run("delete AbortSignal.timeout").await;
    page.pay("old browser").await;
    page.until_shown(RECORDED).await;
    page.until_rows("old browser", &[ROW]).await;
}

pub async fn a_receipt_keeps_no_name_and_expires(page: &Page) {
    page.pay("kept").await;
    page.until_shown(RECORDED).await;
    let kept = page.run("return sessionStorage.getItem('payments')").await;
    assert!(!kept.as_str().unwrap().contains("Zoë"), "{kept}");
    page.reload().await;
    page.until_shown(RECORDED).await;
    assert!(!page.shows("Zoë Müller").await);

    page.load().await;
    assert!(!page.shows(RECORDED).await, "who comes next has a new form");
    assert_eq!(page.run("return sessionStorage.length").await, 0);
}

pub async fn p5_following_says_when_it_stops_and_goes_on_when_pressed(page: &Page) {
    let unavailable = json!({"code": "status_unavailable"});
    page.proxy.all_asks(Forged(503, unavailable));
    page.pay("followed").await;
    page.until_shown("can't say right now what became of your payment")
        .await;
    assert!(page.shows("Your payment is safe: do not pay again.").await);
    page.skip(11).await;
    page.until_shown("this page has stopped asking").await;
    page.proxy.all_asks(Passed);
    page.click("#again").await;
    page.until_shown(RECORDED).await;
}

/// Texts are selected by the answer's code: each code has one, without the server's English text in it.
pub async fn every_error_has_words_and_keeps_what_was_typed(page: &Page) {
    let words = "return import(document.querySelector('script').src.replace('pay.js', 'words.js')).then((m) => m.WORDS)";
    let words: Value = page.run(words).await;
    for code in ErrorCode::ALL {
        let expected = words[code.code()].as_str();
        let expected = expected.unwrap_or_else(|| panic!("{} has no words", code.code()));
        page.start_over().await;
        let refusal = json!({"code": code.code(), "detail": "words of a server"});
        page.proxy.all_posts(Forged(code.status(), refusal));
        page.pay("errors").await;
        page.until_shown(expected).await;
        assert!(!page.shows("words of a server").await, "{}", code.code());
        let typed = page.value("#amount").await;
        assert_eq!(typed, "1250.50", "{}", code.code());
    }
}
