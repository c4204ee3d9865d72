use crate::verdict::BreachKind::{
    Altered, ConflictMissing, ConflictWithNothing, Doubled, KeptOut, LetIn, Lost,
    RefusedButRecorded, WithoutRequest,
};
use crate::{Answer, Attempt, BreachKind, Content, Judge, Row, Verdict};

const CONFLICT: Answer = Answer::Conflict;
const REFUSED: Answer = Answer::Refused { status: 422 };
const FAILED: Answer = Answer::Failed { status: 503 };
const NONE: Answer = Answer::NoAnswer;

fn accepted(request: &str, replayed: bool) -> Answer {
    Answer::Accepted {
        replayed,
        received_at: "t".to_owned(),
        request_id: request.to_owned(),
    }
}

fn content(amount: &str) -> Content {
    Content {
        transaction: None,
        amount: Some(amount.to_owned()),
        currency: None,
        status: "processed".to_owned(),
        payer_name: None,
        extra: "{}".to_owned(),
    }
}

fn row(line: u32, amount: &str) -> Row {
    Row {
        client: String::new(),
        id: "a".to_owned(),
        content: content(amount),
        received_at: "t".to_owned(),
        recorded_ms: Some(50),
        object_key: "o".to_owned(),
        object_line: line,
    }
}

fn attempt(client: Option<&str>, amount: &str, answer: &Answer) -> Attempt {
    Attempt {
        client: client.map(str::to_owned),
        id: "a".to_owned(),
        content: content(amount),
        sent_ms: 10,
        answered_ms: Some(20),
        answer: answer.clone(),
    }
}

/// Judges the id `a`: amounts with their answers, rows and conflicts by their amounts.
fn judged(sent: &[(&str, Answer)], rows: &[&str], conflicts: &[&str]) -> Verdict {
    let mut judge = Judge::new();
    for (line, amount) in (0..).zip(rows) {
        judge.row(row(line, amount));
    }
    for (amount, answer) in sent {
        judge.attempt(&attempt(Some(""), amount, answer));
    }
    for (line, amount) in (100..).zip(conflicts) {
        judge.conflict(row(line, amount));
    }
    judge.verdict()
}

fn broken(sent: &[(&str, Answer)], rows: &[&str], conflicts: &[&str]) -> Vec<BreachKind> {
    let verdict = judged(sent, rows, conflicts);
    assert_eq!(verdict.holds(), verdict.broken.is_empty());
    verdict.broken.iter().map(|breach| breach.kind).collect()
}

#[test]
fn what_is_right_passes() {
    let accepted = || accepted("r", false);
    for (sent, rows, conflicts) in [
        (vec![("1", accepted())], vec!["1.0000"], vec![]),
        (
            vec![("1", accepted()), ("1", accepted())],
            vec!["1"],
            vec![],
        ),
        (
            vec![("1", accepted()), ("2", accepted())],
            vec!["1"],
            vec!["2"],
        ),
        (vec![("1", accepted()), ("2", CONFLICT)], vec!["1"], vec![]),
        (
            vec![("1", accepted()), ("2", CONFLICT)],
            vec!["1"],
            vec!["2"],
        ),
        (
            vec![("1", NONE), ("2", accepted())],
            vec!["1"],
            vec!["2", "2"],
        ),
        (vec![("1", FAILED)], vec![], vec![]),
        (vec![("1", FAILED)], vec!["1"], vec![]),
        (vec![("1", NONE)], vec!["1"], vec![]),
        (vec![("1", REFUSED)], vec![], vec![]),
        (vec![("1", REFUSED), ("1", accepted())], vec!["1"], vec![]),
        (
            vec![("1", CONFLICT), ("1", NONE), ("2", NONE)],
            vec!["1"],
            vec![],
        ),
    ] {
        assert_eq!(broken(&sent, &rows, &conflicts), [], "{sent:?}");
    }
}

#[test]
fn p1_an_accepted_payment_without_a_row_is_found() {
    let sent = [("1", accepted("r", false))];
    assert_eq!(broken(&sent, &[], &[]), [Lost]);
    assert_eq!(broken(&sent, &[], &["1"]), [Lost]);
}

#[test]
fn p2_two_rows_of_one_id_are_found() {
    let sent = [("1", accepted("r", false)), ("2", NONE)];
    assert_eq!(broken(&sent, &["1", "1"], &[]), [Doubled]);
    assert_eq!(broken(&sent, &["1", "2"], &[]), [Doubled]);
}

#[test]
fn p2_one_line_recorded_twice_is_found() {
    let mut judge = Judge::new();
    judge.attempt(&attempt(Some(""), "1", &NONE));
    judge.row(row(1, "1"));
    judge.conflict(row(1, "1"));
    let broken = judge.verdict().broken;
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0].kind, Doubled);
    assert_eq!(broken[0].detail, "line 1 of o is recorded twice");
}

