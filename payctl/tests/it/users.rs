//! `payctl users`, on a real server: the users are the server's own, so one test alone sets them.

use sqlx::MySqlPool;

use crate::harness::{Said, payctl};

const PASSWORDS: [(&str, &str); 3] = [
    ("MIGRATOR_PASSWORD", "migratorhunter2000"),
    ("INGEST_PASSWORD", "ingesthunter200000"),
    ("READER_PASSWORD", "readerhunter200000"),
];

async fn users(variables: &[(&'static str, &str)], arguments: &[&str]) -> Said {
    let variables: Vec<_> = variables
        .iter()
        .map(|&(name, value)| (name, value.to_owned()))
        .collect();
    payctl(&[&["users"], arguments].concat(), &variables).await
}

/// The administrator's URL, of a schema that every test server may have.
fn admin_url() -> String {
    let server = std::env::var("DATABASE_URL").unwrap();
    let (host, _) = server.split('?').next().unwrap().rsplit_once('/').unwrap();
    format!("{host}/payments")
}

#[sqlx::test(migrations = false)]
async fn users_have_the_rights_of_their_work_and_no_more(pool: MySqlPool) {
    sqlx::raw_sql("CREATE DATABASE IF NOT EXISTS payments")
        .execute(&pool)
        .await
        .unwrap();
    let admin = admin_url();
    let variables = [&[("DATABASE_URL", admin.as_str())], &PASSWORDS[..]].concat();
    for _ in 0..2 {
        let said = users(&variables, &[]).await;
        let version = payment_store::MIGRATOR.iter().last().unwrap().version;
        let at = format!("at version {version}");
        said.check(0, &[&at, "log in by passwords"]);
    }

    let (_, host) = admin.rsplit_once('@').unwrap();
    let as_user = async |user: &str, password: &str, sql: &'static str| {
        let url = format!("mysql://{user}:{password}@{host}");
        let pool = Box::pin(MySqlPool::connect(&url)).await;
        sqlx::raw_sql(sql).execute(&pool.unwrap()).await.map(|_| ())
    };
    let select = "SELECT COUNT(*) FROM transactions";
    let delete = "DELETE FROM transactions";
    as_user("ingest", PASSWORDS[1].1, select).await.unwrap();
    as_user("ingest", PASSWORDS[1].1, delete).await.unwrap_err();
    as_user("reader", PASSWORDS[2].1, select).await.unwrap();
    let insert =
        "INSERT INTO rejects (object_key, object_line, reason, detail) VALUES ('k', 1, 'r', 'd')";
    as_user("reader", PASSWORDS[2].1, insert).await.unwrap_err();
    let migrator = async |sql| as_user("migrator", PASSWORDS[0].1, sql).await;
    migrator("ALTER TABLE rejects COMMENT = 'x'").await.unwrap();
    for sql in [
        "UPDATE transactions SET amount = 1",
        "DELETE FROM transactions",
        "UPDATE conflicts SET amount = 1",
        "DELETE FROM conflicts",
        "UPDATE rejects SET reason = ''",
        "DELETE FROM rejects",
        "UPDATE ingested_objects SET line_count = 0",
        "DELETE FROM ingested_objects",
        "TRUNCATE TABLE transactions",
        "DROP TABLE transactions",
        "DELETE FROM sweep_progress",
        "DELETE FROM sweep_deferred",
    ] {
        let refused = migrator(sql).await.unwrap_err().to_string();
        assert!(refused.contains("1142"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn a_missing_and_a_weak_password_are_named_and_not_shown() {
    let variables = [
        ("DATABASE_URL", "mysql://admin:hunter2@127.0.0.1/payments"),
        ("INGEST_PASSWORD", "hunter2"),
        ("READER_PASSWORD", "readerhunter200000"),
    ];
    let said = users(&variables, &[]).await;
    said.check(
        64,
        &[
            "MIGRATOR_PASSWORD is not set",
            "INGEST_PASSWORD must be at least 16 letters and digits",
        ],
    );
}
