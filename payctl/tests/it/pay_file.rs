//! `payctl pay --file`, at a load balancer that answers what the test tells it.

use std::io::Write as _;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::client::{Asked, Script, serve};
use crate::harness::Said;

/// What becomes of a payment, by its id: one word a try.
type Outcomes<'a> = &'a [(&'a str, &'a str)];

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn answer(outcomes: Outcomes<'_>) -> String {
    let line = |((id, outcome), number): (&(&str, &str), u64)| {
        let mut line = json!({"line": number, "id": id, "status": outcome});
        match *outcome {
            "refused" => line["http_status"] = 422.into(),
            "conflict" => {
                line["status"] = "refused".into();
                line["http_status"] = 409.into();
            }
            _ => {}
        }
        line["code"] = "some_code".into();
        line.to_string() + "\n"
    };
    outcomes.iter().zip(1..).map(line).collect()
}

fn problem(status: u16) -> String {
    json!({"status": status, "code": "some_code", "request_id": "r"}).to_string()
}

async fn pay(text: &str, answers: &[(u16, String)]) -> (Said, Vec<Asked>) {
    let script = Script::default();
    for (status, body) in answers {
        script.will_say(&[(*status, "", Box::leak(body.clone().into_boxed_str()))]);
    }
    let file = file(text);
    let path = file.path().to_str().unwrap();
    serve(script, &["pay", "--file", path]).await
}

fn counted(said: &Said) -> Vec<u64> {
    let count = |name: &str| {
        let line = said
            .out
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap();
        let count = line.rsplit(' ').next().unwrap();
        count.replace(',', "").parse().unwrap()
    };
    ["accepted", "replayed", "refused", "not known", "not sent"]
        .map(count)
        .into()
}

const THREE: &str = "{\"id\":\"a\"}\n\n{\"id\":\"b\"}\r\n{\"id\":\"c\"}";

#[tokio::test]
async fn p4_only_lines_that_are_not_known_are_sent_again() {
    let first = answer(&[("a", "accepted"), ("b", "unconfirmed"), ("c", "replayed")]);
    let (said, asked) = pay(THREE, &[(200, first), (200, answer(&[("b", "accepted")]))]).await;
    said.check(0, &[]);
    assert_eq!(counted(&said), [2, 1, 0, 0, 0]);
    let bodies: Vec<_> = asked.iter().map(|(_, _, body)| body.as_str()).collect();
    assert_eq!(
        bodies,
        [
            "{\"id\":\"a\"}\n{\"id\":\"b\"}\r\n{\"id\":\"c\"}\n",
            "{\"id\":\"b\"}\r\n"
        ]
    );
}

#[tokio::test]
async fn refused_lines_are_named_by_their_number_in_the_file() {
    let answer = answer(&[("a", "accepted"), ("b", "refused"), ("c", "conflict")]);
    let (said, _) = pay(THREE, &[(200, answer)]).await;
    said.check(1, &["line 3 (id b): 422 some_code", "line 4 (id c): 409"]);
    assert_eq!(counted(&said), [1, 0, 2, 0, 0]);
}

#[tokio::test]
async fn p6_a_conflict_after_an_unanswered_try_is_not_known() {
    let open = answer(&[("a", "unconfirmed"), ("b", "accepted"), ("c", "refused")]);
    let taken = answer(&[("a", "conflict")]);
    let (said, _) = pay(THREE, &[(200, open), (200, taken)]).await;
    said.check(2, &["may have been taken"]);
    assert_eq!(counted(&said), [1, 0, 1, 1, 0]);
}

#[tokio::test]
async fn p1_what_no_server_confirms_is_not_known_and_the_rest_is_not_sent() {
    let many: Vec<_> = (0..1500).map(|n| format!("{{\"id\":\"{n}\"}}")).collect();
    let away = vec![(503, problem(503)); 4];
    let (said, asked) = pay(&many.join("\n"), &away).await;
    said.check(2, &[]);
    assert_eq!(counted(&said), [0, 0, 0, 1000, 500]);
    assert_eq!(asked.len(), 4);
}

#[tokio::test]
async fn p1_an_answer_about_other_payments_accepts_none() {
    for odd in [
        String::new(),
        "<html>".to_owned(),
        answer(&[("a", "accepted"), ("b", "accepted")]),
        answer(&[("a", "accepted"), ("c", "accepted"), ("b", "accepted")]),
    ] {
        let (said, asked) = pay(THREE, &[(200, odd)]).await;
        said.check(2, &[]);
        assert_eq!((counted(&said), asked.len()), (vec![0, 0, 0, 3, 0], 1));
    }
}

#[tokio::test]
async fn a_batch_over_the_clients_limits_is_sent_in_halves() {
    let one = |id| (200, answer(&[(id, "accepted")]));
    let two = (200, answer(&[("a", "accepted"), ("b", "accepted")]));
    let (said, asked) = pay(
        THREE,
        &[(413, problem(413)), (429, problem(429)), two, one("c")],
    )
    .await;
    said.check(0, &[]);
    assert_eq!((counted(&said), asked.len()), (vec![3, 0, 0, 0, 0], 4));
}

#[tokio::test]
async fn a_file_without_a_payment_is_not_clean() {
    let (said, asked) = pay("\n\r\n", &[]).await;
    said.check(2, &[]);
    assert!(asked.is_empty());
    let (said, _) = pay(THREE, &[(401, problem(401))]).await;
    said.check(1, &[]);
}

#[tokio::test]
async fn p5_a_line_that_fits_into_no_batch_is_refused_alone() {
    let long = format!("{{\"id\":\"{}\"}}\n", "x".repeat(3 << 20));
    let text = long + r#"{"id":"b"}"#;
    let (said, asked) = pay(&text, &[(200, answer(&[("b", "accepted")]))]).await;
    said.check(1, &["line 1: longer"]);
    assert_eq!(counted(&said), [1, 0, 1, 0, 0]);
    let sent: Value = serde_json::from_str(&asked[0].2).unwrap();
    assert_eq!(sent["id"], "b");
}
