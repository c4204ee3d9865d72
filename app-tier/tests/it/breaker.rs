//! With S3 away, payments are refused at once, and taken again by themselves once it is back.

use std::time::Duration;

use app_tier::committer::Layout;
use app_tier::intake::NotAccepted;
use tokio::time::{Instant, advance};

use crate::scripted_journal::Asked;
use crate::tier::{Tier, accepted, payment, refused};

/// Pause from the end of a probe to the next.
const PAUSE: Duration = Duration::from_millis(500);

/// PUTs that hang for this long make S3 away. A probe may hang for as long.
const SILENCE: Duration = Duration::from_secs(2);

/// Two failures in a row.
async fn away(tier: &mut Tier) {
    for id in ["fails-1", "fails-2"] {
        let answer = tier.post(&payment(id)).await;
        tier.put().await.fail();
        assert_eq!(refused(answer).await, NotAccepted::Unconfirmed);
    }
}

/// Refused without a PUT, and without any time going by.
async fn refused_at_once(tier: &mut Tier, body: &str) {
    let asked_at = Instant::now();
    let answer = tier.post(body).await;
    assert_eq!(refused(answer).await, NotAccepted::StorageAway);
    assert_eq!(asked_at.elapsed(), Duration::ZERO);
    assert!(tier.puts.try_recv().is_err(), "S3 was asked");
}

/// The PUT that asks whether S3 is back: no payment is in it.
async fn probe(tier: &mut Tier) -> Asked {
    let put = tier.put().await;
    assert!(put.body.is_empty());
    put
}

/// S3 takes this payment.
async fn taken(tier: &mut Tier, body: &str) {
    let answer = tier.post(body).await;
    tier.put().await.confirm();
    assert!(!accepted(answer).await.replayed);
}

/// Once S3 confirmed a probe, and the committer heard of it.
async fn back(tier: &mut Tier) {
    probe(tier).await.confirm();
    tokio::task::yield_now().await;
}

#[tokio::test(start_paused = true)]
async fn p5_after_two_failures_in_a_row_payments_are_refused_at_once() {
    let mut tier = Tier::start(Layout::Batch, 4);
    away(&mut tier).await;
    let _probe = probe(&mut tier).await;
    for number in 0..100 {
        refused_at_once(&mut tier, &payment(number)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn p5_failures_that_are_not_in_a_row_refuse_nobody() {
    let mut tier = Tier::start(Layout::Batch, 4);
    for id in 0..5 {
        let unlucky = tier.post(&payment(id)).await;
        tier.put().await.fail();
        refused(unlucky).await;
        let lucky = tier.post(&payment(id)).await;
        tier.put().await.confirm();
        accepted(lucky).await;
    }
}

#[tokio::test(start_paused = true)]
async fn p5_it_probes_by_itself_and_the_first_success_ends_the_outage() {
    let mut tier = Tier::start(Layout::Batch, 4);
    away(&mut tier).await;
    for _ in 0..3 {
        let asked_at = Instant::now();
        let probe = probe(&mut tier).await;
        refused_at_once(&mut tier, &payment("beside")).await;
        probe.fail();
        tokio::task::yield_now().await;
        refused_at_once(&mut tier, &payment("after")).await;
        advance(PAUSE).await;
        assert_eq!(asked_at.elapsed(), PAUSE);
    }
    back(&mut tier).await;
    for id in ["beside", "after"] {
        taken(&mut tier, &payment(id)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn p5_a_probe_that_hangs_is_given_up_and_keeps_nobody_waiting() {
    let mut tier = Tier::start(Layout::Batch, 4);
    away(&mut tier).await;
    let asked_at = Instant::now();
    let _silent = probe(&mut tier).await;
    refused_at_once(&mut tier, &payment("beside")).await;
    let _next = probe(&mut tier).await;
    assert_eq!(asked_at.elapsed(), SILENCE + PAUSE);
    refused_at_once(&mut tier, &payment("after")).await;
}

/// S3 takes connections and never answers: the PUTs are not waited for.
#[tokio::test(start_paused = true)]
async fn p5_puts_that_hang_open_it_before_they_fail() {
    let mut tier = Tier::start(Layout::Batch, 2);
    let hanging = tier.post(&payment("a")).await;
    let put = tier.put().await;
    advance(SILENCE).await;
    let noticed = tier.post(&payment("b")).await;
    assert_eq!(refused(noticed).await, NotAccepted::StorageAway);
    // It was this one PUT alone.
    back(&mut tier).await;
    taken(&mut tier, &payment("b")).await;
    // A failure from the time before says nothing new.
    put.fail();
    assert_eq!(refused(hanging).await, NotAccepted::Unconfirmed);
    let after = tier.post(&payment("c")).await;
    tier.put().await.fail();
    refused(after).await;
    taken(&mut tier, &payment("d")).await;
}

/// Nobody has to pay for an outage to end.
#[tokio::test(start_paused = true)]
async fn p5_a_second_outage_is_asked_about_like_the_first() {
    let mut tier = Tier::start(Layout::Batch, 4);
    for outage in 0..2 {
        away(&mut tier).await;
        back(&mut tier).await;
        taken(&mut tier, &payment(outage)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn p5_what_waits_behind_puts_that_hang_is_let_go() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let asked_at = Instant::now();
    let hanging = tier.post(&payment("a")).await;
    let put = tier.put().await;
    let mut waiting = Vec::new();
    for number in 0..10 {
        waiting.push(tier.post(&payment(number)).await);
    }
    for answer in waiting {
        assert_eq!(refused(answer).await, NotAccepted::Unconfirmed);
    }
    assert_eq!(asked_at.elapsed(), SILENCE);
    // Its own answer was only late, and what S3 confirmed is accepted.
    assert!(!hanging.is_finished());
    put.confirm();
    accepted(hanging).await;
    let _probe = probe(&mut tier).await;
    taken(&mut tier, &payment(0)).await;
}

#[tokio::test(start_paused = true)]
async fn p4_p6_repeats_are_known_while_s3_is_away_and_what_was_refused_claims_no_id() {
    let mut tier = Tier::start(Layout::Batch, 4);
    let first = tier.post(&payment("known")).await;
    tier.put().await.confirm();
    let first = accepted(first).await;
    away(&mut tier).await;
    let asking = probe(&mut tier).await;
    refused_at_once(&mut tier, &payment("refused")).await;

    let repeat = accepted(tier.post(&payment("known")).await).await;
    assert_eq!((repeat.receipt, repeat.replayed), (first.receipt, true));
    let other = tier.post(r#"{"id":"known","amount":2}"#).await;
    assert_eq!(refused(other).await, NotAccepted::Conflict);

    asking.confirm();
    tokio::task::yield_now().await;
    let other = tier.post(r#"{"id":"refused","amount":2}"#).await;
    let put = tier.put().await;
    assert_eq!(put.lines(), 1, "nothing was kept of what was refused");
    put.confirm();
    assert!(!accepted(other).await.replayed);
}

#[tokio::test(start_paused = true)]
async fn p5_the_layout_of_one_object_a_payment_is_refused_as_fast() {
    let mut tier = Tier::start(Layout::Object, 256);
    away(&mut tier).await;
    let probe = probe(&mut tier).await;
    refused_at_once(&mut tier, &payment("a")).await;
    probe.confirm();
    tokio::task::yield_now().await;
    taken(&mut tier, &payment("a")).await;
}
