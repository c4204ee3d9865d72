//! Foreign objects that were stored again with other content, as their owners may.

use sqlx::MySqlPool;

use crate::harness::{Pipeline, check};

/// The line has moved, so the row names none of its own.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_an_altered_row_of_a_corrected_object_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = "transactions/export.ndjson";
    pipeline
        .put(key, "nonsense\n{\"id\":\"a\",\"amount\":1}\n")
        .await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline.put(key, "{\"id\":\"a\",\"amount\":1}\n").await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let moved = "its payment is in line 1 now";
    check(&pipeline, 2, &[], &["unproven             a", moved]).await;
    pipeline
        .run_sql("UPDATE transactions SET amount = 2 WHERE payment_id = 'a'")
        .await;
    check(&pipeline, 2, &[], &["row differs          a", "amount"]).await;
}

/// The row is of the line as it was, and the line as it is a conflict: neither is called altered or invented.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_corrected_line_is_a_conflict_and_its_row_unproven(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = "transactions/export.ndjson";
    for amount in [5, 6] {
        let body = format!("{{\"id\":\"a\",\"amount\":{amount}}}\n");
        pipeline.put(key, &body).await;
        pipeline.payctl(&["replay"]).await.check(0, &[]);
    }
    let corrected = "its line was another before the object was replaced";
    check(&pipeline, 2, &[], &["unproven             a", corrected]).await;
    assert_eq!(pipeline.reconcile().await.count("differences"), 0);
    pipeline
        .payctl(&["trace", "a"])
        .await
        .check(2, &[corrected]);
    pipeline.put(key, "{\"id\":\"a\",\"amount\":7}\n").await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let again = "its line has other content now";
    check(&pipeline, 2, &[], &["unproven             a", again]).await;
    assert_eq!(pipeline.reconcile().await.count("differences"), 0);
    let moved = "{\"id\":\"b\"}\n{\"id\":\"a\",\"amount\":9}\n";
    pipeline.put(key, moved).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    check(&pipeline, 2, &[], &["unproven             a", again]).await;
    assert_eq!(pipeline.reconcile().await.count("differences"), 0);
    pipeline
        .run_sql("UPDATE transactions SET amount = 8 WHERE payment_id = 'a'")
        .await;
    check(&pipeline, 2, &[], &["row differs          a", "amount"]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p4_a_payment_whose_members_stand_in_another_order_is_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let sent = [
        "{\"id\":\"a\",\"x\":1,\"y\":{\"a\":1,\"b\":2}}\n",
        "{\"y\":{\"b\":2,\"a\":1},\"x\":1,\"id\":\"a\"}\n",
    ];
    for (name, body) in ["transactions/1.ndjson", "transactions/2.ndjson"]
        .iter()
        .zip(sent)
    {
        pipeline.put(name, body).await;
        pipeline.payctl(&["replay"]).await.check(0, &[]);
    }
    check(&pipeline, 0, &[], &["clean"]).await;
    pipeline.put("transactions/1.ndjson", sent[1]).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let said = pipeline.reconcile().await;
    said.check(2, &["unproven"]);
    assert_eq!(said.count("differences"), 0);
    pipeline
        .run_sql("UPDATE transactions SET extra = '{\"x\":2}' WHERE payment_id = 'a'")
        .await;
    check(&pipeline, 2, &[], &["row differs          a", "extra"]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_corrected_object_is_ingested_again_by_name(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = "transactions/export.ndjson";
    pipeline.put(key, "{\"id\":\"a\"}\nnonsense\n").await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let corrected = "{\"id\":\"a\"}\n{\"id\":\"b\"}\n";
    pipeline.put_later(key, corrected).await;
    let said = pipeline.payctl(&["replay", "--object", key]).await;
    said.check(0, &[]);
    assert_eq!(said.count("objects ingested"), 1);
    assert_eq!(pipeline.rows().await, ["a", "b"]);
    let said = pipeline.reconcile().await;
    said.check(2, &["is not in S3", "received_at: its object"]);
    let counts = ["ingested, and replaced since", "differences"];
    assert_eq!(counts.map(|name| said.count(name)), [1, 0]);
}
