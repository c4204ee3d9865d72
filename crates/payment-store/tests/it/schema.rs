//! The schema as people see it, and how it comes to be.

use payment_store::{MIGRATOR, MigrateError, migrate};
use sqlx::{Column as _, MySqlPool, Row as _};

use crate::harness::{admin, database, lines, object, store};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn select_star_shows_what_reads_well(pool: MySqlPool) {
    store(&pool)
        .ingest_object(&object("x"), &lines(&[r#"{"id":"a"}"#]))
        .await
        .unwrap();
    let row = sqlx::query("SELECT * FROM transactions ORDER BY id DESC")
        .fetch_one(&pool)
        .await
        .unwrap();
    let columns: Vec<_> = row
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    assert_eq!(
        columns,
        [
            "id",
            "payment_id",
            "transaction",
            "amount",
            "currency",
            "status",
            "payer_name",
            "received_at"
        ]
    );
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_the_schema_itself_refuses_wrong_rows(pool: MySqlPool) {
    let insert = async |amount: &str, status: &str, object_key: &str| {
        let sql = format!(
            "INSERT INTO transactions (payment_id, amount, status, received_at, extra, content_hash, object_key, \
             object_line) VALUES ('a', {amount}, {status}, '2026-01-01', '{{}}', REPEAT('x', 32), {object_key}, 1)"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&pool)
            .await
            .is_ok()
    };
    assert!(!insert("0", "'processed'", "'o'").await);
    assert!(!insert("-1", "'processed'", "'o'").await);
    assert!(!insert("1", "'pending'", "'o'").await);
    assert!(!insert("1", "'processed'", "NULL").await);
    assert!(insert("0.0001", "'failed'", "'o'").await);
}

#[sqlx::test(migrations = false)]
async fn migrations_run_once(pool: MySqlPool) {
    let first = migrate(&database(&pool)).await.unwrap();
    let versions: Vec<_> = first.applied.iter().map(|(version, _)| *version).collect();
    let all: Vec<_> = MIGRATOR.iter().map(|migration| migration.version).collect();
    assert_eq!(versions, all);
    assert_eq!(all.last(), Some(&first.version));
    let second = migrate(&database(&pool)).await.unwrap();
    assert_eq!((second.applied.len(), second.version), (0, first.version));
}

#[sqlx::test(migrations = false)]
async fn two_migrations_at_once_run_one_after_the_other(pool: MySqlPool) {
    let database = database(&pool);
    let (one, two) = tokio::join!(migrate(&database), migrate(&database));
    let mut applied = [one.unwrap().applied.len(), two.unwrap().applied.len()];
    applied.sort_unstable();
    assert_eq!(applied, [0, MIGRATOR.iter().count()]);
}

/// Whether the server did the statement or not when the program that ran it was killed.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p7_a_migration_that_was_cut_off_is_brought_to_its_end(pool: MySqlPool) {
    let database = database(&pool);
    for undo in [
        "",
        "ALTER TABLE ingested_objects DROP COLUMN sha256, DROP COLUMN run, DROP COLUMN seq",
    ] {
        if !undo.is_empty() {
            admin(&pool, undo).await;
        }
        let cut_off = "UPDATE _sqlx_migrations SET success = FALSE WHERE version = 19";
        admin(&pool, cut_off).await;
        migrate(&database).await.unwrap();
        admin(&pool, "SELECT sha256, run, seq FROM ingested_objects").await;
        let done = "SELECT COUNT(*) FROM _sqlx_migrations WHERE NOT success";
        let left: i64 = sqlx::query_scalar(done).fetch_one(&pool).await.unwrap();
        assert_eq!(left, 0, "{undo}");
    }
    // Something else stands in its way.
    let other = "DROP TABLE ingested_objects; UPDATE _sqlx_migrations SET success = FALSE WHERE version = 19";
    for statement in other.split("; ") {
        admin(&pool, statement).await;
    }
    assert!(matches!(
        migrate(&database).await,
        Err(MigrateError::HalfDone { version: 19, .. })
    ));
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn a_schema_that_does_not_fit_the_program_is_named(pool: MySqlPool) {
    let database = database(&pool);
    let last = MIGRATOR.iter().map(|migration| migration.version).max();
    let last = last.unwrap();
    let change = async |set: &str| {
        let sql = format!("UPDATE _sqlx_migrations SET {set} WHERE version = {last}");
        admin(&pool, &sql).await;
        migrate(&database).await
    };
    assert!(matches!(
        change("success = TRUE, checksum = 'x'").await,
        Err(MigrateError::Changed { version }) if version == last
    ));
    assert!(matches!(
        change("version = 99").await,
        Err(MigrateError::Ahead { version: 99 })
    ));
}
