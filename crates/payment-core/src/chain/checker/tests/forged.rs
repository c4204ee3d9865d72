//! What somebody forged speaks against genuine objects. Headers alone do not tell which is which, so each fault names both.

use super::*;

/// One run under a pen.
struct Pen {
    run: RunId,
    node: Node,
    journal: Journal,
}

impl Pen {
    fn new() -> Self {
        Self {
            run: RunId::new(model::uuid(START, 1)).unwrap(),
            node: Node::new(1),
            journal: Journal::new(),
        }
    }

    /// Writes an object, and returns its key and how others name it.
    fn write(
        &mut self,
        seq: u64,
        millis: i64,
        confirmed: &[Link],
        unconfirmed: &[Link],
        end: bool,
    ) -> (ObjectKey, Link) {
        let header = Header {
            run: self.run,
            node: self.node,
            seq,
            clock: at(START + millis),
            confirmed: confirmed.to_vec(),
            unconfirmed: unconfirmed.to_vec(),
            end,
        };
        let body = header.to_line().into_bytes();
        let unique = u128::try_from(self.journal.len()).unwrap();
        let link = Link {
            seq,
            key: model::uuid(START + millis, unique),
            sha256: ObjectHash::of(&body),
        };
        let key = key(START + millis, unique, self.node);
        self.journal.insert(key.clone(), body);
        (key, link)
    }

    /// How a header names what was not stored.
    fn failed(seq: u64, millis: i64) -> Link {
        Link {
            seq,
            key: model::uuid(START + millis, u128::from(seq) + 1000),
            sha256: ObjectHash::of(b"never stored"),
        }
    }

    /// Each fault that is one names one of the forged, as its object or as the one by whose word it is.
    fn assert_forged_are_named(&self, forged: &[&ObjectKey]) {
        let faults = check(&self.journal).faults;
        let mut known = faults.iter().filter(|fault| !fault.what.is_unknown());
        let is_named = |fault: &Fault, key: &ObjectKey| {
            fault.object == *key || fault.what.to_string().contains(key.as_str())
        };
        assert!(
            known.clone().next().is_some(),
            "nothing is named: {faults:?}"
        );
        let names_one = |fault: &Fault| forged.iter().any(|key| is_named(fault, key));
        assert!(known.all(names_one), "{faults:#?}");
    }
}

#[test]
fn p11_one_forged_object_behind_all_others_is_named_with_each_that_it_accuses() {
    for is_ended in [true, false] {
        let (mut pen, written) = run_of(5, is_ended);
        let wrong = |link: &Link| Link {
            sha256: ObjectHash::of(b"made up"),
            ..*link
        };
        let wrong: Vec<_> = written.iter().map(|(_, link)| wrong(link)).collect();
        let (forged, _) = pen.write(5, 600_000, &wrong, &[], false);
        pen.assert_forged_are_named(&[&forged]);
    }
}

#[test]
fn p11_two_forged_objects_that_vouch_for_each_other_are_named_with_each_that_they_accuse() {
    let mut pen = Pen::new();
    let (_, zero) = pen.write(0, 0, &[], &[], false);
    let (_, one) = pen.write(1, 100, &[zero], &[], false);
    let failed = Pen::failed(2, 200);
    pen.write(3, 300, &[one], &[failed], false);
    assert_eq!(check(&pen.journal).faults, []);
    let (second, link) = pen.write(2, 600_000, &[], &[], false);
    let (fourth, _) = pen.write(4, 600_100, &[link], &[], false);
    pen.assert_forged_are_named(&[&second, &fourth]);
}

/// The key and the number of a PUT that failed before the range, which a header in the range names as not confirmed.
#[test]
fn p11_a_body_under_the_key_of_a_failed_put_before_the_range_is_named() {
    let hour = 3_600_000;
    let mut pen = Pen::new();
    let (_, zero) = pen.write(0, 0, &[], &[], false);
    let failed = Pen::failed(1, 100);
    let (_, two) = pen.write(2, 200, &[zero], &[], false);
    let (_, three) = pen.write(3, hour, &[two], &[failed], false);
    pen.write(4, hour + 100, &[three], &[], true);
    let cut = hour / 2;
    assert_eq!(accused_in_parts(&pen.journal, cut), BTreeSet::new());
    for seq in [1, 7] {
        let header = Header {
            run: pen.run,
            node: pen.node,
            seq,
            clock: at(START + 100),
            confirmed: Vec::new(),
            unconfirmed: Vec::new(),
            end: false,
        };
        let key = failed.object_key(model::PREFIX, pen.node).unwrap();
        let mut journal = pen.journal.clone();
        journal.insert(key.clone(), header.to_line().into_bytes());
        let accused = accused_in_parts(&journal, cut);
        assert!(accused.contains(&key), "{seq}: {accused:?}");
    }
}

