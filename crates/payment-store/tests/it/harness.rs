//! What the tests share: a database's address, lines of the log, and what the tables hold.

use std::borrow::Cow;
use std::time::Duration;

use payment_core::record::{self, Line};
use payment_core::{
    ClientName, Draft, ETag, LogRecord, ObjectKey, ObjectVersion, PaymentKey, RequestId, Timestamp,
};
use payment_store::{Database, MIGRATOR, Store, migrate};
use sqlx::migrate::Migrator;
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, MySqlPool, Row as _};

pub const RECEIVED_AT: &str = "2026-11-22T07:30:00.123456Z";

/// The migrations of a version before this one.
pub fn migrations_until(last: i64) -> Migrator {
    let before = MIGRATOR.iter().filter(|one| one.version <= last);
    Migrator {
        migrations: Cow::Owned(before.cloned().collect()),
        ..Migrator::DEFAULT
    }
}

/// The address of the test's own database.
pub fn url(pool: &MySqlPool) -> String {
    let server = std::env::var("DATABASE_URL").unwrap();
    let address = server.split('?').next().unwrap();
    let (host, _) = address.rsplit_once('/').unwrap();
    format!("{host}/{}", schema(pool))
}

pub fn schema(pool: &MySqlPool) -> String {
    pool.connect_options().get_database().unwrap().to_owned()
}

pub fn database(pool: &MySqlPool) -> Database {
    Database::parse(&url(pool), None).unwrap()
}

pub fn store(pool: &MySqlPool) -> Store {
    Store::new(database(pool).pool(2))
}

pub fn key(name: &str) -> ObjectKey {
    ObjectKey::parse(&format!("transactions/{name}.ndjson")).unwrap()
}

/// The object with this name, in its first version.
pub fn object(name: &str) -> ObjectVersion {
    version(name, "\"1\"")
}

pub fn version(name: &str, etag: &str) -> ObjectVersion {
    ObjectVersion {
        key: key(name),
        etag: ETag::parse(etag),
        stored_at: Timestamp::parse(RECEIVED_AT).unwrap(),
    }
}

pub async fn is_ingested(store: &Store, object: &ObjectVersion) -> bool {
    let missing = store.not_ingested(vec![object.clone()]).await.unwrap();
    missing.is_empty()
}

pub fn record(body: &str) -> LogRecord {
    record_of("", body)
}

/// A payment of this client.
pub fn record_of(client: &str, body: &str) -> LogRecord {
    let draft = Draft::parse(body.as_bytes()).expect(body);
    let payment = draft
        .identify(None, || unreachable!("the body has an id"))
        .unwrap();
    LogRecord::new(
        payment.of_client(ClientName::from_stored(client).unwrap()),
        Timestamp::parse(RECEIVED_AT).unwrap(),
        RequestId::parse("req-1").unwrap(),
        None,
    )
}

pub fn payment(id: &str, client: &str) -> PaymentKey {
    PaymentKey::from_stored(id, client).unwrap()
}

/// Lines as they are read from an object that the app tier wrote. A body that is no payment stands as it is.
pub fn lines(bodies: &[impl AsRef<str>]) -> Vec<Line> {
    let object: String = bodies
        .iter()
        .map(|body| match Draft::parse(body.as_ref().as_bytes()) {
            Ok(_) => record(body.as_ref()).to_line(),
            Err(_) => format!("{}\n", body.as_ref()),
        })
        .collect();
    record::read_object(
        &key("any"),
        object.as_bytes(),
        Timestamp::parse(RECEIVED_AT).unwrap(),
    )
    .collect()
}

/// Lines of these clients' payments.
pub fn lines_of(payments: &[(&str, &str)]) -> Vec<Line> {
    let object: String = payments
        .iter()
        .map(|(client, body)| record_of(client, body).to_line())
        .collect();
    let received_at = Timestamp::parse(RECEIVED_AT).unwrap();
    record::read_object(&key("any"), object.as_bytes(), received_at).collect()
}

/// Rows of transactions, conflicts, rejects and ingested objects.
pub async fn counts(pool: &MySqlPool) -> [i64; 4] {
    let mut counts = [0; 4];
    for (count, table) in
        counts
            .iter_mut()
            .zip(["transactions", "conflicts", "rejects", "ingested_objects"])
    {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        *count = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(pool)
            .await
            .unwrap();
    }
    counts
}

/// Runs statements as the server's administrator, in the test's database.
pub async fn admin(pool: &MySqlPool, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(pool)
        .await
        .expect(sql);
}

/// A connection that the server has.
pub struct Connection {
    pub id: u64,
    pub schema: Option<String>,
    /// What it is at, if anything.
    pub statement: String,
}

/// All of them. A SELECT from the same list fails on MySQL while a statement in it holds bytes that are no text.
pub async fn connections(pool: &MySqlPool) -> Vec<Connection> {
    let listed = sqlx::raw_sql("SHOW FULL PROCESSLIST").fetch_all(pool);
    let connection = |row: &MySqlRow| Connection {
        id: row.get_unchecked("Id"),
        schema: row.get("db"),
        statement: row
            .get_unchecked::<Option<&[u8]>, _>("Info")
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .unwrap_or_default(),
    };
    listed.await.unwrap().iter().map(connection).collect()
}

/// Asks until there is an answer.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking)
        .await
        .unwrap_or_else(|_| panic!("after 20 s still not: {what}"))
}

/// A function of today, on a schema that ends with migration `last`: the object waits for those behind it.
pub async fn ingests_only_after_the_migrations_behind(last: i64, pool: MySqlPool) {
    migrations_until(last).run(&pool).await.unwrap();
    let store = store(&pool);
    let lines = lines(&[r#"{"id":"a"}"#]);
    assert!(store.ingest_object(&object("x"), &lines).await.is_err());
    assert!(!is_ingested(&store, &object("x")).await);
    assert_eq!(counts(&pool).await, [0; 4]);
    migrate(&database(&pool)).await.unwrap();
    let outcome = store.ingest_object(&object("x"), &lines).await.unwrap();
    assert_eq!(outcome.rows, 1);
}
