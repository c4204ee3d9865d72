use std::io::Write as _;
use std::path::Path;

use super::*;

fn mode(url: &str) -> String {
    match Database::parse(url, None) {
        Ok(database) => format!("{:?}", database.options.get_ssl_mode()),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn the_certificate_of_another_machine_is_always_verified() {
    for (address, expected) in [
        ("db.example/payments", "VerifyIdentity"),
        (
            "db.example:3307/payments?ssl-mode=VERIFY_IDENTITY",
            "VerifyIdentity",
        ),
        ("10.0.3.7/payments", "VerifyIdentity"),
        ("[2001:db8::7]/payments", "VerifyIdentity"),
        ("127.0.0.1.example/payments", "VerifyIdentity"),
        ("localhost.example/payments", "VerifyIdentity"),
        ("db.example/payments?ssl-mode=VERIFY_CA", "WeakTls"),
        ("db.example/payments?ssl-mode=REQUIRED", "WeakTls"),
        (
            "db.example/payments?charset=utf8mb4&ssl-mode=preferred",
            "WeakTls",
        ),
        ("db.example/payments?sslmode=DISABLED", "WeakTls"),
        ("127.0.0.1/payments", "Preferred"),
        ("127.8.9.10/payments", "Preferred"),
        ("[::1]/payments", "Preferred"),
        ("[::ffff:127.0.0.1]/payments", "Preferred"),
        ("LocalHost/payments", "Preferred"),
        ("localhost/payments?ssl-mode=DISABLED", "Disabled"),
        ("localhost/payments?ssl-mode=VERIFY_CA", "VerifyCa"),
        (
            "db.example/payments?socket=%2Frun%2Fmysqld.sock",
            "Preferred",
        ),
    ] {
        assert_eq!(
            mode(&format!("mysql://u:p@{address}")),
            expected,
            "{address}"
        );
    }
    // An escaped name is not seen as named, and does not weaken the mode either.
    assert_eq!(
        mode("mysql://u@db.example/payments?ssl%2Dmode=DISABLED"),
        "WeakTls"
    );
    assert_eq!(
        mode("mysql://u@db.example/payments?ssl%2Dmode=PREFERRED"),
        "VerifyIdentity"
    );
}

#[test]
fn parts_and_url_give_the_same_database() {
    let url = Database::parse("mysql://ingest:s%23cret@[::1]:3307/payments", None).unwrap();
    let place = DbAddress {
        host: "::1",
        port: 3307,
        schema: "payments",
    };
    let parts = Database::from_parts(place, "ingest", "s#cret", None).unwrap();
    assert_eq!(format!("{:?}", url.options), format!("{:?}", parts.options));
}

#[test]
fn the_password_is_never_printed() {
    let database = Database::parse("mysql://ingest:hunter2@db.example/payments", None).unwrap();
    let token = database.with_iam_token("hunter2").unwrap();
    for text in [format!("{database:?}"), format!("{token:?}")] {
        assert!(
            text.contains("db.example") && !text.contains("hunter2"),
            "{text}"
        );
    }
    for bad in [
        "mysql://u:hunter2@h:x/p",
        "hunter2",
        "mysql://u:hunter2@h/",
        "mysql://u:hunter2@h/p?sslmode=hunter",
    ] {
        let error = Database::parse(bad, None).unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
}

#[test]
fn mistakes_are_told_apart() {
    let error = |url: &str| format!("{:?}", Database::parse(url, None).unwrap_err());
    assert_eq!(error("postgres://u@h/p"), "NotMySql");
    assert_eq!(error("mysql://u@h"), "NoSchema");
    assert!(error("mysql://u:a/b@h/p").starts_with("Url"));
    let local = Database::parse("mysql://u@localhost/p", None).unwrap();
    assert!(matches!(
        local.with_iam_token("t"),
        Err(ConfigError::TokenInClear)
    ));
}

#[test]
fn a_ca_bundle_is_read_at_once() {
    let parse = CaBundle::read;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(
        parse(file.path()),
        Err(ConfigError::NotACaBundle { .. })
    ));
    file.write_all(b"# roots\n-----BEGIN CERTIFICATE-----\n")
        .unwrap();
    assert!(parse(file.path()).is_ok());
    assert!(matches!(
        parse(Path::new("/nonexistent.pem")),
        Err(ConfigError::CaBundle { .. })
    ));
}
