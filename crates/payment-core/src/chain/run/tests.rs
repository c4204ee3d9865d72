use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn run() -> Run {
    let id = uuid::Builder::from_unix_timestamp_millis(1, &[0; 10]).into_uuid();
    Run::new(RunId::new(id).unwrap(), Node::new(7))
}

/// A key and a hash that belong to the number.
fn fate(seq: u64) -> (Uuid, ObjectHash) {
    let key = uuid::Builder::from_unix_timestamp_millis(seq, &[0; 10]).into_uuid();
    (key, ObjectHash::of(&seq.to_be_bytes()))
}

fn confirm(run: &mut Run, sealed: Sealed) {
    let (key, sha256) = fate(sealed.header().seq);
    run.confirmed(sealed, key, sha256);
}

fn fail(run: &mut Run, sealed: Sealed) {
    let (key, sha256) = fate(sealed.header().seq);
    run.unconfirmed(sealed, key, sha256);
}

fn link(seq: u64) -> Link {
    let (key, sha256) = fate(seq);
    Link { seq, key, sha256 }
}

fn payments(run: &mut Run) -> Sealed {
    run.seal(Purpose::Payments, Timestamp::EPOCH)
}

fn confirmed(header: &Header) -> Vec<u64> {
    header.confirmed.iter().map(|link| link.seq).collect()
}

#[test]
fn p11_a_header_names_what_was_settled_when_it_was_sealed() {
    let mut run = run();
    assert!(!run.has_begun());
    let (first, second) = (payments(&mut run), payments(&mut run));
    confirm(&mut run, second);
    let third = payments(&mut run);
    assert_eq!(
        (third.header().seq, confirmed(third.header())),
        (2, vec![1])
    );
    assert_eq!(third.header().confirmed, [link(1)]);
    fail(&mut run, first);
    confirm(&mut run, third);
    let fourth = payments(&mut run);
    assert_eq!(confirmed(fourth.header()), [2]);
    assert_eq!(fourth.header().unconfirmed, [link(0)]);
}

#[test]
fn p11_an_object_is_named_until_a_header_that_names_it_is_confirmed() {
    let mut run = run();
    let first = payments(&mut run);
    confirm(&mut run, first);
    let failing = payments(&mut run);
    let beside = payments(&mut run);
    assert_eq!(confirmed(failing.header()), [0]);
    assert_eq!(confirmed(beside.header()), [0], "the other may fail");
    fail(&mut run, failing);
    let next = payments(&mut run);
    assert_eq!(confirmed(next.header()), [0]);
    assert_eq!(next.header().unconfirmed, [link(1)]);
    confirm(&mut run, beside);
    let last = payments(&mut run);
    assert_eq!(confirmed(last.header()), [2]);
    assert_eq!(last.header().unconfirmed, [link(1)]);
}

#[test]
fn p11_a_seal_owes_no_further_seal_unless_it_fails() {
    let mut run = run();
    let first = payments(&mut run);
    assert!(!run.is_owing(), "nothing is settled");
    confirm(&mut run, first);
    assert!(run.is_owing());
    let seal = run.seal(Purpose::Seal, Timestamp::EPOCH);
    fail(&mut run, seal);
    assert!(run.is_owing());
    let seal = run.seal(Purpose::Seal, Timestamp::EPOCH);
    confirm(&mut run, seal);
    assert!(!run.is_owing());
    let end = run.seal(Purpose::End, Timestamp::EPOCH);
    assert!(end.header().end);
    assert_eq!(confirmed(end.header()), [2], "seals are named as well");
}

#[test]
fn p11_a_header_names_no_more_than_fit_a_line() {
    let mut run = run();
    for _ in 0..=NAMES_MAX {
        let sealed = payments(&mut run);
        fail(&mut run, sealed);
    }
    assert!(!run.fits_one_header());
    let room = run.header_bytes();
    let first = run.seal(Purpose::Seal, Timestamp::EPOCH);
    assert!(first.header().to_line().len() <= room);
    assert_eq!(first.header().unconfirmed.len(), NAMES_MAX);
    confirm(&mut run, first);
    assert!(run.is_owing() && run.fits_one_header());
    let end = run.seal(Purpose::End, Timestamp::EPOCH);
    assert_eq!(
        end.header().unconfirmed,
        [link(u64::try_from(NAMES_MAX).unwrap())]
    );
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Seal(bool),
    /// The PUT that is so far down the list of those at work, and whether S3 confirms it.
    Settle(prop::sample::Index, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let settle = (any::<prop::sample::Index>(), any::<bool>());
    let step = prop_oneof![
        any::<bool>().prop_map(Step::Seal),
        settle.prop_map(|(which, well)| Step::Settle(which, well)),
    ];
    vec(step, 0..60)
}

proptest! {
    #[test]
    fn p11_in_the_end_confirmed_headers_name_every_object_as_it_was_settled(steps in steps()) {
        let mut run = run();
        let (mut at_work, mut confirmed_headers) = (Vec::new(), Vec::new());
        let mut stored = BTreeSet::new();
        let settle = |run: &mut Run, sealed: Sealed, well: bool| {
            let line = sealed.header().to_line();
            assert_eq!(Header::parse(line.as_bytes()).as_ref(), Ok(sealed.header()));
            if well {
                stored.insert(sealed.header().seq);
                confirmed_headers.push(sealed.header().clone());
                confirm(run, sealed);
            } else {
                fail(run, sealed);
            }
        };
        let mut settle = settle;
        for step in steps {
            match step {
                Step::Seal(true) => at_work.push(payments(&mut run)),
                Step::Seal(false) => at_work.push(run.seal(Purpose::Seal, Timestamp::EPOCH)),
                Step::Settle(..) if at_work.is_empty() => {}
                Step::Settle(which, well) => {
                    let sealed = at_work.swap_remove(which.index(at_work.len()));
                    settle(&mut run, sealed, well);
                }
            }
        }
        for sealed in at_work {
            settle(&mut run, sealed, false);
        }
        let end = run.seal(Purpose::End, Timestamp::EPOCH);
        settle(&mut run, end, true);
        let end = confirmed_headers.last().unwrap().seq;
        for seq in 0..end {
            let of = |links: fn(&Header) -> &Vec<Link>| -> Vec<_> {
                let links = confirmed_headers.iter().flat_map(links);
                links.filter(|link| link.seq == seq).copied().collect()
            };
            let (confirmed, unconfirmed) = (of(|header| &header.confirmed), of(|header| &header.unconfirmed));
            prop_assert_eq!(!confirmed.is_empty(), stored.contains(&seq), "{}", seq);
            prop_assert_eq!(!unconfirmed.is_empty(), !stored.contains(&seq), "{}", seq);
            prop_assert!(confirmed.iter().chain(&unconfirmed).all(|said| *said == link(seq)));
        }
    }
}
