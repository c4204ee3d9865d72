//! Repeats, conflicts and ids of several clients, with every answer of S3 in the test's hand.

use app_tier::committer::Layout;
use app_tier::intake::{Accepted, NotAccepted, Submission};
use payment_core::LogRecord;

use crate::tier::{Tier, accepted, payment, refused, submission};

#[tokio::test]
async fn p4_repeats_in_flight_share_the_first_ones_outcome() {
    let mut tier = Tier::start(Layout::Batch, 4);
    let first = tier.post(&payment("a")).await;
    let put = tier.put().await;
    let repeat = tier.post(&payment("a")).await;
    let other = tier.post(r#"{"id":"a","amount":2}"#).await;
    assert!(!repeat.is_finished() && !other.is_finished());
    put.confirm();
    let first = accepted(first).await;
    assert_eq!(
        accepted(repeat).await,
        Accepted {
            receipt: first.receipt.clone(),
            content_hash: first.content_hash,
            replayed: true
        }
    );
    assert_eq!(refused(other).await, NotAccepted::Conflict);
    let late = tier.post(&payment("a")).await;
    assert_eq!(
        accepted(late).await,
        Accepted {
            receipt: first.receipt,
            content_hash: first.content_hash,
            replayed: true
        }
    );
    assert!(tier.puts.try_recv().is_err(), "a repeat makes no PUT");
}

#[tokio::test]
async fn p4_repeats_in_flight_share_a_failure_too() {
    let mut tier = Tier::start(Layout::Batch, 4);
    let first = tier.post(&payment("a")).await;
    let put = tier.put().await;
    let repeat = tier.post(&payment("a")).await;
    put.fail();
    assert_eq!(refused(first).await, NotAccepted::Unconfirmed);
    assert_eq!(refused(repeat).await, NotAccepted::Unconfirmed);
    assert!(tier.puts.try_recv().is_err(), "a repeat makes no PUT");
}

/// Neither has begun its PUT when the other comes: an object never holds both.
#[tokio::test]
async fn p4_of_two_queued_contents_with_one_id_the_first_wins() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let _busy = tier.post(&payment("busy")).await;
    let busy = tier.put().await;
    let first = tier.post(&payment("a")).await;
    let second = tier.post(r#"{"id":"a","amount":2}"#).await;
    let beside = tier.post(&payment("b")).await;
    busy.confirm();
    let put = tier.put().await;
    assert_eq!(put.lines(), 2, "one line of a, and b");
    assert!(!second.is_finished(), "no 409 before the first is durable");
    put.confirm();
    assert!(!accepted(first).await.replayed);
    assert_eq!(refused(second).await, NotAccepted::Conflict);
    accepted(beside).await;
}

#[tokio::test]
async fn p6_other_content_takes_the_id_only_if_the_first_was_not_accepted() {
    let mut tier = Tier::start(Layout::Batch, 4);
    let first = tier.post(&payment("a")).await;
    let put = tier.put().await;
    let other = tier.post(r#"{"id":"a","amount":2}"#).await;
    put.fail();
    assert_eq!(refused(first).await, NotAccepted::Unconfirmed);
    tier.put().await.confirm();
    assert!(!accepted(other).await.replayed);
}

#[tokio::test]
async fn p4_a_claimed_key_tells_a_repeat_from_a_conflict() {
    let mut tier = Tier::start(Layout::Object, 4);
    let Submission {
        payment: earlier,
        receipt,
        ..
    } = submission(&payment("a"), 99);
    let record = LogRecord::new(
        earlier,
        receipt.received_at,
        receipt.request_id.clone(),
        None,
    );
    *tier.stored.lock().unwrap() = record.to_line().into();

    let repeat = tier.post(&payment("a")).await;
    let put = tier.put().await;
    assert_eq!(put.key.as_str(), "transactions/a.json");
    put.taken();
    let repeat = accepted(repeat).await;
    assert_eq!((repeat.receipt, repeat.replayed), (receipt, true));

    let mut other_node = Tier::start(Layout::Object, 4);
    *other_node.stored.lock().unwrap() = record.to_line().into();
    let conflict = other_node.post(r#"{"id":"a","amount":2}"#).await;
    other_node.put().await.taken();
    assert_eq!(refused(conflict).await, NotAccepted::Conflict);
}

#[tokio::test]
async fn p4_an_id_that_is_a_row_is_known_on_every_node() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let earlier = submission(&payment("a"), 99);
    tier.rows.record(&earlier);
    let repeat = tier.post(&payment("a")).await;
    tier.put().await.confirm();
    let repeat = accepted(repeat).await;
    assert_eq!(
        (repeat.receipt, repeat.replayed),
        (earlier.receipt.clone(), true)
    );

    let mut other_node = Tier::start(Layout::Batch, 1);
    other_node.rows.record(&earlier);
    let conflict = other_node.post(r#"{"id":"a","amount":2}"#).await;
    other_node.put().await.confirm();
    assert_eq!(refused(conflict).await, NotAccepted::Conflict);
}

/// Another node took other content for the id, and its line became the row.
#[tokio::test]
async fn p4_a_claim_that_was_settled_gives_way_to_the_row() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let answer = tier.post(&payment("a")).await;
    tier.put().await.confirm();
    assert!(!accepted(answer).await.replayed);

    let winner = r#"{"id":"a","amount":2}"#;
    let theirs = submission(winner, 99);
    tier.rows.record(&theirs);
    for _ in 0..2 {
        let own = tier.post(&payment("a")).await;
        assert_eq!(refused(own).await, NotAccepted::Conflict);
        let repeat = accepted(tier.post(winner).await).await;
        assert_eq!(
            (repeat.receipt, repeat.replayed),
            (theirs.receipt.clone(), true)
        );
        // The row never changes: it is not asked for again.
        tier.rows.0.lock().unwrap().clear();
    }
    assert!(tier.puts.try_recv().is_err(), "a repeat makes no PUT");
}

/// The same content, too: nobody shares another client's outcome.
#[tokio::test]
async fn p10_clients_with_one_id_are_accepted_with_a_line_each() {
    let mut tier = Tier::start(Layout::Batch, 4);
    let open = tier.post(&payment("a")).await;
    let own = tier.put().await;
    let shop = tier.post_of("shop", &payment("a")).await;
    let other = tier.post_of("other", r#"{"id":"a","amount":2}"#).await;
    let both = tier.put().await;
    assert_eq!((own.lines(), both.lines()), (1, 2));
    let body = String::from_utf8(both.body.to_vec()).unwrap();
    for client in ["shop", "other"] {
        let start = format!(r#"{{"v":2,"client":"{client}","id":"a","#);
        assert!(body.contains(&start), "{body}");
    }
    both.confirm();
    own.confirm();
    for answer in [open, shop, other] {
        assert!(!accepted(answer).await.replayed);
    }
    assert!(
        accepted(tier.post_of("shop", &payment("a")).await)
            .await
            .replayed
    );
    let conflict = tier.post_of("other", &payment("a")).await;
    assert_eq!(refused(conflict).await, NotAccepted::Conflict);
    assert!(tier.puts.try_recv().is_err(), "a repeat makes no PUT");
}

#[tokio::test]
async fn p10_a_claimed_key_is_each_clients_own() {
    let mut tier = Tier::start(Layout::Object, 4);
    let mut keys = Vec::new();
    for client in ["shop", "other"] {
        let answer = tier.post_of(client, &payment("a")).await;
        let put = tier.put().await;
        keys.push(put.key.to_string());
        put.confirm();
        assert!(!accepted(answer).await.replayed);
    }
    let answer = tier.post(&payment("a")).await;
    let put = tier.put().await;
    keys.push(put.key.to_string());
    put.confirm();
    accepted(answer).await;
    assert_eq!(
        keys,
        [
            "transactions/client=shop/a.json",
            "transactions/client=other/a.json",
            "transactions/a.json"
        ]
    );
}

#[tokio::test]
async fn p10_a_row_of_another_client_is_not_ones_own() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let mut theirs = submission(r#"{"id":"a","amount":2}"#, 99);
    theirs.payment = theirs.payment.of_client("other".parse().unwrap());
    tier.rows.record(&theirs);
    for answer in [
        tier.post_of("shop", &payment("a")).await,
        tier.post(&payment("a")).await,
    ] {
        tier.put().await.confirm();
        assert!(!accepted(answer).await.replayed);
    }
    let again = tier.post_of("shop", &payment("a")).await;
    assert!(accepted(again).await.replayed);
}

#[tokio::test]
async fn a_client_that_hangs_up_changes_nothing() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let gone = tier.post(&payment("a")).await;
    let put = tier.put().await;
    gone.abort();
    put.confirm();
    let repeat = tier.post(&payment("a")).await;
    assert!(accepted(repeat).await.replayed);
}
