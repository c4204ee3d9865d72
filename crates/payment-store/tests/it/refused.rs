//! P2: what the database does not take is a reject, and the lines beside it are rows.

use sqlx::MySqlPool;

use crate::harness::{admin, counts, lines, object, store};

async fn rejects(pool: &MySqlPool) -> Vec<(u32, String, String)> {
    sqlx::query_as("SELECT object_line, reason, detail FROM rejects ORDER BY object_line")
        .fetch_all(pool)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_row_that_the_database_refuses_goes_to_rejects(pool: MySqlPool) {
    admin(
        &pool,
        "ALTER TABLE transactions MODIFY payer_name VARCHAR(4) NULL",
    )
    .await;
    admin(
        &pool,
        "ALTER TABLE transactions ADD CONSTRAINT no_rent CHECK (transaction <> 'rent')",
    )
    .await;
    let mut bodies: Vec<_> = (0..600)
        .map(|n| format!(r#"{{"id":"p{n}","payer_name":"Jane"}}"#))
        .collect();
    bodies[7] = r#"{"id":"p7","payer_name":"secretly long"}"#.to_owned();
    bodies[599] = r#"{"id":"p599","transaction":"rent"}"#.to_owned();

    let outcome = store(&pool)
        .ingest_object(&object("x"), &lines(&bodies))
        .await
        .unwrap();
    assert_eq!(
        (outcome.lines, outcome.rows, outcome.rejects),
        (600, 598, 2)
    );
    assert_eq!(counts(&pool).await, [598, 0, 2, 1]);
    let rejects = rejects(&pool).await;
    let reasons: Vec<_> = rejects
        .iter()
        .map(|(line, reason, _)| (*line, reason.as_str()))
        .collect();
    assert_eq!(
        reasons,
        [(8, "refused_by_database"), (600, "refused_by_database")]
    );
    assert!(
        rejects[0].2.contains("1406") && !format!("{rejects:?}").contains("secret"),
        "{rejects:?}"
    );
}

/// The first line of the id is refused; the second is a payment of its own, and the third its duplicate.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_refused_line_does_not_take_its_id_along(pool: MySqlPool) {
    admin(
        &pool,
        "ALTER TABLE transactions ADD CONSTRAINT no_rent CHECK (transaction <> 'rent')",
    )
    .await;
    let lines = lines(&[
        r#"{"id":"a","transaction":"rent"}"#,
        r#"{"id":"a"}"#,
        r#"{"id":"a"}"#,
        r#"{"id":"b"}"#,
    ]);
    let outcome = store(&pool)
        .ingest_object(&object("x"), &lines)
        .await
        .unwrap();
    assert_eq!(
        (
            outcome.rows,
            outcome.duplicates,
            outcome.conflicts,
            outcome.rejects
        ),
        (2, 1, 0, 1)
    );
    assert_eq!(rejects(&pool).await[0].0, 1);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_conflict_that_the_database_refuses_goes_to_rejects(pool: MySqlPool) {
    admin(
        &pool,
        "ALTER TABLE conflicts ADD CONSTRAINT no_rent CHECK (transaction <> 'rent')",
    )
    .await;
    let bodies = [
        r#"{"id":"a"}"#,
        r#"{"id":"a","transaction":"rent"}"#,
        r#"{"id":"a","transaction":"food"}"#,
    ];
    let outcome = store(&pool)
        .ingest_object(&object("x"), &lines(&bodies))
        .await
        .unwrap();
    assert_eq!(
        (
            outcome.lines,
            outcome.rows,
            outcome.conflicts,
            outcome.rejects
        ),
        (3, 1, 1, 1)
    );
    assert_eq!(counts(&pool).await, [1, 1, 1, 1]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn a_table_without_a_number_left_says_how_to_get_one(pool: MySqlPool) {
    admin(
        &pool,
        "INSERT INTO transactions (id, payment_id, status, received_at, extra, content_hash, object_key, object_line) \
         VALUES (18446744073709551615, 'z', 'failed', '2026-01-01', '{}', REPEAT('x', 32), 'o', 1)",
    )
    .await;
    let ingest = async || {
        let lines = lines(&[r#"{"id":"a"}"#]);
        store(&pool).ingest_object(&object("x"), &lines).await
    };
    let refused = ingest().await.unwrap_err().to_string();
    assert!(refused.contains("AUTO_INCREMENT = 1"), "{refused}");
    admin(&pool, "UPDATE transactions SET id = 1").await;
    admin(&pool, "ALTER TABLE transactions AUTO_INCREMENT = 1").await;
    assert_eq!(ingest().await.unwrap().rows, 1);
}
