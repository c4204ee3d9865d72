//! What happened is named, and nothing else is.

mod examples;
mod forged;
mod model;
mod part;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use self::model::{Left, Object, START, at, key, life, live, lives, uuid};
use self::part::{accused_in_hours, accused_in_parts, check_span, parts};
use super::*;
use crate::chain::{Header, Link, Node, ObjectHash, RunId};

/// Objects in the order of their keys.
type Journal = BTreeMap<ObjectKey, Vec<u8>>;

fn journal(left: &[Left]) -> Journal {
    let objects = left.iter().flat_map(|left| left.objects.values());
    objects
        .map(|object| (object.key.clone(), object.body.clone()))
        .collect()
}

fn check(journal: &Journal) -> Summary {
    check_span(journal, Span::default())
}

/// The objects that a fault names.
fn accused(journal: &Journal) -> BTreeSet<ObjectKey> {
    let faults = check(journal).faults.into_iter();
    let known = faults.filter(|fault| !fault.what.is_unknown());
    known.map(|fault| fault.object).collect()
}

/// Whether it is said that the object is not as a header has it, whatever that header is worth.
fn is_missing(summary: &Summary, key: &ObjectKey) -> bool {
    let mut faults = summary.faults.iter();
    faults.any(|fault| fault.object == *key && !matches!(fault.what, What::Unvouched(_)))
}

/// What nobody vouches for any more, by the numbers; no two spans touch each other.
fn unvouched(summary: &Summary) -> Vec<(u64, u64, u64)> {
    let mut spans: Vec<_> = summary
        .faults
        .iter()
        .filter_map(|fault| match &fault.what {
            What::Unvouched(span) => Some((fault.run, span.first, span.last, span.objects)),
            _ => None,
        })
        .collect();
    spans.sort_unstable();
    let touches = |pair: &[(Option<RunId>, u64, u64, u64)]| {
        pair[0].0 == pair[1].0 && pair[1].1 <= pair[0].2 + 1
    };
    assert!(!spans.windows(2).any(touches), "{spans:?}");
    let numbers = spans.into_iter();
    numbers
        .map(|(_, first, last, objects)| (first, last, objects))
        .collect()
}

fn keys<const N: usize>(keys: [&ObjectKey; N]) -> BTreeSet<ObjectKey> {
    keys.into_iter().cloned().collect()
}

/// Every act that is not undone leaves its trace on these objects.
fn live_all(lives: &[model::Life]) -> Vec<Left> {
    let lives = (1..).zip(lives);
    lives.map(|(number, life)| live(number, life)).collect()
}

/// One of the objects that a stored header vouches for.
fn settled(left: &[Left], index: Index) -> Option<(&Left, u64, &Object)> {
    let settled: Vec<_> = left
        .iter()
        .flat_map(|left| left.named.iter().map(move |seq| (left, *seq)))
        .filter_map(|(left, seq)| Some((left, seq, left.objects.get(&seq)?)))
        .collect();
    (!settled.is_empty()).then(|| settled[index.index(settled.len())])
}

fn header(object: &Object) -> Header {
    let line = object.body.split(|byte| *byte == b'\n').next().unwrap();
    Header::parse(line).unwrap()
}

