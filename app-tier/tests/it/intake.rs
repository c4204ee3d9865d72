//! Group commit and idempotency, with every answer of S3 in the test's hand.

use std::sync::Arc;
use std::time::Duration;

use app_tier::committer::Layout;
use app_tier::intake::{Accepted, NotAccepted, Submission};
use payment_core::LogRecord;
use payment_store::Holder;
use tokio::time::Instant;

use crate::scripted_journal::SilentRows;
use crate::tier::{Answer, Tier, accepted, payment, refused, submission};

#[tokio::test]
async fn p1_yes_is_said_only_after_s3_confirmed() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let answer = tier.post(&payment("a")).await;
    let put = tier.put().await;
    assert!(!answer.is_finished());
    put.confirm();
    assert!(!accepted(answer).await.replayed);
}

#[tokio::test]
async fn payments_that_wait_share_the_next_put() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let first = tier.post(&payment("first")).await;
    let alone = tier.put().await;
    assert_eq!(alone.lines(), 1);
    let mut waiting = Vec::new();
    for i in 0..10 {
        waiting.push(tier.post(&payment(i)).await);
    }
    alone.confirm();
    accepted(first).await;
    let together = tier.put().await;
    assert_eq!(together.lines(), 10);
    together.confirm();
    for answer in waiting {
        accepted(answer).await;
    }
}

