//! P11 on the writing side: what each header names, with every answer of S3 in the test's hand.

use std::time::Duration;

use app_tier::committer::{Layout, Settings};
use payment_core::chain::{Header, Link, ObjectHash};
use tokio::time::{Instant, advance};

use crate::scripted_journal::{Asked, Rows};
use crate::tier::{Answer, Tier, accepted, payment, refused};

/// A run that puts nothing for so long is sealed.
const IDLE: Duration = Duration::from_secs(10);

const NONE: [Link; 0] = [];

fn header(put: &Asked) -> Header {
    put.header().expect("a header")
}

/// What a header is to say of this object once it is confirmed.
fn link(put: &Asked) -> Link {
    let (key, _) = put.key.own_batch().unwrap();
    Link {
        seq: header(put).seq,
        key,
        sha256: ObjectHash::of(&put.body),
    }
}

/// A payment alone in its object, which is not answered yet.
async fn begun(tier: &mut Tier, id: &str) -> (Answer, Asked) {
    let answer = tier.post(&payment(id)).await;
    (answer, tier.put().await)
}

/// A payment that S3 took; what is to be said of its object.
async fn taken(tier: &mut Tier, id: &str) -> Link {
    let (answer, put) = begun(tier, id).await;
    let link = link(&put);
    put.confirm();
    accepted(answer).await;
    link
}

#[tokio::test]
async fn p11_a_confirmed_object_is_named_with_its_hash_by_the_next() {
    let mut tier = Tier::start(Layout::Batch, 4);
    let (answer, first) = begun(&mut tier, "a").await;
    let said = header(&first);
    assert_eq!((said.seq, said.end), (0, false));
    assert_eq!((&said.confirmed, &said.unconfirmed), (&vec![], &vec![]));
    assert!(
        first
            .key
            .as_str()
            .ends_with(&format!("-{}.ndjson", said.node))
    );
    assert_eq!(first.lines(), 1, "the header is no payment");
    let mut last = link(&first);
    first.confirm();
    accepted(answer).await;
    for seq in 1..5 {
        let (answer, put) = begun(&mut tier, &seq.to_string()).await;
        let next = header(&put);
        assert_eq!((next.run, next.node, next.seq), (said.run, said.node, seq));
        assert_eq!(next.confirmed, [last], "and no other");
        last = link(&put);
        // It was stored by a try whose answer was lost.
        put.taken();
        accepted(answer).await;
    }
}

#[tokio::test]
async fn p11_what_is_in_flight_is_named_once_it_is_settled() {
    let mut tier = Tier::start(Layout::Batch, 3);
    let (slow, slow_put) = begun(&mut tier, "slow").await;
    let (failing, failing_put) = begun(&mut tier, "failing").await;
    let (quick, quick_put) = begun(&mut tier, "quick").await;
    for put in [&slow_put, &failing_put, &quick_put] {
        assert_eq!(header(put).confirmed, []);
    }
    let (slow_link, quick_link) = (link(&slow_put), link(&quick_put));
    quick_put.confirm();
    accepted(quick).await;
    let (_waits, next_put) = begun(&mut tier, "next").await;
    assert_eq!(header(&next_put).confirmed, [quick_link]);
    let failing_link = link(&failing_put);
    failing_put.fail();
    refused(failing).await;
    let (_waits, other_put) = begun(&mut tier, "other").await;
    assert_eq!(
        header(&other_put).confirmed,
        [quick_link],
        "the next one may fail"
    );
    assert_eq!(header(&other_put).unconfirmed, [failing_link]);
    let other_link = link(&other_put);
    other_put.confirm();
    slow_put.confirm();
    accepted(slow).await;
    let (_waits, last_put) = begun(&mut tier, "last").await;
    assert_eq!(header(&last_put).confirmed, [slow_link, other_link]);
    assert_eq!(header(&last_put).unconfirmed, NONE);
}

#[tokio::test]
async fn p11_a_failed_put_is_unconfirmed_and_what_it_named_is_named_again() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let first = taken(&mut tier, "a").await;
    let (answer, put) = begun(&mut tier, "b").await;
    assert_eq!(header(&put).confirmed, [first]);
    let failed = link(&put);
    put.fail();
    refused(answer).await;
    let (answer, put) = begun(&mut tier, "c").await;
    assert_eq!(header(&put).confirmed, [first]);
    assert_eq!(header(&put).unconfirmed, [failed]);
    put.confirm();
    accepted(answer).await;
    let (_answer, put) = begun(&mut tier, "d").await;
    assert_eq!(header(&put).confirmed.len(), 1, "what is named stays named");
    assert_eq!(header(&put).unconfirmed, NONE);
}

