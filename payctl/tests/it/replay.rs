//! `payctl replay`: the function's own code, by hand.

use sqlx::MySqlPool;

use crate::harness::{HOUR, Pipeline, lines};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_replay_ingests_what_the_ledger_lacks_and_nothing_twice(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    for (name, ids) in [("1", ["a", "b"]), ("2", ["b", "c"])] {
        pipeline
            .put(&format!("{HOUR}{name}.ndjson"), &lines(&ids))
            .await;
    }
    let first = pipeline
        .payctl(&["replay", "--from", "2026-11-22", "--to", "2026-11-22"])
        .await;
    first.check(0, &[]);
    assert_eq!(
        ["objects ingested", "rows", "duplicates"].map(|name| first.count(name)),
        [2, 3, 1]
    );
    let second = pipeline.payctl(&["replay"]).await;
    assert_eq!((second.code, second.count("objects ingested")), (0, 0));
    assert_eq!(pipeline.rows().await, ["a", "b", "c"]);
    pipeline.reconcile().await.check(0, &[]);
}

/// The ledger says that the object was taken: an administrator deletes that entry too, and replay brings all back.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_replay_brings_a_missing_row_back(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = format!("{HOUR}1.ndjson");
    pipeline.put(&key, &lines(&["a", "b"])).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline
        .admin("DELETE FROM transactions WHERE payment_id = 'a'")
        .await;
    pipeline
        .reconcile()
        .await
        .check(1, &["row missing          a "]);

    let again = pipeline.payctl(&["replay", "--object", &key]).await;
    assert_eq!((again.code, again.count("objects ingested before")), (0, 1));
    pipeline.admin("DELETE FROM ingested_objects").await;
    pipeline
        .payctl(&["replay", "--object", &key])
        .await
        .check(0, &[]);
    assert_eq!(pipeline.rows().await, ["a", "b"]);
    pipeline.reconcile().await.check(0, &[]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn an_object_that_was_named_and_is_gone_is_said_so(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    pipeline
        .payctl(&["replay", "--object", "transactions/none.json"])
        .await
        .check(1, &["none.json is gone"]);
}
