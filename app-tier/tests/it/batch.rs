//! Batches over real sockets: each line has the outcome of a request of its own.

use std::collections::BTreeSet;

use app_tier::committer::Layout;
use futures::FutureExt as _;
use reqwest::Response;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::http::Tier as HttpTier;
use crate::tier::{Tier, accepted, payment, submission};

const NDJSON: &str = "application/x-ndjson";

async fn lines(answer: Response) -> Vec<Value> {
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.headers()["content-type"], NDJSON);
    let text = answer.text().await.unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Posts a batch whose new payments S3 confirms.
async fn confirmed(tier: &mut HttpTier, body: String) -> Vec<Value> {
    let mut answer = tier.post_as(NDJSON, body);
    loop {
        tokio::select! {
            answer = &mut answer => return lines(answer.unwrap()).await,
            put = tier.puts.recv() => put.unwrap().confirm(),
        }
    }
}

fn statuses(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["status"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn p1_each_line_has_its_outcome_once_its_put_is_confirmed() {
    let mut tier = HttpTier::start(None).await;
    let body = [
        r#"{"id":"a","amount":1}"#,
        r#"{"id":"a","amount":2}"#,
        "",
        r#"{"id":"a","amount":"1.0"}"#,
        r#"{"id":"b""#,
        r#"{"amount":1}"#,
        r#"{"id":"c","note":"4111 1111 1111 1111"}"#,
        r#"{"id":"d","amount":-1}"#,
        r#"{"id":"e"}"#,
    ];
    let answer = tier.post_as(NDJSON, body.join("\n"));
    let put = tier.puts.recv().await.unwrap();
    assert_eq!(put.lines(), 2);
    assert!(!answer.is_finished());
    put.confirm();
    let lines = lines(answer.await.unwrap()).await;
    let seen: Vec<_> = lines
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
            let number = line["line"].as_u64().unwrap();
            (number, text("id"), text("status"), text("code"))
        })
        .collect();
    let expected = [
        (1, "a", "accepted", "-"),
        (2, "a", "refused", "id_conflict"),
        (4, "a", "replayed", "-"),
        (5, "-", "refused", "malformed_json"),
        (6, "-", "refused", "invalid_member"),
        (7, "c", "refused", "card_number"),
        (8, "d", "refused", "invalid_member"),
        (9, "e", "accepted", "-"),
    ];
    let expected = expected.map(|(number, id, status, code)| {
        (number, id.to_owned(), status.to_owned(), code.to_owned())
    });
    assert_eq!(seen, expected);
    assert_eq!(lines[2]["request_id"], lines[0]["request_id"]);
    assert_eq!(lines[2]["received_at"], lines[0]["received_at"]);
    assert_eq!(
        (&lines[4]["http_status"], &lines[4]["member"]),
        (&422.into(), &"id".into())
    );
    assert!(!format!("{lines:?}").contains("1111"));
    assert_eq!(tier.figure("payments_accepted_total").await, "2");
    let refused = r#"payments_batch_refused_total{code="invalid_member"}"#;
    assert_eq!(tier.figure(refused).await, "2");
    assert_eq!(tier.figure("payments_batches_bytes").await, "0");
}

#[tokio::test]
async fn p4_a_batch_that_is_sent_again_is_replayed_whole() {
    let mut tier = HttpTier::start(None).await;
    let body: Vec<_> = (0..1000).map(payment).collect();
    let first = confirmed(&mut tier, body.join("\n")).await;
    assert!(statuses(&first).iter().all(|status| *status == "accepted"));
    let again = lines(tier.post_as(NDJSON, body.join("\n")).await.unwrap()).await;
    assert!(statuses(&again).iter().all(|status| *status == "replayed"));
    for (first, again) in first.iter().zip(&again) {
        for member in ["line", "id", "received_at", "request_id"] {
            assert_eq!(first[member], again[member]);
        }
    }
    let single = tier.post(payment(7)).await.unwrap();
    assert_eq!(single.headers()["idempotent-replayed"], "true");
}

#[tokio::test]
async fn p4_a_thousand_lines_of_one_id_are_one_payment() {
    let mut tier = HttpTier::start(None).await;
    let answer = tier.post_as(NDJSON, (payment("a") + "\n").repeat(1000));
    let put = tier.puts.recv().await.unwrap();
    assert_eq!(put.lines(), 1);
    put.confirm();
    let lines = lines(answer.await.unwrap()).await;
    let seen: BTreeSet<_> = statuses(&lines[1..]).into_iter().collect();
    assert_eq!(
        (statuses(&lines)[0], seen),
        ("accepted", ["replayed"].into())
    );
}

