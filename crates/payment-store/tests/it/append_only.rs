//! P7: no user of the pipeline can change or delete what is recorded.

use payment_store::users::{Logins, grants_sql, users_sql};
use payment_store::{Database, DbAddress, Pool, Schema, Store};
use sqlx::{AssertSqlSafe, MySqlPool};

use crate::harness::{admin, counts, is_ingested, lines, object, payment, schema, store};

const TABLES: [&str; 6] = [
    "transactions",
    "conflicts",
    "rejects",
    "ingested_objects",
    "sweep_progress",
    "sweep_deferred",
];

/// The users of `users.sql` and `grants.sql`, made for the test's database under names of their own.
struct Users<'a> {
    root: &'a MySqlPool,
    suffix: String,
}

impl<'a> Users<'a> {
    async fn make(root: &'a MySqlPool) -> Self {
        let users = Self::named(root).await;
        let (made, granted) = (users.made(), users.granted());
        // Both may be run again.
        for sql in [&made, &granted, &made, &granted] {
            admin(root, sql).await;
        }
        users
    }

    /// Where an earlier version let the function write every column.
    async fn make_after_an_earlier_version(root: &'a MySqlPool) -> Self {
        let users = Self::named(root).await;
        admin(root, &users.made()).await;
        let name = schema(root);
        for table in TABLES {
            let all = format!(
                "GRANT SELECT, INSERT ON `{name}`.{table} TO 'ingest'@'%', 'ingest'@'localhost'"
            );
            admin(root, &users.renamed(&all)).await;
        }
        admin(root, &users.granted()).await;
        users
    }

    /// Before there are tables, and where an earlier version gave the migrator all rights.
    async fn make_users(root: &'a MySqlPool) -> Self {
        let users = Self::named(root).await;
        admin(root, &users.made()).await;
        let name = schema(root);
        let all = format!("GRANT ALL ON `{name}`.* TO 'migrator'@'%', 'migrator'@'localhost'");
        admin(root, &users.renamed(&all)).await;
        admin(root, &users.made()).await;
        users
    }

    /// The statements that make them.
    fn made(&self) -> String {
        let name = schema(self.root);
        let passwords = ["migrator", "ingest", "reader"].map(|user| format!("{user}Pass1"));
        let sql = users_sql(Schema::parse(&name).unwrap(), &Logins::Passwords(passwords));
        self.renamed(&sql)
    }

    /// The statements that give them their rights.
    fn granted(&self) -> String {
        let name = schema(self.root);
        self.renamed(&grants_sql(Schema::parse(&name).unwrap()))
    }

    async fn named(root: &'a MySqlPool) -> Self {
        let users = Self {
            root,
            suffix: schema(root).chars().rev().take(12).collect(),
        };
        // A run that failed may have left them behind.
        users.remove().await;
        users
    }

    fn renamed(&self, sql: &str) -> String {
        ["migrator", "ingest", "reader"]
            .iter()
            .fold(sql.to_owned(), |sql, user| {
                sql.replace(&format!("'{user}'@"), &format!("'{}'@", self.name(user)))
            })
    }

    fn name(&self, user: &str) -> String {
        format!("{user}_{}", self.suffix)
    }

    /// Over TCP, as the programs connect.
    fn pool(&self, user: &str) -> Pool {
        self.database(user).pool(1)
    }

    fn database(&self, user: &str) -> Database {
        let server = self.root.connect_options();
        let (host, port) = (server.get_host(), server.get_port());
        Database::from_parts(
            DbAddress {
                host,
                port,
                schema: &schema(self.root),
            },
            &self.name(user),
            &format!("{user}Pass1"),
            None,
        )
        .unwrap()
    }

    async fn remove(&self) {
        for user in ["migrator", "ingest", "reader"] {
            let name = self.name(user);
            admin(
                self.root,
                &format!("DROP USER IF EXISTS '{name}'@'%', '{name}'@'localhost'"),
            )
            .await;
        }
    }
}