fn node(object: &Object) -> Node {
    header(object).node
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn p11_nothing_is_named_that_did_not_happen(lives in lives()) {
        let left = live_all(&lives);
        let summary = check(&journal(&left));
        prop_assert_eq!(summary.faults, []);
        prop_assert_eq!(summary.open.len(), left.iter().filter(|left| !left.ended && !left.objects.is_empty()).count());
    }

    #[test]
    fn p11_nothing_is_named_in_a_part_of_the_journal(lives in lives(), from in 0..700_000_i64, length in 1..700_000_i64) {
        let judged = Window { from: Some(at(START + from)), to: Some(at(START + from + length)) };
        let summary = check_span(&journal(&live_all(&lives)), Span::around(judged));
        prop_assert_eq!(summary.faults, []);
    }

    #[test]
    fn p11_a_deleted_object_is_named(lives in lives(), index: Index) {
        let left = live_all(&lives);
        let mut journal = journal(&left);
        if let Some((_, _, object)) = settled(&left, index) {
            journal.remove(&object.key);
            prop_assert_eq!(accused(&journal), keys([&object.key]));
        }
    }

    /// However long its run paused, and with all that named it before the cut.
    #[test]
    fn p11_what_is_deleted_before_a_cut_is_named_in_one_of_the_parts(lives in lives(), index: Index, cut in 0..1_400_000_i64) {
        let left = live_all(&lives);
        let mut journal = journal(&left);
        if let Some((left, seq, object)) = settled(&left, index) {
            let before = at(START + cut);
            let is_before = |object: &Object| object.key.batch_time() < Some(before);
            let gone: BTreeSet<_> = left.objects.range(seq..).map(|(_, object)| object).filter(|other| is_before(other) || *other == object).map(|object| object.key.clone()).collect();
            let is_named_by_one_that_stays = left.objects.range(seq..).any(|(_, other)| !gone.contains(&other.key) && header(other).confirmed.iter().any(|link| gone.contains(&link.object_key(model::PREFIX, header(other).node).unwrap())));
            for key in &gone {
                journal.remove(key);
            }
            let accused = accused_in_parts(&journal, cut);
            prop_assert!(accused.is_subset(&gone));
            prop_assert_eq!(accused.is_empty(), !is_named_by_one_that_stays);
        }
    }

    /// The run goes on behind the cut, and gives the number to its own.
    #[test]
    fn p11_what_is_forged_behind_the_last_object_before_a_cut_is_named(lives in lives(), index: Index, cut: Index) {
        let left = live_all(&lives);
        let mut journal = journal(&left);
        if let Some((left, seq, object)) = settled(&left, index)
            && let Some(next) = left.objects.get(&(seq + 1))
        {
            let millis = |object: &Object| i64::try_from(header(object).clock.to_utc().unix_timestamp_nanos() / 1_000_000).unwrap();
            let (from, to) = (millis(object), millis(next));
            let cut = from + 1 + i64::try_from(cut.index(usize::try_from(to - from).unwrap() + 1)).unwrap();
            let link = Link { seq, key: object.key.own_batch().unwrap().0, sha256: ObjectHash::of(&object.body) };
            let forged = Header { seq: seq + 1, clock: at(from), confirmed: vec![link], unconfirmed: Vec::new(), end: false, ..header(next) };
            let forged_key = key(from, u128::from(u64::MAX), forged.node);
            journal.insert(forged_key.clone(), (forged.to_line() + "{\"v\":1}\n").into_bytes());
            let accused = accused_in_parts(&journal, cut - START);
            // While nobody names one of the two, either may be the forged one.
            prop_assert!(accused.contains(&forged_key) || check(&journal).faults.is_empty());
            prop_assert!(accused.is_subset(&keys([&forged_key, &next.key])));
        }
    }

    #[test]
    fn p11_a_changed_object_is_named(lives in lives(), index: Index, byte: Index, whole: bool) {
        let left = live_all(&lives);
        let mut journal = journal(&left);
        if let Some((_, _, object)) = settled(&left, index) {
            let body = journal.get_mut(&object.key).unwrap();
            if whole {
                *body = b"{\"v\":1}\n".to_vec();
            } else {
                let byte = byte.index(body.len());
                body[byte] ^= 1;
            }
            prop_assert!(accused(&journal).contains(&object.key));
            for fault in check(&journal).faults {
                // Whose number it took, at the end of a run, nobody can say.
                let is_twice = |what: &What| matches!(what, What::Inserted(Inserted::Twice(_)));
                prop_assert!(fault.object == object.key || fault.what.is_unknown() || is_twice(&fault.what), "{:?}", fault);
            }
        }
    }

    #[test]
    fn p11_a_copied_object_is_named(lives in lives(), index: Index, later in 1..2_000_000_i64, cut in 0..2_000_000_i64) {
        let left = live_all(&lives);
        let mut journal = journal(&left);
        if let Some((_, _, object)) = settled(&left, index) {
            let copy = key(START + later, 7, node(object));
            journal.insert(copy.clone(), object.body.clone());
            prop_assert_eq!(accused(&journal), keys([&copy]));
            // A part may not hold what says which of the two is the copy.
            let accused = accused_in_parts(&journal, cut);
            prop_assert!(accused.contains(&copy) && accused.is_subset(&keys([&copy, &object.key])), "{accused:?}");
        }
    }

    #[test]
    fn p11_a_forged_object_is_named_and_accuses_no_other(lives in lives(), index: Index, later in 1..100_000_i64) {
        let left = live_all(&lives);
        let mut journal = journal(&left);
        if let Some((left, _, object)) = settled(&left, index) {
            let mut header = header(object);
            // What it says of others is false.
            for link in &mut header.confirmed {
                link.sha256 = ObjectHash::of(b"forged");
            }
            header.unconfirmed.clear();
            let copy = key(START + later, 7, header.node);
            journal.insert(copy.clone(), header.to_line().into_bytes());
            prop_assert_eq!(accused(&journal), keys([&copy]), "{:?}", left.named);
        }
    }

    /// Under the key of the PUT, or under another.
    #[test]
    fn p11_an_object_forged_under_the_number_of_a_failed_put_is_named(lives in lives(), index: Index, later in 1..2_000_000_i64, is_its_key: bool, cut in 0..2_000_000_i64) {
        let left = live_all(&lives);
        let mut journal = journal(&left);
        let unconfirmed: Vec<_> = left.iter().flat_map(|left| left.unconfirmed.values().map(move |link| (left, link))).collect();
        if !unconfirmed.is_empty() {
            let (left, link) = unconfirmed[index.index(unconfirmed.len())];
            let like = header(left.objects.values().next().unwrap());
            let header = Header { seq: link.seq, confirmed: Vec::new(), unconfirmed: Vec::new(), end: false, ..like };
            let forged = if is_its_key { link.object_key(model::PREFIX, header.node).unwrap() } else { key(START + later, 7, header.node) };
            journal.insert(forged.clone(), (header.to_line() + "{\"v\":1}\n").into_bytes());
            prop_assert_eq!(accused(&journal), keys([&forged]));
            // A part may not hold what says whose number it is.
            let mut faults = parts(cut).into_iter().flat_map(|span| check_span(&journal, span).faults);
            let is_named = |fault: Fault| fault.object == forged && !matches!(fault.what, What::Unvouched(_));
            prop_assert!(faults.any(is_named));
        }
    }

    /// With or without payments, which end the run again or not, and name what they like.
    #[test]
    fn p11_what_is_forged_behind_an_end_is_named_and_accuses_no_other(
        lives in lives(), index: Index, forged in prop::collection::vec((0..200_000_i64, 0..3_u64, any::<[bool; 2]>()), 1..4),
        cut in 0..2_000_000_i64,
    ) {
        let left = live_all(&lives);
        let mut journal = journal(&left);
        let ended: Vec<_> = left.iter().filter(|left| left.ended).collect();
        if !ended.is_empty() {
            let (seq, end) = ended[index.index(ended.len())].objects.last_key_value().unwrap();
            let mut said = header(end);
            let mut last = (*seq, end.key.clone(), end.body.clone());
            let mut keys = BTreeSet::new();
            for (later, skipped, [names_it, is_end]) in forged {
                let (seq, last_key, last_body) = last;
                let link = Link { seq, key: last_key.own_batch().unwrap().0, sha256: ObjectHash::of(&last_body) };
                let now = said.clock.to_utc() + time::Duration::milliseconds(later);
                said = Header {
                    seq: seq + 1 + skipped,
                    clock: Timestamp::new(now),
                    confirmed: Vec::from_iter(names_it.then_some(link)),
                    unconfirmed: Vec::new(),
                    end: is_end,
                    ..said
                };
                let millis = i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap();
                let (key, body) = (key(millis, u128::from(u64::MAX - said.seq), said.node), said.to_line().into_bytes());
                last = (said.seq, key.clone(), body.clone());
                journal.insert(key.clone(), body);
                keys.insert(key);
            }
            prop_assert_eq!(accused(&journal), keys.clone());
            let accused = accused_in_parts(&journal, cut);
            // Behind the cut, what was forged before it hides the end.
            prop_assert!(!accused.is_empty() && accused.is_subset(&keys), "{accused:?}");
        }
    }

    /// Whatever its number, and whatever it says of those before: nothing, or that another object had theirs.
    #[test]
    fn p11_no_forged_header_hides_a_deletion(
        lives in lives(), index: Index, permille in prop_oneof![3 => 0..1200_u64, 1 => 1200..20_000_u64], later in 0..2_000_000_i64,
        says in prop_oneof![prop::collection::vec(any::<Option<bool>>(), 0..80), prop::collection::vec(any::<Option<bool>>(), 300..1000)], end: bool, cut in 0..2_000_000_i64,
    ) {
        let left = live_all(&lives);
        let mut journal = journal(&left);
        if let Some((left, _, object)) = settled(&left, index) {
            let seq = (left.objects.last_key_value().unwrap().0 + 2) * permille / 1000;
            let other = |seq: u64| Link { seq, key: uuid(START + later, seq.into()), sha256: ObjectHash::of(b"made up") };
            let said = |is_confirmed| {
                let named = (0..seq).rev().zip(&says).filter(move |(_, said)| **said == Some(is_confirmed));
                named.map(|(seq, _)| other(seq)).collect::<Vec<_>>()
            };
            let forged = Header { seq, clock: at(START + later), confirmed: said(true), unconfirmed: said(false), end, ..header(object) };
            let forged_key = key(START + later, u128::from(u64::MAX), forged.node);
            journal.insert(forged_key, forged.to_line().into_bytes());
            journal.remove(&object.key);
            prop_assert!(is_missing(&check(&journal), &object.key));
            let parts = parts(cut).map(|span| check_span(&journal, span));
            prop_assert!(parts.iter().any(|part| is_missing(part, &object.key)));
        }
    }

    #[test]
    fn p11_objects_that_changed_places_are_named(lives in lives(), one: Index, other: Index) {
        let left = live_all(&lives);
        let mut journal = journal(&left);
        let (one, other) = (settled(&left, one), settled(&left, other));
        if let (Some((_, _, one)), Some((_, _, other))) = (one, other)
            && one != other
        {
            journal.insert(one.key.clone(), other.body.clone());
            journal.insert(other.key.clone(), one.body.clone());
            prop_assert_eq!(accused(&journal), keys([&one.key, &other.key]));
        }
    }

    #[test]
    fn p11_several_deletions_leave_none_unnamed_but_by_what_is_unknown(lives in lives(), indexes: Vec<Index>) {
        let left = live_all(&lives);
        let mut journal = journal(&left);
        let gone: BTreeSet<_> = indexes.iter().filter_map(|index| settled(&left, *index)).map(|(_, _, object)| object.key.clone()).collect();
        for key in &gone {
            journal.remove(key);
        }
        let summary = check(&journal);
        unvouched(&summary);
        prop_assert_eq!(summary.faults.is_empty(), gone.is_empty());
        for fault in summary.faults.iter().filter(|fault| matches!(fault.what, What::Missing { .. } | What::Changed { .. } | What::Inserted(_))) {
            prop_assert!(gone.contains(&fault.object), "{:?}", fault);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn p11_a_long_run_is_judged_on_the_way(life in life(2500), index: Index) {
        let left = [live(1, &life)];
        let mut journal = journal(&left);
        prop_assert_eq!(check(&journal).faults, []);
        if let Some((_, _, object)) = settled(&left, index) {
            journal.remove(&object.key);
            prop_assert_eq!(accused(&journal), keys([&object.key]));
            unvouched(&check(&journal));
        }
    }
}
