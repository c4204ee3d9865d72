//! `payctl replay`: the function's own code, by hand.

use sqlx::MySqlPool;

use crate::harness::{HOUR, Pipeline, first, ingested, lines};

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

/// The database takes both keys for the same, and neither may stand in the other's way.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_entry_for_a_key_with_a_space_stops_no_other(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let keys = ["transactions/h.json ", "transactions/h.json"];
    for key in keys {
        pipeline.put(key, r#"{"id":"h"}"#).await;
        let said = pipeline.payctl(&["replay", "--object", key]).await;
        assert_eq!(
            (said.code, said.count("objects ingested")),
            (0, 1),
            "{key:?}"
        );
    }
    let again = pipeline.payctl(&["replay"]).await;
    assert_eq!((again.code, again.count("objects ingested")), (0, 0));
    pipeline.reconcile().await.check(0, &[]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_folder_that_is_gone_or_holds_something_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let folder = "transactions/folder/";
    let replay = async || pipeline.payctl(&["replay", "--object", folder]).await;
    replay().await.check(1, &["folder/ is gone"]);
    pipeline.put(folder, "").await;
    replay().await.check(0, &[]);
    pipeline.put(folder, r#"{"id":"f"}"#).await;
    replay().await.check(2, &["the object is not empty"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_rejects_of_a_misspelt_prefix_are_not_clean(pool: MySqlPool) {
    let mut pipeline = Pipeline::start(pool).await;
    pipeline.put("transactions/x.json", "no payment").await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline.set("LOG_PREFIX", "transactons/".to_owned());
    let said = pipeline.payctl(&["replay", "--rejects"]).await;
    said.check(64, &["is it spelt right?"]);
}

/// What this system accepted is a difference until it is recorded, wherever its content went.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_own_rejects_whose_content_is_lost_are_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = format!("{HOUR}1.ndjson");
    pipeline.put(&key, "{\"v\":9,\"id\":\"p9\"}\n").await;
    pipeline.payctl(&["replay"]).await.check(1, &[]);
    let rejects = async || pipeline.payctl(&["replay", "--rejects"]).await;
    rejects().await.check(1, &["still rejected"]);
    pipeline.put_later(&key, "no payment").await;
    let said = rejects().await;
    said.check(1, &["line 1 was an accepted payment"]);
    assert_eq!(said.count("still no payment, own"), 1);

    let shortened = format!("transactions/{}~{}", "a".repeat(622), "0".repeat(64));
    for (name, line) in [(key.as_str(), 99), (&shortened, 9)] {
        pipeline
            .admin(&format!(
                "INSERT INTO rejects (object_key, object_etag, object_line, reason, detail, is_own, payment_id) \
                 VALUES ('{name}', 'e', {line}, 'r', 'd', TRUE, 'never-paid')"
            ))
            .await;
    }
    let said = rejects().await;
    said.check(1, &["line 99 was an accepted", "line 9 was an accepted"]);
    assert_eq!(said.count("still no payment, own"), 3);
}

/// Nobody can say any more what the line was.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_rejects_of_replaced_content_are_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = "transactions/export.json";
    pipeline.put(key, "no payment").await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline.put(key, r#"{"id":"a"}"#).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let said = pipeline.payctl(&["replay", "--rejects"]).await;
    said.check(2, &[]);
    assert_eq!(said.count("of content replaced since"), 1);
}

/// Known by its listing, not by its name alone.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_filled_folder_in_a_range_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    pipeline.put(HOUR, "").await;
    pipeline
        .put(&format!("{HOUR}1.ndjson"), &lines(&["a"]))
        .await;
    let range = ["replay", "--from", "2026-11-22", "--to", "2026-11-22"];
    let said = pipeline.payctl(&range).await;
    said.check(0, &[]);
    let counts = ["objects of the range", "objects outside the range"];
    assert_eq!(counts.map(|name| said.count(name)), [1, 0]);
    let folder = format!("{HOUR}folder/");
    pipeline.put(&folder, &lines(&["f"])).await;
    let said = pipeline.payctl(&range).await;
    said.check(2, &[&folder, "the object is not empty"]);
    let counts = ["objects of the range", "objects that failed"];
    assert_eq!(counts.map(|name| said.count(name)), [2, 1]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_rejects_that_were_not_looked_into_are_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let foreign = "transactions/x.json";
    pipeline.put(foreign, "no payment").await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let rejects = async || pipeline.payctl(&["replay", "--rejects"]).await;
    rejects().await.check(0, &[]);
    let before = ["replay", "--rejects", "--to", "2026-11-01"];
    pipeline.payctl(&before).await.check(2, &[]);

    let insert = async |key: &str, etag: &str| {
        pipeline
            .admin(&format!(
                "INSERT INTO rejects (object_key, object_etag, object_line, reason, detail) \
                 VALUES ('{key}', {etag}, 7, 'r', 'd')"
            ))
            .await;
    };
    insert("elsewhere/x.json", "'e'").await;
    let said = rejects().await;
    said.check(2, &[]);
    assert_eq!(said.count("outside the prefix"), 1);
    pipeline
        .admin("DELETE FROM rejects WHERE object_line = 7")
        .await;

    let etag = "(SELECT object_etag FROM ingested_objects)";
    insert(foreign, etag).await;
    let said = rejects().await;
    said.check(1, &[]);
    assert_eq!(said.count("of objects or lines that are gone"), 1);
    pipeline
        .admin("DELETE FROM rejects WHERE object_line = 7")
        .await;

    let control = "\u{1}\u{1}\u{1}\u{1}{}";
    pipeline.put("transactions/y.json", control).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    let said = rejects().await;
    said.check(2, &[]);
    assert_eq!(said.count("that nobody can look into"), 1);
}

/// The object is read part by part, and the last of them counts as the first does.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_rejects_far_down_a_large_object_become_rows(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let key = format!("{HOUR}1.ndjson");
    let ids: Vec<_> = (1..=5000).map(|number| format!("p{number:04}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    pipeline.put(&key, &lines(&ids)).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline
        .run_sql("DELETE FROM transactions WHERE payment_id IN ('p0001', 'p5000')")
        .await;
    for line in [1, 5000] {
        pipeline
            .admin(&format!(
                "INSERT INTO rejects (object_key, object_etag, object_line, reason, detail) \
                 SELECT object_key, object_etag, {line}, 'not_json', '' FROM ingested_objects"
            ))
            .await;
    }
    let said = pipeline.payctl(&["replay", "--rejects"]).await;
    said.check(0, &[]);
    assert_eq!(said.count("now rows"), 2);
    assert_eq!(pipeline.rows().await, ids);
}

/// Both objects hold the payment, and the rows of the first were taken away.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_rows_come_back_as_those_of_the_object_that_was_first(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let [second, first] = ["1", "2"].map(|name| format!("{HOUR}{name}.ndjson"));
    for key in [&first, &second] {
        pipeline.put(key, &lines(&["a", "b"])).await;
        pipeline.payctl(&["replay"]).await.check(0, &[]);
    }
    pipeline
        .run_sql("DELETE FROM transactions WHERE payment_id = 'a'")
        .await;
    let both = ["replay", "--object", &second, &first];
    pipeline.payctl(&both).await.check(0, &[]);
    assert_eq!(pipeline.rows().await, ["a", "b"]);
    pipeline.reconcile().await.check(0, &[]);
}

/// Rows that came back are younger than the ledger's entry, until an administrator says of when they are.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_rows_that_came_back_are_clean_once_their_time_is_the_ledgers(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .run_sql("DELETE FROM transactions WHERE payment_id = 'a'")
        .await;
    let by_name = ["replay", "--object", &first()];
    pipeline.payctl(&by_name).await.check(0, &[]);
    let later = "UPDATE transactions SET recorded_at = recorded_at + INTERVAL 1 HOUR WHERE payment_id = 'a'";
    pipeline.run_sql(later).await;
    pipeline
        .reconcile()
        .await
        .check(1, &["row differs", "recorded_at"]);
    let manual = include_str!("../../../docs/payctl.md");
    let (_, remedy) = manual.split_once("UPDATE payments.transactions").unwrap();
    let (remedy, _) = remedy.split_once('`').unwrap();
    let remedy = remedy.replace("payments.", "").replace("KEY", &first());
    pipeline
        .run_sql(&format!("UPDATE transactions{remedy}"))
        .await;
    pipeline.reconcile().await.check(0, &[]);
}

/// The ledger says that it is done, and nothing else would bring the rows back.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_rows_that_were_taken_away_come_back_by_the_objects_name(pool: MySqlPool) {
    let pipeline = ingested(pool).await;
    pipeline
        .run_sql("DELETE FROM transactions WHERE payment_id IN ('a', 'x')")
        .await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    assert_eq!(pipeline.rows().await, ["b"]);
    let by_name = ["replay", "--object", &first(), "transactions/x.json"];
    for _ in 0..2 {
        pipeline.payctl(&by_name).await.check(0, &[]);
        assert_eq!(pipeline.rows().await, ["a", "b", "x"]);
    }
}