#[tokio::test]
async fn p5_what_s3_did_not_confirm_may_be_sent_again() {
    let mut tier = HttpTier::start(None).await;
    let body = [payment("a"), "[]".to_owned(), payment("b")].join("\n");
    let answer = tier.post_as(NDJSON, body.clone());
    tier.puts.recv().await.unwrap().fail();
    let failed = lines(answer.await.unwrap()).await;
    assert_eq!(statuses(&failed), ["unconfirmed", "refused", "unconfirmed"]);
    for line in [&failed[0], &failed[2]] {
        assert_eq!(
            (&line["code"], &line["retry_after"]),
            (&"storage_unavailable".into(), &1.into())
        );
        assert_eq!(line["http_status"], 503);
    }
    let again = confirmed(&mut tier, body).await;
    assert_eq!(statuses(&again), ["accepted", "refused", "accepted"]);
}

/// The other content under the id never became a payment.
#[tokio::test]
async fn p4_an_id_is_free_for_a_later_line_if_the_put_failed() {
    let mut tier = HttpTier::start(None).await;
    let body = [r#"{"id":"a","amount":1}"#, r#"{"id":"a","amount":2}"#].join("\n");
    let answer = tier.post_as(NDJSON, body);
    tier.puts.recv().await.unwrap().fail();
    let put = tier.puts.recv().await.unwrap();
    assert!(String::from_utf8_lossy(&put.body).contains(r#""amount":"2.00""#));
    put.confirm();
    let lines = lines(answer.await.unwrap()).await;
    assert_eq!(statuses(&lines), ["unconfirmed", "accepted"]);
}

#[tokio::test]
async fn p5_at_the_deadline_lines_with_an_outcome_keep_it() {
    let mut tier = HttpTier::start(None).await;
    let known = tier.post(payment("known"));
    tier.puts.recv().await.unwrap().confirm();
    assert_eq!(known.await.unwrap().status().as_u16(), 202);
    let body = [payment("late"), payment("known"), "[]".to_owned()].join("\n");
    let answer = tier.post_as(NDJSON, body);
    let put = tier.puts.recv().await.unwrap();
    let lines = lines(answer.await.unwrap()).await;
    assert_eq!(statuses(&lines), ["unconfirmed", "replayed", "refused"]);
    assert_eq!(lines[0]["code"], "storage_unavailable");
    put.confirm();
}

#[tokio::test]
async fn p6_a_line_is_refused_as_a_body_of_its_own_is() {
    let mut tier = HttpTier::start(None).await;
    let long = format!(r#"{{"id":"long","note":"{}"}}"#, "x".repeat(16 * 1024));
    let deep = format!(
        r#"{{"id":"deep","note":{}{}}}"#,
        "[".repeat(16),
        "]".repeat(16)
    );
    let bodies = [
        "[]",
        "{",
        "\u{feff}[]",
        r#"{"id":"a","id":"a"}"#,
        r#"{"id":".."}"#,
        r#"{"id":"4111111111111111"}"#,
        r#"{"id":"a","amount":"1.234"}"#,
        r#"{"id":"a","currency":"HRK"}"#,
        r#"{"id":"a","status":"paid"}"#,
        r#"{"id":"a","payer_name":7}"#,
        &long,
        &deep,
    ];
    let batch = lines(tier.post_as(NDJSON, bodies.join("\n")).await.unwrap()).await;
    for (body, line) in bodies.iter().zip(&batch) {
        let single = tier.post((*body).to_owned()).await.unwrap();
        assert_eq!(line["http_status"], single.status().as_u16(), "{body}");
        let problem: Value = single.json().await.unwrap();
        assert_eq!(
            (&line["code"], &line["member"]),
            (&problem["code"], &problem["member"]),
            "{body}"
        );
    }
    let text = [b"\xff\n".as_slice(), payment("b").as_bytes()].concat();
    let odd = tier.post_as(NDJSON, text);
    tier.puts.recv().await.unwrap().confirm();
    let odd = lines(odd.await.unwrap()).await;
    assert_eq!(statuses(&odd), ["refused", "accepted"]);
    assert_eq!(odd[0]["http_status"], 400);
}

/// So that a single payment is queued however many batches wait.
#[tokio::test]
async fn p5_batches_fill_half_of_the_queue_and_wait() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let first = tier.post(&payment("first")).await;
    let held = tier.put().await;
    let mut batches = Vec::new();
    for batch in 0..4 {
        let mut many = tier.intake.many(std::iter::repeat_n(20, 1000)).await;
        for line in 0..1000 {
            many.take_up(submission(&payment(format!("{batch}-{line}")), 1), 20);
        }
        many.queue(&submission(&payment("a"), 1).receipt.request_id)
            .await;
        batches.push(many);
    }
    let intake = tier.intake.clone();
    let next = || intake.many(std::iter::repeat_n(20, 1000));
    assert!(
        next().now_or_never().is_none(),
        "a fifth of the batches had room"
    );
    let single: JoinHandle<_> = tier.post(&payment("single")).await;
    held.confirm();
    accepted(first).await;
    while !single.is_finished() {
        tokio::select! {
            put = tier.puts.recv() => put.unwrap().confirm(),
            () = tokio::task::yield_now() => {}
        }
    }
    accepted(single).await;
    assert!(next().now_or_never().is_some());
}
