//! P10 in an audit: the same id at two clients is two payments.

use serde_json::{Value, json};
use sqlx::MySqlPool;

use crate::harness::{Pipeline, check, first, line_of};

/// One id and one content, of open intake and of two clients.
async fn ingested(pool: MySqlPool) -> Pipeline {
    let pipeline = Pipeline::start(pool).await;
    let body = json!({"id": "a", "amount": "12.50"});
    let lines = ["", "shop", "other"].map(|client| line_of(client, &body));
    pipeline.put(&first(), &lines.concat()).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p10_the_same_id_at_several_clients_is_clean(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    assert_eq!(pipeline.rows().await, ["a", "a", "a"]);
    check(&pipeline, 0, &[], &[]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p10_a_difference_names_the_client(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .admin("DELETE FROM transactions WHERE client = 'shop'")
        .await;
    check(
        &pipeline,
        1,
        &[],
        &["row missing          a of client shop "],
    )
    .await;
    let said = pipeline
        .payctl(&["reconcile", "--settle", "0", "--json"])
        .await;
    let differences = said
        .out
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["difference"] == "row_missing");
    assert_eq!(differences.unwrap()["client"], "shop", "{}", said.out);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_row_moved_to_another_client_is_found(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .admin("UPDATE transactions SET client = 'third' WHERE client = 'shop'")
        .await;
    let named = [
        "row missing          a of client shop ",
        "row without a record a of client third ",
    ];
    check(&pipeline, 1, &[], &named).await;
    let said = pipeline.payctl(&["verify", "--settle", "0"]).await;
    said.check(1, &["row altered          a of client third "]);
}

/// The function of before rejects a line of version 2; this one understands it.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_line_that_an_older_function_rejected_is_replayed_for_its_client(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .run_sql(
            "INSERT INTO rejects (object_key, object_etag, object_line, reason, detail, is_own, payment_id, recorded_at) \
             SELECT o.object_key, o.object_etag, t.object_line, 'unsupported_version', '', TRUE, t.payment_id, o.ingested_at \
             FROM transactions t JOIN ingested_objects o USING (object_key) WHERE t.client = 'shop'; \
             UPDATE ingested_objects SET row_count = row_count - 1, reject_count = reject_count + 1; \
             DELETE FROM transactions WHERE client = 'shop'",
        )
        .await;
    check(
        &pipeline,
        1,
        &[],
        &["a of client shop ", "payctl replay --rejects"],
    )
    .await;
    let said = pipeline.payctl(&["replay", "--rejects"]).await;
    said.check(0, &[]);
    assert_eq!(said.count("now rows"), 1);
    check(&pipeline, 0, &[], &[]).await;
}
