//! Servers as people leave them: settings of an old configuration file or parameter group, no schema, a failover.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use payment_core::record::{self, Line};
use payment_core::{ETag, ObjectKey, ObjectVersion, Timestamp};
use payment_store::users::{self, Logins};
use payment_store::{Database, Error, MigrateError, Pool, Store, migrate};
use program::chain;
use sqlx::{Connection as _, MySqlConnection};
use tokio::net::{TcpListener, TcpStream};

use crate::server::TestServer;

const PASSWORDS: [&str; 3] = [
    "migratorpassword1",
    "ingestpassword123",
    "readerpassword123",
];

const BINARY_LOG: [&str; 3] = ["--log-bin=b", "--server-id=1", "--binlog-format=ROW"];

fn logins() -> Logins {
    Logins::Passwords(PASSWORDS.map(str::to_owned))
}

async fn serving(options: &[&str]) -> TestServer {
    let mut server = TestServer::new().await;
    server.serve_with(options).await;
    server
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::parse(&format!("transactions/{name}.ndjson")).unwrap()
}

fn object(name: &str) -> ObjectVersion {
    ObjectVersion {
        key: key(name),
        etag: ETag::parse("\"1\""),
        stored_at: Timestamp::parse("2026-11-22T07:30:00Z").unwrap(),
    }
}

fn lines(body: &str) -> Vec<Line> {
    let written_at = Timestamp::parse("2026-11-22T07:30:00Z").unwrap();
    record::read_object(&key("any"), body.as_bytes(), written_at).collect()
}

/// A pool of one connection to a server with the schema, as the user `ingest`.
async fn ingester(server: &TestServer, port: u16) -> Store {
    users::prepare(&server.database("payments"), &logins())
        .await
        .unwrap();
    let url = format!("mysql://ingest:{}@127.0.0.1:{port}/payments", PASSWORDS[1]);
    Store::new(Pool::new(Arc::new(Database::parse(&url, None).unwrap()), 1))
}