/// A header names a thousand; what failed beyond that it leaves to the next, which a kill may prevent.
#[test]
fn p11_more_failures_than_a_header_names_are_no_fault() {
    let mut pen = Pen::new();
    let (_, zero) = pen.write(0, 0, &[], &[], false);
    let failed: Vec<_> = (1..1000).map(|seq| Pen::failed(seq, 100)).collect();
    pen.write(2501, 600_000, &[zero], &failed, false);
    assert_eq!(check(&pen.journal).faults, []);
}

/// Two objects were in flight when S3 failed for longer than the hour: what names them lies in the next.
#[test]
fn p11_an_object_of_an_earlier_hour_with_the_number_of_a_settled_one_is_named_by_an_hour() {
    let minutes = |minutes: i64| minutes * 60_000;
    let mut pen = Pen::new();
    let (_, zero) = pen.write(0, 0, &[], &[], false);
    let (_, one) = pen.write(1, minutes(118), &[zero], &[], false);
    let (_, two) = pen.write(2, minutes(118), &[zero], &[], false);
    pen.write(3, minutes(121), &[one, two], &[], true);
    assert_eq!(accused_in_hours(&pen.journal, 4), BTreeSet::new());
    let (forged, _) = pen.write(1, minutes(30), &[], &[], false);
    assert!(accused_in_hours(&pen.journal, 4).contains(&forged));
}

/// An end under a number that failed before the range.
#[test]
fn p11_an_end_with_a_number_of_before_the_range_ends_nothing() {
    let minutes = |minutes: i64| minutes * 60_000;
    let mut pen = Pen::new();
    let (_, zero) = pen.write(0, 0, &[], &[], false);
    let failed = Pen::failed(1, 100);
    let (_, two) = pen.write(2, 200, &[zero], &[failed], false);
    let (_, three) = pen.write(3, 300, &[two], &[], false);
    let (deleted, four) = pen.write(4, minutes(61), &[three], &[], false);
    pen.write(5, minutes(62), &[four], &[], true);
    let mut journal = pen.journal.clone();
    let (forged, _) = pen.write(1, minutes(63), &[], &[], true);
    let accused = accused_in_hours(&pen.journal, 2);
    assert!(accused.is_subset(&keys([&forged])), "{accused:?}");
    journal.insert(forged.clone(), pen.journal[&forged].clone());
    journal.remove(&deleted);
    assert!(accused_in_hours(&journal, 2).contains(&deleted));
}

/// It takes the numbers that the run is yet to have.
#[test]
fn p11_a_forged_header_that_takes_numbers_to_come_is_named_with_each_that_it_accuses() {
    let minutes = |minutes: i64| minutes * 60_000;
    for (number, names) in [(300, 290), (2000, 1000)] {
        let mut pen = Pen::new();
        let mut links = Vec::new();
        for seq in 0..13 {
            let before: Vec<_> = links.last().copied().into_iter().collect();
            let pause = if seq < 7 { 1 } else { 11 };
            let time = minutes(pause + i64::try_from(seq).unwrap());
            let (_, link) = pen.write(seq, time, &before, &[], seq == 12);
            links.push(link);
        }
        let failed: Vec<_> = (7..7 + names)
            .map(|seq| Pen::failed(seq, minutes(8)))
            .collect();
        let failed = &failed[..failed.len().min(999)];
        let (forged, _) = pen.write(number, minutes(16), &links[6..7], failed, false);
        pen.assert_forged_are_named(&[&forged]);
    }
}

/// A run of this many objects, a minute from each to the next, of which the last is the end, or the process was killed.
fn run_of(objects: u64, is_ended: bool) -> (Pen, Vec<(ObjectKey, Link)>) {
    paced_run_of(objects, 60_000, is_ended)
}

