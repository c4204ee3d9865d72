use std::ops::Not;

use payment_core::record::read_object;
use payment_core::{Draft, ObjectKey, RecordError, RejectedLine, RequestId, Timestamp};

use super::super::tally::{Holder, Tally, count};
use super::*;

fn record(body: &str) -> LogRecord {
    let payment = Draft::parse(body.as_bytes())
        .unwrap()
        .identify(None, || unreachable!("the body has an id"))
        .unwrap();
    let at = Timestamp::parse("2026-11-22T07:30:00Z").unwrap();
    LogRecord::new(payment, at, RequestId::parse("r").unwrap(), None)
}

fn lines(bodies: &[&str]) -> Vec<Line> {
    (1..)
        .zip(bodies.iter().map(|body| Ok(record(body))))
        .collect()
}

/// The groups as `id: lines`.
fn groups(lines: &[Line]) -> Vec<String> {
    let plan = Plan::new(lines);
    plan.groups()
        .iter()
        .map(|group| {
            let numbers: Vec<_> = group.iter().map(|entry| entry.line.to_string()).collect();
            format!("{}: {}", group[0].key(), numbers.join(" "))
        })
        .collect()
}

fn conflicting(tally: &Tally<'_>) -> Vec<u32> {
    tally.conflicts.iter().map(|entry| entry.line).collect()
}

#[test]
fn lines_are_grouped_by_id_and_sorted() {
    let lines = lines(&[
        r#"{"id":"b"}"#,
        r#"{"id":"a"}"#,
        r#"{"id":"b","x":1}"#,
        r#"{"id":"B"}"#,
        r#"{"id":"b"}"#,
    ]);
    assert_eq!(groups(&lines), ["B: 4", "a: 2", "b: 1 3 5"]);
    assert!(groups(&[]).is_empty());
}

#[test]
fn p4_the_first_line_of_an_id_wins() {
    let lines = lines(&[
        r#"{"id":"a","amount":1}"#,
        r#"{"id":"a","amount":2}"#,
        r#"{"id":"a","amount":"1.00"}"#,
    ]);
    let plan = Plan::new(&lines);
    let mut tally = Tally::default();
    tally.stored(plan.groups()[0]);
    assert_eq!(
        (tally.rows, tally.duplicates, conflicting(&tally)),
        (1, 1, vec![2])
    );
}

#[test]
fn p4_lines_are_compared_with_the_row_that_holds_the_id() {
    let lines = lines(&[
        r#"{"id":"a","amount":1}"#,
        r#"{"id":"a","amount":2}"#,
        r#"{"id":"a","amount":3}"#,
    ]);
    let plan = Plan::new(&lines);
    let group = plan.groups()[0];
    let held_by = |entry: &Entry<'_>, own_line| {
        let mut tally = Tally::default();
        let content_hash = entry.record.content_hash;
        tally.held(
            group,
            Holder {
                content_hash,
                own_line,
            },
        );
        (tally.rows, tally.duplicates, conflicting(&tally))
    };
    // The row came from another object, from this very line, or from a line with other content.
    assert_eq!(held_by(&group[1], None), (0, 1, vec![1, 3]));
    assert_eq!(held_by(&group[0], Some(1)), (1, 0, vec![2, 3]));
    assert_eq!(held_by(&group[1], Some(1)), (0, 1, vec![1, 3]));
}

#[test]
fn a_refused_line_leaves_its_id_to_the_next() {
    let lines = lines(&[r#"{"id":"a","amount":1}"#, r#"{"id":"a","amount":2}"#]);
    let plan = Plan::new(&lines);
    let mut tally = Tally::default();
    let error = sqlx::Error::PoolClosed.into();
    let rest = tally.refused(plan.groups()[0], &error).unwrap();
    assert_eq!(rest[0].line, 2);
    assert_eq!(tally.refused(rest, &error).map(<[_]>::len), None);
    assert_eq!((tally.rows, count(&tally.rejects)), (0, 2));
}

#[test]
fn failed_payments_are_counted_where_they_become_rows() {
    let lines = lines(&[
        r#"{"id":"a","status":"failed"}"#,
        r#"{"id":"a","status":"failed"}"#,
        r#"{"id":"b"}"#,
        r#"{"id":"b","status":"failed"}"#,
    ]);
    let plan = Plan::new(&lines);
    let mut tally = Tally::default();
    plan.groups()
        .into_iter()
        .for_each(|group| tally.stored(group));
    assert_eq!((tally.rows, tally.failed), (2, 1));
}

#[test]
fn p8_a_reject_tells_the_reason_and_nothing_of_the_line() {
    let card = r#"{"id":"a","note":"4111 1111 1111 1111"}"#;
    let key = ObjectKey::parse("a.json").unwrap();
    let (_, unreadable) = read_object(&key, card.as_bytes(), Timestamp::EPOCH)
        .next()
        .unwrap();
    let changed = RejectedLine {
        error: RecordError::HashMismatch,
        is_own: true,
        resembles_own: false,
        payment: None,
    };
    let lines = [(1, unreadable), (7, Err(changed))];
    let plan = Plan::new(&lines);
    let reasons: Vec<_> = plan
        .rejects
        .iter()
        .map(|reject| (reject.line, reject.reason))
        .collect();
    assert_eq!(reasons, [(1, "card_number"), (7, "hash_mismatch")]);
    assert!(format!("{:?}", plan.rejects).contains("4111").not());
    assert_eq!((plan.lines, plan.groups().len()), (2, 0));
}
