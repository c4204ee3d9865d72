//! Requests at the edges of the rules.

use crate::odd_requests::{all_are_refused_with_a_problem, send};
use crate::tier::Tier;

#[tokio::test]
async fn every_odd_request_is_refused_with_a_problem() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    all_are_refused_with_a_problem(tier.address(), "/pay").await;
}

#[tokio::test]
async fn a_head_of_what_is_not_there_has_the_type_of_a_problem() {
    let tier = Tier::at(([127, 0, 0, 1], 9).into()).await;
    let answer = send(tier.address(), "HEAD /nowhere HTTP/1.1").await;
    assert!(answer.contains("application/problem+json"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn p4_two_keys_that_differ_are_refused_and_one_sent_twice_is_one() {
    let accepted = crate::tier::answer("202 Accepted", "content-type: application/json\r\n", "{}");
    let tier = Tier::before(vec![accepted]).await;
    let json = ("content-type", "application/json");
    let keys = |one, two| [json, ("idempotency-key", one), ("idempotency-key", two)];
    let differ = tier.post(&keys("a", "b"), "{}").await;
    assert_eq!(differ.status().as_u16(), 400);
    assert!(differ.text().await.unwrap().contains("\"id_mismatch\""));
    assert_eq!(tier.calls(), 0);
    assert_eq!(
        tier.post(&keys("a", "a"), "{}").await.status().as_u16(),
        202
    );
    let seen = tier.seen.lock().unwrap().join("");
    assert_eq!(seen.matches("idempotency-key: a").count(), 1, "{seen}");
}