/// A slow PUT costs those behind it no more than the time for which they gather.
#[tokio::test(start_paused = true)]
async fn p5_a_slow_put_is_overtaken() {
    let mut tier = Tier::start(Layout::Batch, 2);
    let slow = tier.post(&payment("slow")).await;
    let slow_put = tier.put().await;
    let asked_at = Instant::now();
    let behind = [
        tier.post(&payment("b")).await,
        tier.post(&payment("c")).await,
    ];
    let together = tier.put().await;
    assert_eq!(together.lines(), 2, "they gathered");
    assert_eq!(asked_at.elapsed(), Duration::from_millis(50));
    together.confirm();
    for answer in behind {
        accepted(answer).await;
    }
    assert!(!slow.is_finished());
    slow_put.confirm();
    accepted(slow).await;
    // With no PUT at work nobody waits.
    let asked_at = Instant::now();
    let alone = tier.post(&payment("d")).await;
    tier.put().await.confirm();
    accepted(alone).await;
    assert_eq!(asked_at.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_failed_put_fails_its_own_payments_alone() {
    let mut tier = Tier::start(Layout::Batch, 2);
    let unlucky = tier.post(&payment("a")).await;
    let failing = tier.put().await;
    let lucky = tier.post(&payment("b")).await;
    let working = tier.put().await;
    failing.fail();
    working.confirm();
    assert_eq!(refused(unlucky).await, NotAccepted::Unconfirmed);
    accepted(lucky).await;
    // The client repeats it under the same id, and it is new again.
    let again = tier.post(&payment("a")).await;
    tier.put().await.confirm();
    assert!(!accepted(again).await.replayed);
}

#[tokio::test]
async fn p1_a_put_whose_answer_was_lost_counts_once_it_is_found_stored() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let answer = tier.post(&payment("a")).await;
    tier.put().await.taken();
    assert!(!accepted(answer).await.replayed);
}

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

/// The same content, too: nobody shares another client's outcome.
#[tokio::test]
async fn p10_clients_with_one_id_get_a_yes_and_a_line_each() {
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
    let Submission {
        payment: theirs,
        receipt,
        ..
    } = submission(r#"{"id":"a","amount":2}"#, 99);
    let theirs = theirs.of_client("other".parse().unwrap());
    let row = Holder {
        content_hash: theirs.content_hash(),
        received_at: receipt.received_at,
        request_id: Some(receipt.request_id),
    };
    tier.rows
        .0
        .lock()
        .unwrap()
        .insert(theirs.key().clone(), row);
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

/// Neither has begun its PUT when the other comes: an object never holds both.
#[tokio::test]
async fn p4_of_two_contents_that_wait_under_one_id_the_first_wins_and_the_second_is_told() {
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

#[tokio::test(start_paused = true)]
async fn p5_a_database_that_is_silent_holds_no_answer_up() {
    let mut tier = Tier::beside(SilentRows, Layout::Batch, 1);
    let answer = tier.post(&payment("a")).await;
    let asked_at = Instant::now();
    tier.put().await.confirm();
    assert!(!accepted(answer).await.replayed);
    assert_eq!(asked_at.elapsed(), Duration::from_millis(50));
}

#[tokio::test]
async fn p6_other_content_takes_the_id_only_if_the_first_never_got_a_yes() {
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
async fn p5_the_queue_is_bounded() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let _first = tier.post(&payment("first")).await;
    let stuck = tier.put().await;
    let large = |i: usize| format!(r#"{{"id":"{i}","x":"{}"}}"#, "x".repeat(16_000));
    let mut answers = Vec::new();
    while answers
        .last()
        .is_none_or(|answer: &Answer| !answer.is_finished())
    {
        answers.push(tier.post(&large(answers.len())).await);
        assert!(answers.len() < 5000, "the queue takes everything");
    }
    assert_eq!(
        refused(answers.pop().unwrap()).await,
        NotAccepted::QueueFull
    );
    assert!(
        answers.len() > 1000 && answers.len() < 1100,
        "16 MiB of 16 kB: {}",
        answers.len()
    );
    // What S3 confirmed gives its room back.
    stuck.confirm();
    tier.put().await.confirm();
    accepted(answers.remove(0)).await;
    assert!(!tier.post(&large(9999)).await.is_finished());
}

#[tokio::test]
async fn p1_closing_flushes_what_waits() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let first = tier.post(&payment("a")).await;
    let put = tier.put().await;
    let waiting = tier.post(&payment("b")).await;
    let committer = Arc::clone(&tier.committer);
    let closed = tokio::spawn(async move { committer.close().await });
    put.confirm();
    tier.put().await.confirm();
    let end = tier.put().await;
    assert_eq!(end.lines(), 0, "the end of the run");
    end.confirm();
    closed.await.unwrap();
    accepted(first).await;
    accepted(waiting).await;
    assert_eq!(
        refused(tier.post(&payment("c")).await).await,
        NotAccepted::QueueFull
    );
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
    let Submission {
        payment: earlier,
        receipt,
        ..
    } = submission(&payment("a"), 99);
    let holder = Holder {
        content_hash: earlier.content_hash(),
        received_at: receipt.received_at,
        request_id: Some(receipt.request_id.clone()),
    };
    tier.rows
        .0
        .lock()
        .unwrap()
        .insert(earlier.key().clone(), holder);
    let repeat = tier.post(&payment("a")).await;
    tier.put().await.confirm();
    let repeat = accepted(repeat).await;
    assert_eq!((repeat.receipt, repeat.replayed), (receipt, true));

    let mut other_node = Tier::start(Layout::Batch, 1);
    *other_node.rows.0.lock().unwrap() = tier.rows.0.lock().unwrap().clone();
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
    let Submission {
        payment: theirs,
        receipt,
        ..
    } = submission(winner, 99);
    let row = Holder {
        content_hash: theirs.content_hash(),
        received_at: receipt.received_at,
        request_id: Some(receipt.request_id.clone()),
    };
    let rows = tier.rows.0.clone();
    rows.lock().unwrap().insert(theirs.key().clone(), row);
    for _ in 0..2 {
        let own = tier.post(&payment("a")).await;
        assert_eq!(refused(own).await, NotAccepted::Conflict);
        let repeat = accepted(tier.post(winner).await).await;
        assert_eq!((repeat.receipt, repeat.replayed), (receipt.clone(), true));
        // The row never changes: it is not asked for again.
        rows.lock().unwrap().clear();
    }
    assert!(tier.puts.try_recv().is_err(), "a repeat makes no PUT");
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