fn paced_run_of(objects: u64, pause: i64, is_ended: bool) -> (Pen, Vec<(ObjectKey, Link)>) {
    let mut pen = Pen::new();
    let mut written: Vec<(ObjectKey, Link)> = Vec::new();
    for seq in 0..objects {
        let before: Vec<_> = written.last().map(|(_, link)| *link).into_iter().collect();
        let time = pause * i64::try_from(seq).unwrap();
        written.push(pen.write(seq, time, &before, &[], is_ended && seq + 1 == objects));
    }
    assert_eq!(check(&pen.journal).faults, []);
    (pen, written)
}

/// Where an end was forged, the run went on behind it.
#[test]
fn p11_what_is_deleted_behind_a_forged_end_is_named() {
    let (mut pen, written) = run_of(9, true);
    let (third, fourth) = (&written[3].0, &written[4].0);
    let mut header = Header::parse(&pen.journal[third]).unwrap();
    header.end = true;
    pen.journal
        .insert(third.clone(), header.to_line().into_bytes());
    pen.journal.remove(fourth);
    let accused = accused(&pen.journal);
    assert!(accused.contains(fourth), "{accused:?}");
    pen.assert_forged_are_named(&[third, fourth]);
}

/// The object that names what was deleted is the last one of its part.
#[test]
fn p11_what_is_deleted_behind_a_forged_end_is_named_in_a_part() {
    let pause = 600_000;
    let (mut pen, written) = paced_run_of(9, pause, true);
    let (third, fourth) = (&written[3].0, &written[4].0);
    let mut header = Header::parse(&pen.journal[third]).unwrap();
    header.end = true;
    pen.journal
        .insert(third.clone(), header.to_line().into_bytes());
    pen.journal.remove(fourth);
    let parts = parts(11 * pause / 2).map(|span| check_span(&pen.journal, span));
    assert!(
        parts.iter().any(|part| is_missing(part, fourth)),
        "{parts:#?}"
    );
}

/// It says of the last object that another has its number, so that the word of that object does not count.
#[test]
fn p11_what_is_deleted_before_an_object_that_is_accused_is_named() {
    for is_ended in [false, true] {
        let (mut pen, written) = run_of(8, is_ended);
        let made_up = |seq: u64| Pen::failed(seq, 1000);
        let names: Vec<_> = (3..8).map(made_up).collect();
        pen.write(9, 500_000, &[], &names, false);
        for deleted in [3, 5] {
            pen.journal.remove(&written[deleted].0);
        }
        let summary = check(&pen.journal);
        for deleted in [3, 5] {
            assert!(is_missing(&summary, &written[deleted].0), "{summary:#?}");
        }
    }
}

/// Under a number that is yet to come: what it says of that is not certain, when the deletion is.
#[test]
fn p11_a_deleted_object_that_is_named_under_a_number_to_come_is_named() {
    let (mut pen, written) = run_of(400, true);
    let (deleted, link) = &written[7];
    pen.journal.remove(deleted);
    let to_come = Link { seq: 300, ..*link };
    pen.write(301, 510_000, &[to_come], &[], false);
    assert!(accused(&pen.journal).contains(deleted));
}

/// As many rivals as names: the work grows with their sum.
#[test]
fn p11_many_objects_of_one_number_are_judged_in_time() {
    let mut pen = Pen::new();
    let names: Vec<_> = (0..200).map(|seq| Pen::failed(seq, 100)).collect();
    for rival in 0..2000 {
        pen.write(300, rival, &names, &[], false);
    }
    assert_eq!(check(&pen.journal).faults.len(), 2000 + 200);
}

#[test]
fn p11_what_is_deleted_before_an_end_that_was_copied_is_named() {
    let (mut pen, written) = run_of(6, true);
    let (fourth, end) = (&written[4].0, &written[5].0);
    let copy = key(START + 400_000, 99, pen.node);
    let body = pen.journal[end].clone();
    pen.journal.insert(copy.clone(), body);
    pen.journal.remove(fourth);
    let accused = accused(&pen.journal);
    assert!(
        accused.contains(fourth) && accused.contains(&copy),
        "{accused:?}"
    );
}
