//! P2 where connections die: an object is taken whole or not at all, and in the end whole.

use payment_core::record::Line;
use payment_store::{Database, Error, Outcome, Store};
use sqlx::{Connection as _, Executor as _, MySqlConnection, MySqlPool};

use crate::harness::{
    admin, connections, counts, database, is_ingested, lines, object, schema, store, until, url,
};
use crate::proxy::Proxy;

/// Another transaction, which holds the id `z`: who inserts it waits.
async fn other_with_z(pool: &MySqlPool) -> MySqlConnection {
    let mut other = MySqlConnection::connect(&url(pool)).await.unwrap();
    other.execute("BEGIN").await.unwrap();
    let z = "INSERT INTO transactions \
        (payment_id, status, received_at, extra, content_hash, object_key, object_line) \
        VALUES ('z', 'processed', '2026-01-01', '{}', REPEAT('x', 32), 'o', 1)";
    other.execute(z).await.unwrap();
    other
}

/// A whole chunk, and `z` as the second.
fn lines_to_z() -> Vec<Line> {
    let ids = (0..512).map(|n| format!("p{n}")).chain(["z".to_owned()]);
    let bodies: Vec<_> = ids.map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    lines(&bodies)
}

/// The connection of the ingester, once it waits for `z` with its first chunk inserted.
async fn waiting(pool: &MySqlPool) -> Option<u64> {
    let schema = schema(pool);
    let connections = connections(pool).await;
    let waiting = connections.into_iter().find(|connection| {
        let info = &connection.statement;
        connection.schema.as_ref() == Some(&schema)
            && info.starts_with("INSERT INTO transactions")
            && !info.contains("), (")
    });
    waiting.map(|connection| connection.id)
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_killed_connection_leaves_nothing_and_the_retry_takes_the_object_whole(
    pool: MySqlPool,
) {
    let mut other = other_with_z(&pool).await;
    let ingest = tokio::spawn({
        let (store, lines) = (store(&pool), lines_to_z());
        async move { store.ingest_object(&object("x"), &lines).await }
    });

    let first = until("the insert waits", async || waiting(&pool).await).await;
    admin(&pool, &format!("KILL {first}")).await;
    let second = until("the retry waits", async || {
        waiting(&pool).await.filter(|id| *id != first)
    })
    .await;
    assert_ne!(first, second);
    assert_eq!(counts(&pool).await, [0, 0, 0, 0]);

    other.execute("ROLLBACK").await.unwrap();
    let outcome = ingest.await.unwrap().unwrap();
    assert_eq!(
        outcome,
        Outcome {
            lines: 513,
            rows: 513,
            ..Outcome::default()
        }
    );
    assert_eq!(counts(&pool).await, [513, 0, 0, 1]);
}

/// The caller waits no longer, as when a Lambda's time is up. The server rolls back; the pool is of use again.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_caller_who_gives_up_leaves_nothing(pool: MySqlPool) {
    let mut other = other_with_z(&pool).await;
    let lines = lines_to_z();
    let store = Store::new(database(&pool).pool(1));
    let object = object("x");
    tokio::select! {
        _ = store.ingest_object(&object, &lines) => panic!("the id is held"),
        _ = until("the insert waits", async || waiting(&pool).await) => {}
    }
    // The pool's one connection is free for others while the server still waits for the lock.
    assert!(!is_ingested(&store, &object).await);
    other.execute("ROLLBACK").await.unwrap();
    let outcome = store.ingest_object(&object, &lines).await.unwrap();
    assert_eq!((outcome.already, outcome.rows), (false, 513));
    assert_eq!(counts(&pool).await, [513, 0, 0, 1]);
}

/// MySQL says so by an error of its own (4031), MariaDB by closing alone.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_connection_closed_for_idleness_is_replaced(root: MySqlPool) {
    let pool = database(&root).pool(1);
    let mut connection = pool.acquire().await.unwrap();
    connection
        .execute("SET SESSION wait_timeout = 1")
        .await
        .unwrap();
    let id: u64 = sqlx::query_scalar("SELECT CONNECTION_ID()")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    until("the server closes it", async || {
        let open = connections(&root).await;
        open.iter().all(|open| open.id != id).then_some(())
    })
    .await;
    let lost = connection.execute("SELECT 1").await.unwrap_err();
    assert!(Error::from(lost).is_transient());
    drop(connection);
    let outcome = Store::new(pool)
        .ingest_object(&object("x"), &lines(&[r#"{"id":"a"}"#]))
        .await
        .unwrap();
    assert_eq!(outcome.rows, 1);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_commit_whose_answer_is_lost_is_found_by_the_retry(pool: MySqlPool) {
    let server = pool.connect_options();
    let (host, port) = (server.get_host().to_owned(), server.get_port());
    let proxy = Proxy::before((host.clone(), port)).await;
    let direct = format!("{host}:{port}");
    let url = url(&pool).replace(&direct, &proxy.address.to_string());
    let store = Store::new(
        Database::parse(&format!("{url}?ssl-mode=DISABLED"), None)
            .unwrap()
            .pool(1),
    );

    let outcome = store
        .ingest_object(&object("x"), &lines(&[r#"{"id":"a","status":"failed"}"#]))
        .await
        .unwrap();
    assert!(proxy.has_cut());
    // The alert for the failed payment is still raised.
    assert_eq!(
        outcome,
        Outcome {
            lines: 1,
            rows: 1,
            failed: 1,
            ..Outcome::default()
        }
    );
    assert_eq!(counts(&pool).await, [1, 0, 0, 1]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn a_database_that_is_away_is_a_passing_error(pool: MySqlPool) {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let database = Database::parse(&format!("mysql://root@{nobody}/payments"), None).unwrap();
    let error = Store::new(database.pool(1))
        .not_ingested(vec![object("x")])
        .await
        .unwrap_err();
    assert!(error.is_transient(), "{error:?}");

    // The server is there and the schema is not: trying again is of no use.
    let mut connection = MySqlConnection::connect(&url(&pool)).await.unwrap();
    sqlx::query("DROP TABLE ingested_objects")
        .execute(&mut connection)
        .await
        .unwrap();
    let error = store(&pool)
        .ingest_object(&object("x"), &[])
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Refused(_)) && !error.is_transient(),
        "{error:?}"
    );
}