/// Whether the server refuses the statement to the user (1142, 1143, 1044, 1227: denied; 1419 of a MySQL with a binary log,
/// to one who would make a trigger).
async fn is_denied(pool: &Pool, sql: &str) -> bool {
    match sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut *pool.acquire().await.unwrap())
        .await
    {
        Ok(_) => false,
        Err(error) => {
            let text = error.to_string();
            assert!(
                ["1142", "1143", "1044", "1227", "1419"]
                    .iter()
                    .any(|number| text.contains(number)),
                "{sql}: {text}"
            );
            true
        }
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p7_ingest_adds_and_can_change_nothing(root: MySqlPool) {
    let users = Users::make(&root).await;
    let pool = users.pool("ingest");
    let lines = lines(&[r#"{"id":"a"}"#, r#"{"id":"a","x":1}"#, "?", r#"{"id":"a"}"#]);
    let outcome = Store::new(pool.clone())
        .ingest_object(&object("x"), &lines)
        .await
        .unwrap();
    assert_eq!(
        (
            outcome.rows,
            outcome.conflicts,
            outcome.rejects,
            outcome.duplicates
        ),
        (1, 1, 1, 1)
    );
    for table in TABLES {
        for sql in [
            format!("UPDATE {table} SET object_key = 'y'"),
            format!("DELETE FROM {table}"),
            format!("REPLACE INTO {table} (object_key) VALUES ('y')"),
            format!("TRUNCATE TABLE {table}"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {table} ADD COLUMN x INT"),
        ] {
            assert!(is_denied(&pool, &sql).await, "{sql}");
        }
    }
    assert!(is_denied(&pool, "CREATE TABLE t (x INT)").await);
    assert!(is_denied(&pool, "SELECT * FROM _sqlx_migrations").await);
    assert_eq!(counts(&root).await, [1, 1, 1, 1]);
    users.remove().await;
}

/// The largest number would be the last: the table would take no row after it.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_ingest_sets_no_number_and_no_time_of_recording(root: MySqlPool) {
    let users = Users::make_after_an_earlier_version(&root).await;
    let pool = users.pool("ingest");
    for column in [
        "transactions (id)",
        "transactions (recorded_at)",
        "conflicts (id)",
        "conflicts (recorded_at)",
        "rejects (id)",
        "rejects (recorded_at)",
        "ingested_objects (id)",
        "ingested_objects (ingested_at)",
        "sweep_progress (id)",
        "sweep_progress (recorded_at)",
        "sweep_deferred (id)",
        "sweep_deferred (deferred_at)",
    ] {
        let sql = format!("INSERT INTO {column} VALUES (1)");
        assert!(is_denied(&pool, &sql).await, "{sql}");
    }
    let ingest = Store::new(pool);
    let lines = lines(&[r#"{"id":"a"}"#, r#"{"id":"a","x":1}"#, "?"]);
    ingest.ingest_object(&object("x"), &lines).await.unwrap();
    ingest.defer("journal", &object("y")).await.unwrap();
    ingest
        .record_sweep("journal", "pass", "position")
        .await
        .unwrap();
    assert_eq!(counts(&root).await, [1, 1, 1, 1]);
    users.remove().await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p7_reader_reads_and_adds_nothing(root: MySqlPool) {
    let users = Users::make(&root).await;
    let pool = users.pool("reader");
    store(&root)
        .ingest_object(&object("x"), &lines(&[r#"{"id":"a"}"#]))
        .await
        .unwrap();
    let reader = Store::new(pool.clone());
    assert!(reader.find(&payment("a", "")).await.unwrap().is_some());
    assert!(is_ingested(&reader, &object("x")).await);
    for table in TABLES {
        assert!(
            is_denied(
                &pool,
                &format!("INSERT INTO {table} (object_key) VALUES ('y')")
            )
            .await
        );
        assert!(is_denied(&pool, &format!("UPDATE {table} SET object_key = 'y'")).await);
        assert!(is_denied(&pool, &format!("DELETE FROM {table}")).await);
    }
    let refused = reader
        .ingest_object(&object("y"), &lines(&[r#"{"id":"b"}"#]))
        .await
        .unwrap_err();
    assert!(!refused.is_transient());
    users.remove().await;
}

#[sqlx::test(migrations = false)]
async fn p7_migrator_brings_the_schema_up_and_can_change_no_row(root: MySqlPool) {
    let users = Users::make_users(&root).await;
    let migrated = payment_store::migrate(&users.database("migrator"))
        .await
        .unwrap();
    assert_eq!(
        migrated.applied.len(),
        payment_store::MIGRATOR.iter().count()
    );
    store(&root)
        .ingest_object(&object("x"), &lines(&[r#"{"id":"a"}"#]))
        .await
        .unwrap();
    let pool = users.pool("migrator");
    for table in TABLES {
        for sql in [
            format!("UPDATE {table} SET object_key = 'y'"),
            format!("DELETE FROM {table}"),
            format!("REPLACE INTO {table} (object_key) VALUES ('y')"),
            format!("TRUNCATE TABLE {table}"),
            format!("DROP TABLE {table}"),
            format!("RENAME TABLE {table} TO other"),
            format!("ALTER TABLE {table} RENAME TO other"),
            format!(
                "INSERT INTO {table} (object_key) VALUES ('y') ON DUPLICATE KEY UPDATE object_key = 'z'"
            ),
            format!("CREATE TRIGGER t BEFORE INSERT ON {table} FOR EACH ROW SET @x = 1"),
        ] {
            assert!(is_denied(&pool, &sql).await, "{sql}");
        }
        let sql = format!("ALTER TABLE {table} ADD COLUMN next_version INT NULL");
        assert!(!is_denied(&pool, &sql).await, "{sql}");
    }
    assert!(!is_denied(&pool, "CREATE TABLE t (x INT)").await);
    assert!(!is_denied(&pool, "CREATE INDEX t_x ON t (x)").await);
    users.remove().await;
}