#[tokio::test(start_paused = true)]
async fn p11_an_idle_run_is_sealed_and_the_seal_is_not() {
    let mut tier = Tier::start(Layout::Batch, 4);
    let first = taken(&mut tier, "a").await;
    let settled_at = Instant::now();
    let seal = tier.put().await;
    assert_eq!(settled_at.elapsed(), IDLE);
    assert_eq!((seal.lines(), header(&seal).end), (0, false));
    assert_eq!(header(&seal).confirmed, [first]);
    // One that S3 does not take is followed by another.
    let failed = link(&seal);
    seal.fail();
    let seal = tier.put().await;
    assert_eq!(header(&seal).confirmed, [first]);
    assert_eq!(header(&seal).unconfirmed, [failed]);
    let seal_link = link(&seal);
    seal.confirm();
    advance(100 * IDLE).await;
    assert!(tier.puts.try_recv().is_err(), "a seal calls for no seal");
    let (_answer, put) = begun(&mut tier, "b").await;
    assert_eq!(header(&put).confirmed, [seal_link], "a batch names it");
}

#[tokio::test]
async fn p11_a_clean_stop_names_all_that_is_left_and_ends_the_run() {
    let mut tier = Tier::start(Layout::Batch, 4);
    let (answer, put) = begun(&mut tier, "a").await;
    let first = link(&put);
    let committer = tier.committer.clone();
    let stopping = tokio::spawn(async move { committer.close().await });
    tokio::task::yield_now().await;
    assert!(
        tier.puts.try_recv().is_err(),
        "nothing ends before what is in flight"
    );
    put.confirm();
    accepted(answer).await;
    let end = tier.put().await;
    assert_eq!((end.lines(), header(&end).end), (0, true));
    assert_eq!(header(&end).confirmed, [first]);
    assert!(!stopping.is_finished(), "the stop waits for it");
    end.confirm();
    stopping.await.unwrap();
}

#[tokio::test]
async fn p11_a_process_that_put_nothing_leaves_no_run() {
    let mut tier = Tier::start(Layout::Batch, 4);
    tier.committer.close().await;
    assert!(tier.puts.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn p11_probes_are_not_in_the_chain() {
    let mut tier = Tier::start(Layout::Batch, 4);
    let first = taken(&mut tier, "a").await;
    let mut failed = Vec::new();
    for id in ["b", "c"] {
        let (answer, put) = begun(&mut tier, id).await;
        failed.push(link(&put));
        put.fail();
        refused(answer).await;
    }
    for _ in 0..50 {
        let probe = tier.put().await;
        assert!(probe.body.is_empty(), "while S3 is away nothing is sealed");
        probe.fail();
    }
    let probe = tier.put().await;
    probe.confirm();
    let seal = tier.put().await;
    assert_eq!(header(&seal).seq, 3, "no probe has a number");
    assert_eq!(header(&seal).confirmed, [first]);
    assert_eq!(header(&seal).unconfirmed, failed);
}

/// A header's size counts as its batch's.
#[tokio::test]
async fn a_batch_keeps_its_bounds_with_a_header() {
    let mut tier = Tier::start(Layout::Batch, 1);
    let (_busy, busy) = begun(&mut tier, "busy").await;
    let text = "x".repeat(15_000);
    let large = |n| format!(r#"{{"id":"large-{n}","note":"{text}"}}"#);
    for n in 0..80 {
        drop(tier.post(&large(n)).await);
    }
    busy.confirm();
    let put = tier.put().await;
    let line = put.body.len() / put.lines();
    assert!((1 << 20..(1 << 20) + line).contains(&put.body.len()));
    put.confirm();
    let rest = tier.put().await;
    for n in 0..1500 {
        drop(tier.post(&payment(n)).await);
    }
    rest.confirm();
    let put = tier.put().await;
    assert_eq!(put.lines(), 1000);
}

#[tokio::test(start_paused = true)]
async fn without_headers_every_object_is_as_before() {
    let settings = |layout, headers| Settings {
        prefix: "transactions/".to_owned(),
        layout,
        puts_max: 4,
        linger: Duration::ZERO,
        headers,
    };
    for settings in [
        settings(Layout::Batch, false),
        settings(Layout::Object, true),
    ] {
        let mut tier = Tier::with(Rows::default(), settings);
        let (answer, put) = begun(&mut tier, "a").await;
        assert!(put.body.starts_with(br#"{"v":1,"id":"a","#));
        put.confirm();
        accepted(answer).await;
        advance(10 * IDLE).await;
        tier.committer.close().await;
        assert!(tier.puts.try_recv().is_err(), "nothing else is put");
    }
}