#[test]
fn p3_what_nobody_sent_is_found_and_named_without_its_content() {
    let sent = [("1", accepted("r", false))];
    assert_eq!(broken(&sent, &["1.01"], &[]), [ConflictMissing, Altered]);
    assert_eq!(broken(&sent, &["1"], &["77.7"]), [Altered]);
    let verdict = judged(&sent, &["77.7"], &[]);
    assert!(verdict.to_string().contains("amount"));
    assert!(!verdict.to_string().contains("77.7"), "{verdict}");
}

#[test]
fn a_row_that_nobody_sent_is_found() {
    assert_eq!(broken(&[], &["1"], &[]), [WithoutRequest]);
    assert_eq!(broken(&[], &[], &["1"]), [WithoutRequest]);
}

#[test]
fn p4_other_content_accepted_without_a_conflict_is_found() {
    let sent = [("1", accepted("r", false)), ("2", accepted("s", false))];
    assert_eq!(broken(&sent, &["1"], &[]), [ConflictMissing]);
    assert_eq!(broken(&sent, &["2"], &[]), [ConflictMissing]);
}

#[test]
fn p6_a_no_that_is_recorded_is_found() {
    assert_eq!(broken(&[("1", REFUSED)], &["1"], &[]), [RefusedButRecorded]);
    let other = ("2", accepted("r", false));
    assert_eq!(
        broken(&[("1", REFUSED), other.clone()], &["2"], &["1"]),
        [RefusedButRecorded]
    );
    assert_eq!(
        broken(&[("1", CONFLICT), other], &["1"], &["2"]),
        [RefusedButRecorded]
    );
}

#[test]
fn p4_a_conflict_with_nothing_is_found() {
    assert_eq!(broken(&[("1", CONFLICT)], &[], &[]), [ConflictWithNothing]);
    let sent = [("1", accepted("r", false)), ("1", CONFLICT)];
    assert_eq!(broken(&sent, &["1"], &[]), [ConflictWithNothing]);
}

/// What two clients and nobody sent under one id, and the rows by client.
fn broken_of_clients(
    sent: &[(Option<&str>, &str, Answer)],
    rows: &[(&str, &str)],
) -> Vec<BreachKind> {
    let mut judge = Judge::new();
    for (client, amount, answer) in sent {
        judge.attempt(&attempt(*client, amount, answer));
    }
    for (line, (client, amount)) in (0..).zip(rows) {
        let client = (*client).to_owned();
        judge.row(Row {
            client,
            ..row(line, amount)
        });
    }
    let broken = judge.verdict().broken;
    broken.into_iter().map(|breach| breach.kind).collect()
}

#[test]
fn p10_one_id_of_two_clients_is_two_payments() {
    let accepted = || accepted("r", false);
    let sent = [
        (Some("one"), "1", accepted()),
        (Some("two"), "2", accepted()),
    ];
    let both = [("one", "1"), ("two", "2")];
    assert_eq!(broken_of_clients(&sent, &both), []);
    assert_eq!(broken_of_clients(&sent, &both[..1]), [Lost]);
    let swapped = broken_of_clients(&sent, &[("two", "1"), ("one", "2")]);
    assert!(swapped.contains(&Altered), "{swapped:?}");
    let collided = [(Some("one"), "1", accepted()), (Some("two"), "2", CONFLICT)];
    assert_eq!(
        broken_of_clients(&collided, &both[..1]),
        [ConflictWithNothing]
    );
}

#[test]
fn p10_who_may_come_in_and_who_may_not_are_told_so() {
    let unknown = || Answer::Refused { status: 401 };
    assert_eq!(broken_of_clients(&[(None, "1", unknown())], &[]), []);
    assert_eq!(broken_of_clients(&[(None, "1", NONE)], &[]), []);
    let stored = broken_of_clients(&[(None, "1", unknown())], &[("", "1")]);
    assert_eq!(stored, [WithoutRequest]);
    for answer in [accepted("r", false), CONFLICT, REFUSED] {
        assert_eq!(broken_of_clients(&[(None, "1", answer)], &[]), [LetIn]);
    }
    let kept_out = [(Some("one"), "1", unknown())];
    assert_eq!(broken_of_clients(&kept_out, &[]), [KeptOut]);
}

#[test]
fn counts_are_those_of_the_answers() {
    let sent = [
        ("1", accepted("r", false)),
        ("1", accepted("r", true)),
        ("1", accepted("s", false)),
        ("2", CONFLICT),
        ("3", REFUSED),
        ("4", FAILED),
        ("5", NONE),
    ];
    let verdict = judged(&sent, &["1"], &["4"]);
    assert!(verdict.holds(), "{verdict}");
    let counts = [
        verdict.attempts,
        verdict.acknowledged,
        verdict.conflicts_answered,
        verdict.refused,
        verdict.failed,
        verdict.unanswered,
        verdict.rows,
        verdict.conflict_rows,
        verdict.second_yes,
    ];
    assert_eq!(counts, [7, 3, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(verdict.slowest_ms, Some(30));
}
