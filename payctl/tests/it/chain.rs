//! P11 and what it asks of the other commands: a header is no payment, whoever read it.

use payment_core::chain::{Node, Purpose, Run, RunId};
use payment_core::{ObjectKey, Timestamp};
use sqlx::MySqlPool;
use uuid::Uuid;

use crate::harness::{Pipeline, check, lines};

const NODE: u32 = 0x00b1_c2d3;

fn at() -> Timestamp {
    Timestamp::parse("2026-11-22T07:30:00Z").unwrap()
}

/// The object that a node seals first: its key, and its header line.
fn sealed() -> (String, String) {
    sealed_by(NODE)
}

fn sealed_by(node: u32) -> (String, String) {
    let node = Node::new(node);
    let unique = Uuid::from_u128(0x019a_b0f2_77aa_7c11_8e11_9d0f_a1c2_b3d4);
    let mut run = Run::new(RunId::new(unique).unwrap(), node);
    let header = run.seal(Purpose::Payments, at()).header().to_line();
    let key = ObjectKey::batch("transactions/", at(), unique, &node.to_string());
    (key.to_string(), header)
}

async fn ingested(pool: MySqlPool) -> (Pipeline, String) {
    let pipeline = Pipeline::start(pool).await;
    let (key, header) = sealed();
    pipeline.put(&key, &(header + &lines(&["a", "b"]))).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    (pipeline, key)
}

/// What a function that does not know headers writes: a reject for line 1, and no fingerprint.
async fn ingested_by_an_older_function(pool: MySqlPool) -> (Pipeline, String) {
    let (pipeline, key) = ingested(pool).await;
    pipeline
        .run_sql(
            "INSERT INTO rejects (object_key, object_etag, object_line, reason, detail, is_own, recorded_at) \
             SELECT object_key, object_etag, 1, 'unsupported_version', '', TRUE, ingested_at FROM ingested_objects; \
             UPDATE ingested_objects SET line_count = line_count + 1, reject_count = reject_count + 1, \
             sha256 = NULL, run = NULL, seq = NULL",
        )
        .await;
    (pipeline, key)
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_payments_behind_a_header_are_clean_and_keep_their_lines(pool: MySqlPool) {
    let (pipeline, key) = ingested(pool).await;
    assert_eq!(pipeline.rows().await, ["a", "b"]);
    check(&pipeline, 0, &[], &[]).await;
    let traced = pipeline.payctl(&["trace", "b"]).await;
    traced.check(0, &[&key, "line 3"]);
    // A header alone is an object without lines.
    let (alone, header) = sealed_by(NODE + 1);
    pipeline.put(&alone, &header).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    check(&pipeline, 0, &[], &[]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_header_that_an_older_function_rejected_is_settled(pool: MySqlPool) {
    let (pipeline, _) = ingested_by_an_older_function(pool).await;
    let said = pipeline.payctl(&["replay", "--rejects"]).await;
    said.check(0, &[]);
    assert_eq!(said.count("headers, which are no payments"), 1);
    check(&pipeline, 0, &[], &[]).await;
    let said = pipeline.reconcile().await;
    assert_eq!(said.count("of them rejects, settled"), 1);
}

/// A header alone, too: the object has no line but what was rejected.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_seal_that_an_older_function_rejected_is_settled(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let (key, header) = sealed();
    pipeline.put(&key, &header).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline
        .run_sql(
            "INSERT INTO rejects (object_key, object_etag, object_line, reason, detail, is_own, recorded_at) \
             SELECT object_key, object_etag, 1, 'unsupported_version', '', TRUE, ingested_at FROM ingested_objects; \
             UPDATE ingested_objects SET line_count = 1, reject_count = 1",
        )
        .await;
    pipeline
        .payctl(&["replay", "--rejects"])
        .await
        .check(0, &[]);
    check(&pipeline, 0, &[], &[]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_reject_that_is_no_headers_is_not_settled_by_one(pool: MySqlPool) {
    let (pipeline, key) = ingested_by_an_older_function(pool).await;
    for (set, back, named) in [
        (
            "reason = 'not_json'",
            "reason = 'unsupported_version'",
            "reject differs",
        ),
        ("is_own = FALSE", "is_own = TRUE", "reject differs"),
        ("payment_id = 'x'", "payment_id = NULL", "reject differs"),
        ("object_line = 7", "object_line = 1", "row without a record"),
    ] {
        pipeline.admin(&format!("UPDATE rejects SET {set}")).await;
        check(&pipeline, 1, &[], &[named]).await;
        pipeline.admin(&format!("UPDATE rejects SET {back}")).await;
        check(&pipeline, 0, &[], &[]).await;
    }
    // Without its header it is another object, and what an older function saw is there no more.
    pipeline.put_later(&key, &lines(&["a", "b"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    check(
        &pipeline,
        2,
        &[],
        &["object replaced", "line 1: its object was replaced"],
    )
    .await;
}
