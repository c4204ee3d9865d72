//! P10 in the tables: an id is unique within a client, and nobody meets another client's payments.

use std::collections::HashSet;

use payment_core::{RecordError, RejectedLine, Status};
use payment_store::migrate;
use sqlx::{AssertSqlSafe, MySqlPool, Row as _};

use crate::harness::{
    admin, counts, database, ingests_only_after_the_migrations_behind, lines, lines_of,
    migrations_until, object, payment, store,
};

const CLIENTS: [&str; 3] = ["", "other", "shop"];

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p10_two_clients_with_one_id_get_one_row_each(pool: MySqlPool) {
    let store = store(&pool);
    let bodies = CLIENTS.map(|client| (client, r#"{"id":"a","amount":1}"#));
    let twice: Vec<_> = bodies.iter().chain(&bodies).copied().collect();
    let outcome = store
        .ingest_object(&object("x"), &lines_of(&twice))
        .await
        .unwrap();
    assert_eq!((outcome.rows, outcome.duplicates), (3, 3));
    // Repeats in another object, and one client's other content.
    let more = [
        bodies[2],
        ("other", r#"{"id":"a","amount":2}"#),
        ("last", r#"{"id":"a","amount":2}"#),
    ];
    let outcome = store
        .ingest_object(&object("y"), &lines_of(&more))
        .await
        .unwrap();
    assert_eq!(
        (outcome.rows, outcome.duplicates, outcome.conflicts),
        (1, 1, 1)
    );
    assert_eq!(counts(&pool).await, [4, 1, 0, 2]);
    for (client, conflicts) in [("", 0), ("last", 0), ("other", 1), ("shop", 0)] {
        let found = store.find(&payment("a", client)).await.unwrap().unwrap();
        assert_eq!(found.conflicts, conflicts, "{client}");
        let conflicts_of = store.conflicts_of(&payment("a", client)).await.unwrap();
        assert_eq!(u64::try_from(conflicts_of.len()), Ok(conflicts), "{client}");
    }
    let rows = store.rows_of_id(&payment("a", "").id).await.unwrap();
    let clients: Vec<_> = rows.iter().map(|row| row.client).collect();
    assert_eq!(clients, ["", "last", "other", "shop"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p10_a_client_is_told_of_its_own_payments_alone(pool: MySqlPool) {
    let store = store(&pool);
    let payments = [
        ("shop", r#"{"id":"a","amount":1,"status":"failed"}"#),
        ("other", r#"{"id":"b"}"#),
    ];
    store
        .ingest_object(&object("x"), &lines_of(&payments))
        .await
        .unwrap();
    let found = store.find(&payment("a", "shop")).await.unwrap().unwrap();
    assert_eq!(found.status, Status::Failed);
    for stranger in [
        payment("a", "other"),
        payment("a", ""),
        payment("b", "shop"),
    ] {
        assert_eq!(store.find(&stranger).await.unwrap(), None, "{stranger}");
        let strangers = [stranger];
        assert!(store.holders(&strangers).await.unwrap().is_empty());
        assert!(store.rows_of(&[&strangers[0]]).await.unwrap().is_empty());
    }
    let asked = [
        payment("a", "shop"),
        payment("b", "other"),
        payment("a", ""),
    ];
    let holders = store.holders(&asked).await.unwrap();
    let known: HashSet<_> = holders.into_keys().collect();
    assert_eq!(known, HashSet::from([asked[0].clone(), asked[1].clone()]));
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p10_a_rejected_payment_is_its_own_clients(pool: MySqlPool) {
    let store = store(&pool);
    let rejected = |line, client| {
        let rejected = RejectedLine {
            error: RecordError::HashMismatch,
            is_own: true,
            resembles_own: false,
            payment: Some(payment("a", client)),
        };
        (line, Err(rejected))
    };
    let lines = [rejected(1, "shop")];
    store.ingest_object(&object("x"), &lines).await.unwrap();
    let of = async |client| store.rejection(&payment("a", client)).await.unwrap();
    assert!(of("shop").await.is_some());
    assert!(of("").await.is_none() && of("other").await.is_none());
    // Another client's row does not settle it.
    for (name, client, unsettled) in [("y", "other", 1), ("z", "", 1), ("w", "shop", 0)] {
        let row = lines_of(&[(client, r#"{"id":"a"}"#)]);
        store.ingest_object(&object(name), &row).await.unwrap();
        assert_eq!(store.unsettled_own_rejects().await.unwrap(), unsettled);
    }
}

/// As an older function rejects a line of version 2, of which it knows neither version nor client.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_line_of_an_unknown_version_is_settled_by_its_clients_row(pool: MySqlPool) {
    let store = store(&pool);
    let rejected = RejectedLine {
        error: RecordError::UnsupportedVersion,
        is_own: true,
        resembles_own: false,
        payment: Some(payment("a", "")),
    };
    let lines = [(1, Err(rejected))];
    store.ingest_object(&object("x"), &lines).await.unwrap();
    assert_eq!(store.unsettled_own_rejects().await.unwrap(), 1);
    let understood = lines_of(&[("shop", r#"{"id":"a"}"#)]);
    store.ingest_lines(&object("x"), &understood).await.unwrap();
    assert_eq!(store.unsettled_own_rejects().await.unwrap(), 0);
}

/// A key that a hand changed to no name at all stands in nobody's way.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_row_of_no_valid_client_stops_no_payment(pool: MySqlPool) {
    let store = store(&pool);
    let body = r#"{"id":"a"}"#;
    let first = lines_of(&[("", body)]);
    store.ingest_object(&object("x"), &first).await.unwrap();
    admin(&pool, "UPDATE transactions SET client = 'Not a name'").await;
    let lines = lines_of(&[("", body), ("shop", body), ("shop", body)]);
    let outcome = store.ingest_object(&object("y"), &lines).await.unwrap();
    assert_eq!((outcome.rows, outcome.duplicates), (2, 1));
}

/// The version before clients: what its function wrote, and what it looked up.
const OLD_INSERT: &str = "INSERT INTO transactions (payment_id, status, received_at, extra, content_hash, object_key, object_line) \
    VALUES (?, 'processed', '2026-01-01', '{}', REPEAT('x', 32), 'o', 1)";

/// The last migration before clients.
const BEFORE_CLIENTS: i64 = 14;

async fn insert_as_before(pool: &MySqlPool, id: &str) -> Result<(), sqlx::Error> {
    let insert = sqlx::query(OLD_INSERT).bind(id);
    insert.execute(pool).await.map(drop)
}

/// The order of a rollout: schema, function, tiers.
#[sqlx::test(migrations = false)]
async fn p2_an_older_function_goes_on_after_the_migration(pool: MySqlPool) {
    migrations_until(BEFORE_CLIENTS).run(&pool).await.unwrap();
    insert_as_before(&pool, "before").await.unwrap();
    let migrated = migrate(&database(&pool)).await.unwrap();
    assert!(!migrated.applied.is_empty());
    insert_as_before(&pool, "after").await.unwrap();
    for id in ["before", "after"] {
        let again = insert_as_before(&pool, id).await.unwrap_err();
        assert!(again.as_database_error().unwrap().is_unique_violation());
        let found = store(&pool).find(&payment(id, "")).await.unwrap();
        assert!(found.is_some(), "{id} belongs to the empty name");
    }
}

/// The other way round nothing is lost: the object waits for the migration.
#[sqlx::test(migrations = false)]
async fn p2_a_newer_function_ingests_nothing_before_the_migration(pool: MySqlPool) {
    ingests_only_after_the_migrations_behind(BEFORE_CLIENTS, pool).await;
}

#[sqlx::test(migrations = false)]
async fn p2_the_migration_to_clients_runs_while_objects_are_ingested(pool: MySqlPool) {
    migrations_until(BEFORE_CLIENTS).run(&pool).await.unwrap();
    let (sent, mut seen) = tokio::sync::watch::channel(0_u32);
    let inserting = {
        let pool = pool.clone();
        tokio::spawn(async move {
            let mut taken = 0;
            // Each id twice, so that the unique key is hit while it is exchanged.
            while !sent.is_closed() {
                let number = *sent.borrow();
                let id = format!("p{}", number / 2);
                taken += u32::from(insert_as_before(&pool, &id).await.is_err());
                sent.send_replace(number + 1);
            }
            (*sent.borrow(), taken)
        })
    };
    seen.wait_for(|number| *number >= 200).await.unwrap();
    migrate(&database(&pool)).await.unwrap();
    let migrated_at = *seen.borrow();
    seen.wait_for(|number| *number >= migrated_at + 200)
        .await
        .unwrap();
    drop(seen);
    let (inserts, taken) = inserting.await.unwrap();
    assert_eq!(taken, inserts / 2, "every second insert is a repeat");
    assert_eq!(
        counts(&pool).await[0],
        i64::from(inserts - taken),
        "one row an id"
    );
}

/// Look-ups of one payment, of many, and by the id alone go by the unique key.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn look_ups_of_clients_payments_go_by_a_key(pool: MySqlPool) {
    let store = store(&pool);
    let bodies: Vec<_> = (0..2000).map(|n| format!(r#"{{"id":"p{n}"}}"#)).collect();
    store
        .ingest_object(&object("x"), &lines(&bodies))
        .await
        .unwrap();
    admin(&pool, "ANALYZE TABLE transactions").await;
    for sql in [
        "SELECT amount FROM transactions WHERE payment_id = 'p7' AND client = ''",
        "SELECT amount FROM transactions WHERE payment_id IN ('p7', 'p8', 'p9', 'p9')",
        "SELECT client FROM transactions WHERE payment_id = 'p7' ORDER BY client LIMIT 100",
    ] {
        let plan = sqlx::raw_sql(AssertSqlSafe(format!("EXPLAIN FORMAT=TRADITIONAL {sql}")))
            .fetch_all(&pool)
            .await
            .unwrap();
        let key: Option<String> = plan[0].get("key");
        assert_eq!(key.as_deref(), Some("transactions_payment_id"), "{sql}");
    }
}
