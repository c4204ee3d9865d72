//! Which payments share a PUT, and when each gets its answer, with every answer of S3 in the test's hand.

use std::sync::Arc;
use std::time::Duration;

use app_tier::committer::Layout;
use app_tier::intake::NotAccepted;
use tokio::time::Instant;

use crate::scripted_journal::SilentRows;
use crate::tier::{Answer, Tier, accepted, payment, refused};

#[tokio::test]
async fn p1_acceptance_is_sent_only_after_s3_confirmed() {
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

#[tokio::test(start_paused = true)]
async fn p5_a_database_that_is_silent_holds_no_answer_up() {
    let mut tier = Tier::beside(SilentRows, Layout::Batch, 1);
    let answer = tier.post(&payment("a")).await;
    let asked_at = Instant::now();
    tier.put().await.confirm();
    assert!(!accepted(answer).await.replayed);
    assert_eq!(asked_at.elapsed(), Duration::from_millis(50));
}