#[tokio::test]
async fn p2_p3_rows_are_exact_under_every_odd_setting() {
    let odd = [
        "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES",
        "--character-set-server=utf8mb3",
        "--collation-server=utf8mb3_general_ci",
        "--autocommit=0",
        "--default-time-zone=+05:30",
        "--max-allowed-packet=1M",
        "--transaction-isolation=SERIALIZABLE",
        "--wait-timeout=1",
        // Each of them is unknown to one of the servers.
        "--loose-sql-require-primary-key=ON",
        "--loose-innodb-force-primary-key=ON",
    ];
    let server = serving(&[&odd[..], &BINARY_LOG[..]].concat()).await;
    let store = ingester(&server, server.port()).await;
    let body = r#"{"id":"a","amount":"12.50","payer_name":"Zo\u00eb \ud83d\ude00 \\ \"","n":1.10}"#;
    let first = store
        .ingest_object(&object("x"), &lines(body))
        .await
        .unwrap();
    assert_eq!(first.rows, 1);
    // The server closes what is idle; the next object gets a connection of its own.
    while server.connections_of("ingest").await > 0 {
        tokio::task::yield_now().await;
    }
    let again = store
        .ingest_object(&object("y"), &lines(body))
        .await
        .unwrap();
    assert_eq!((again.rows, again.duplicates), (0, 1));
    let id = payment_core::PaymentKey::from_stored("a", "").unwrap();
    let found = store.find(&id).await.unwrap().unwrap();
    assert_eq!(
        found.payer_name.as_deref(),
        Some("Zo\u{eb} \u{1f600} \\ \"")
    );
    assert_eq!(found.amount.unwrap().to_string(), "12.50");
    assert_eq!(found.extra, r#"{"n":1.10}"#);
    assert_eq!(found.received_at.to_string(), "2026-11-22T07:30:00.000000Z");
}

#[tokio::test]
async fn a_binary_log_by_statement_is_named_with_its_fix() {
    let by_statement = ["--log-bin=b", "--server-id=1", "--binlog-format=STATEMENT"];
    let server = serving(&by_statement).await;
    let check = |text: String| {
        assert!(text.contains("set binlog_format to ROW"), "{text}");
        assert!(text.contains("1665"), "{text}");
    };
    // The schema can't be made under it either; half of it is made by nobody.
    let database = server.database("payments");
    check(chain(
        &users::prepare(&database, &logins()).await.unwrap_err(),
    ));
    server.admin("SET GLOBAL binlog_format = ROW").await;
    let store = ingester(&server, server.port()).await;
    server.admin("SET GLOBAL binlog_format = STATEMENT").await;
    assert!(database.pool(1).logs_by_statement().await.unwrap());
    let body = r#"{"id":"a"}"#;
    let error = store
        .ingest_object(&object("x"), &lines(body))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    check(chain(&error));

    // Once it is set, nobody has to restart the function.
    server.admin("SET GLOBAL binlog_format = ROW").await;
    let outcome = store
        .ingest_object(&object("x"), &lines(body))
        .await
        .unwrap();
    assert_eq!(outcome.rows, 1);
    assert!(!database.pool(1).logs_by_statement().await.unwrap());
}

/// The old writer lives on, and the server's name leads to the new one.
#[tokio::test]
async fn p5_a_connection_to_a_read_only_server_is_closed_and_the_retry_reaches_the_writer() {
    let (old, new) = (serving(&[]).await, serving(&[]).await);
    users::prepare(&new.database("payments"), &logins())
        .await
        .unwrap();
    let writer = Arc::new(AtomicU16::new(old.port()));
    let store = ingester(&old, name_of(Arc::clone(&writer)).await).await;
    store
        .ingest_object(&object("x"), &lines(r#"{"id":"a"}"#))
        .await
        .unwrap();

    old.admin("SET GLOBAL read_only = 1").await;
    writer.store(new.port(), Ordering::SeqCst);
    let outcome = store
        .ingest_object(&object("y"), &lines(r#"{"id":"b"}"#))
        .await
        .unwrap();
    assert_eq!((outcome.already, outcome.rows), (false, 1));
    assert_eq!(old.count("payments.transactions").await, 1);
    assert_eq!(new.count("payments.transactions").await, 1);
}

/// A port that leads to whichever server the name stands for now.
async fn name_of(writer: Arc<AtomicU16>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let address = ("127.0.0.1", writer.load(Ordering::SeqCst));
            let mut server = TcpStream::connect(address).await.unwrap();
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn users_are_made_on_a_server_without_the_schema_and_for_that_schema_alone() {
    let server = serving(&[]).await;
    let error = migrate(&server.database("my_payments")).await.unwrap_err();
    assert!(
        chain(&error).contains("`payctl users` creates it"),
        "{error:?}"
    );

    for _ in 0..2 {
        users::prepare(&server.database("my_payments"), &logins())
            .await
            .unwrap();
    }
    let login = |user: &str, password: &str, schema: &str| {
        let url = format!(
            "mysql://{user}:{password}@127.0.0.1:{}/{schema}",
            server.port()
        );
        async move { MySqlConnection::connect(&url).await.map(drop) }
    };
    for (user, password) in ["migrator", "ingest", "reader"].into_iter().zip(PASSWORDS) {
        login(user, password, "my_payments").await.unwrap();
    }
    // An underscore in a grant stands for any character, unless it is escaped.
    server.admin("CREATE DATABASE myxpayments").await;
    login("migrator", PASSWORDS[0], "myxpayments")
        .await
        .unwrap_err();
}

#[tokio::test]
async fn the_servers_own_schemas_are_refused_and_stay_as_they_are() {
    let server = serving(&[]).await;
    let tables = server.count("information_schema.tables").await;
    for schema in ["mysql", "sys", "performance_schema", "information_schema"] {
        let database = server.database(schema);
        let by_users = users::prepare(&database, &logins()).await.unwrap_err();
        let by_migrate = migrate(&database).await.unwrap_err();
        for error in [by_users, by_migrate] {
            assert!(matches!(error, MigrateError::Schema(_)), "{error:?}");
            assert!(
                error.to_string().contains("belongs to the server"),
                "{error}"
            );
        }
    }
    assert_eq!(server.count("information_schema.tables").await, tables);
}

#[tokio::test]
async fn tokens_on_a_server_without_them_leave_every_login_as_it_was() {
    let server = serving(&[]).await;
    let fresh = users::prepare(&server.database("payments"), &Logins::Iam).await;
    assert!(matches!(fresh, Err(MigrateError::NoTokens(_))), "{fresh:?}");
    assert_eq!(
        server
            .count("mysql.user WHERE user IN ('migrator', 'ingest', 'reader')")
            .await,
        0
    );

    let store = ingester(&server, server.port()).await;
    let refused = users::prepare(&server.database("payments"), &Logins::Iam).await;
    assert!(chain(&refused.unwrap_err()).contains("leave out --iam"));
    store
        .ingest_object(&object("x"), &lines(r#"{"id":"a"}"#))
        .await
        .unwrap();
}
