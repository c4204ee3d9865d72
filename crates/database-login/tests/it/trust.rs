//! Which servers a password is sent to.

use lab_runner::install::Flavour;
use payment_store::{Error, Pool, TlsFault};
use program::Env;
use time::{Duration, OffsetDateTime};

use crate::certificates::{Ca, HOST};
use crate::server::TestServer;

/// A connection to the test's server, by the variables of a program.
async fn connect(port: u16, bundle: Option<&str>) -> Result<(), Error> {
    connect_to(HOST, port, bundle).await
}

async fn connect_to(host: &str, port: u16, bundle: Option<&str>) -> Result<(), Error> {
    let port = port.to_string();
    let mut env = Env::from([
        ("DB_HOST", host),
        ("DB_PORT", port.as_str()),
        ("DB_NAME", "information_schema"),
        ("DB_PASSWORD", "Password1"),
        ("DB_CA_BUNDLE", bundle.unwrap_or_default()),
    ]);
    let access = database_login::required(&mut env, "ingest");
    let access = env.finish(|| access).unwrap();
    Pool::new(access, 1).acquire().await?;
    Ok(())
}

fn distrust(result: Result<(), Error>) -> TlsFault {
    match result.unwrap_err() {
        Error::Untrusted { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn only_a_server_that_a_known_ca_vouches_for_gets_a_password() {
    let mut server = TestServer::new().await;
    let folder = server.folder().to_owned();
    let (ca, port) = (Ca::new(), server.port());
    let bundle = ca.bundle(&folder);
    let bundle = bundle.to_str();
    let now = OffsetDateTime::now_utc();

    server.serve(Some(&ca.sign_well(&folder))).await;
    server
        .admin("CREATE USER ingest@'127.0.0.1' IDENTIFIED BY 'Password1'")
        .await;
    connect(port, bundle).await.unwrap();
    assert_eq!(distrust(connect(port, None).await), TlsFault::UnknownCa);

    let other_host = ca.sign(&folder, "db.example", now + Duration::days(1));
    server.serve(Some(&other_host)).await;
    assert_eq!(distrust(connect(port, bundle).await), TlsFault::OtherName);

    let expired = ca.sign(&folder, HOST, now - Duration::days(1));
    server.serve(Some(&expired)).await;
    assert_eq!(distrust(connect(port, bundle).await), TlsFault::Expired);

    server.serve(None).await;
    assert_eq!(distrust(connect(port, bundle).await), TlsFault::NoTls);

    server.serve(Some(&Ca::new().sign_well(&folder))).await;
    assert_eq!(distrust(connect(port, bundle).await), TlsFault::UnknownCa);
    server.stop().await;
}

/// MySQL takes a password that it has not cached over TLS alone. MariaDB takes it as a hash.
#[tokio::test]
async fn a_local_mysql_without_tls_is_told_to_turn_it_on() {
    let mut server = TestServer::new().await;
    server.serve_with(&[""; 0]).await;
    server
        .admin("CREATE USER ingest@'127.0.0.1' IDENTIFIED BY 'Password1'")
        .await;
    server.serve(None).await;
    let connected = connect_to("127.0.0.1", server.port(), None).await;
    match server.flavour() {
        Flavour::Mysql => assert_eq!(distrust(connected), TlsFault::NoTls),
        Flavour::Mariadb => connected.unwrap(),
    }
}

#[test]
fn every_reason_names_its_fix() {
    for (why, fix) in [
        (TlsFault::NoTls, "turn TLS on"),
        (TlsFault::UnknownCa, "set DB_CA_BUNDLE"),
        (TlsFault::OtherName, "connect by the name"),
        (TlsFault::Expired, "renew it"),
    ] {
        assert!(why.to_string().contains(fix), "{why}");
    }
}
