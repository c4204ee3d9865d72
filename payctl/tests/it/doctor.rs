//! `payctl doctor` from where it stands: the front door, the database, the certificates, the clock; and the exit status
//! where there is no AWS CLI to ask.

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse as _;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use sqlx::{AssertSqlSafe, MySqlPool};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::harness::{payctl, url};

const NOT_FOUND: &str = r#"{"status":404,"code":"not_found","request_id":"r"}"#;

/// A web tier, or a server whose clock stands, or that dates its answers right where there is no `date`.
async fn server(status: StatusCode, date: Option<&'static str>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = async move |uri: Uri| match (date, uri.path()) {
        (Some(date), _) => (status, [("date", date)]).into_response(),
        (None, "/health") => (status, "OK").into_response(),
        (None, _) => (StatusCode::NOT_FOUND, NOT_FOUND).into_response(),
    };
    let serve = axum::serve(listener, Router::new().fallback(answer));
    let task = tokio::spawn(async move { serve.await.unwrap() });
    (url, task)
}

fn expired_certificate() -> String {
    let mut params = CertificateParams::new(vec!["db.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().pem()
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn what_is_wrong_from_here_is_found_and_a_right_place_is_clean(pool: MySqlPool) {
    let (well, first) = server(StatusCode::OK, None).await;
    let (ill, second) = server(StatusCode::SERVICE_UNAVAILABLE, None).await;
    let (late, third) = server(StatusCode::OK, Some("Sun, 22 Nov 2020 21:08:30 GMT")).await;
    let nowhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = nowhere.local_addr().unwrap();
    drop(nowhere);

    let folder = TempDir::new().unwrap();
    let bundle = folder.path().join("bundle.pem");
    std::fs::write(&bundle, expired_certificate()).unwrap();

    let args = ["doctor", "here"];
    let right = [
        ("ALB_URL", well.clone()),
        ("AWS_ENDPOINT_URL_S3", well),
        ("DATABASE_URL", url(&pool)),
    ];
    payctl(&args, &right).await.check(0, &["0 finding(s)"]);
    // What is not looked at is never clean, and weighs more than a fault.
    let notes = [
        "the database was not tried",
        "1 thing(s) could not be looked at",
    ];
    payctl(&args, &right[..2]).await.check(2, &notes);
    let dark = [
        ("ALB_URL", ill.clone()),
        ("AWS_ENDPOINT_URL_S3", ill.replace("http://", "https://")),
    ];
    let notes = ["1 finding(s)", "the clock was not compared"];
    payctl(&args, &dark).await.check(2, &notes);
    let wrong = [
        ("ALB_URL", ill),
        ("AWS_ENDPOINT_URL_S3", late),
        (
            "DATABASE_URL",
            format!("mysql://reader:x@{closed}/payments"),
        ),
        ("DB_CA_BUNDLE", bundle.display().to_string()),
    ];
    let expected = [
        "front-door",
        "database-login",
        "ca-bundle-expired",
        "clock-skew",
        "mend",
    ];
    payctl(&args, &wrong).await.check(1, &expected);
    for task in [first, second, third] {
        task.abort();
    }
}

/// A portal, or a proxy that asks for a login.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p5_a_stranger_at_the_front_door_is_not_clean(pool: MySqlPool) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = async |uri: Uri| match uri.path() {
        "/health" => (StatusCode::OK, "<html>"),
        _ => (StatusCode::UNAUTHORIZED, "<html>"),
    };
    let serve = axum::serve(listener, Router::new().fallback(answer));
    let server = tokio::spawn(async move { serve.await.unwrap() });
    let variables = [
        ("ALB_URL", address.clone()),
        ("AWS_ENDPOINT_URL_S3", address),
        ("DATABASE_URL", url(&pool)),
    ];
    let said = payctl(&["doctor", "here"], &variables).await;
    let strange = ["front-door", "not as the web tier does", "1 finding(s)"];
    said.check(2, &strange);
    server.abort();
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_accepted_payments_that_were_rejected_are_found(pool: MySqlPool) {
    let (well, server) = server(StatusCode::OK, None).await;
    let variables = [
        ("ALB_URL", well.clone()),
        ("AWS_ENDPOINT_URL_S3", well),
        ("DATABASE_URL", url(&pool)),
    ];
    let doctor = async || payctl(&["doctor", "here"], &variables).await;
    let insert = async |own: bool, line: u32| {
        let sql = format!(
            "INSERT INTO rejects (object_key, object_line, reason, detail, is_own, payment_id) \
             VALUES ('transactions/x', {line}, 'malformed_record', '', {own}, 'a')"
        );
        let statement = sqlx::raw_sql(AssertSqlSafe(sql));
        statement.execute(&pool).await.unwrap();
    };
    insert(false, 1).await;
    doctor().await.check(0, &["0 finding(s)"]);
    insert(true, 2).await;
    let said = doctor().await;
    let finding = ["own-rejects", "1 accepted", "payctl replay --rejects"];
    said.check(1, &finding);
    // A conflict has a row of its id beside it, or it is nobody's.
    let conflict = "INSERT INTO conflicts (payment_id, status, received_at, extra, content_hash, object_key, object_line) \
                    VALUES ('a', 'processed', UTC_TIMESTAMP(), '{}', REPEAT('x', 32), 'transactions/x', 2)";
    sqlx::raw_sql(conflict).execute(&pool).await.unwrap();
    doctor().await.check(1, &finding);
    server.abort();
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_table_that_refuses_the_functions_rows_is_found(pool: MySqlPool) {
    let (well, server) = server(StatusCode::OK, None).await;
    let variables = [
        ("ALB_URL", well.clone()),
        ("AWS_ENDPOINT_URL_S3", well),
        ("DATABASE_URL", url(&pool)),
    ];
    let doctor = async || payctl(&["doctor", "here"], &variables).await;
    let change = async |sql: &'static str| {
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
    };
    change("ALTER TABLE transactions ADD COLUMN note VARCHAR(9) NULL").await;
    change("ALTER TABLE transactions ADD COLUMN kind INT NOT NULL DEFAULT 1").await;
    doctor().await.check(0, &["0 finding(s)"]);
    change("ALTER TABLE conflicts ADD COLUMN shop INT NOT NULL").await;
    change("ALTER TABLE ingested_objects DROP COLUMN sha256").await;
    let said = doctor().await;
    let columns = [
        "database-columns",
        "conflicts.shop must have a value",
        "ingested_objects.sha256 is missing",
    ];
    said.check(1, &columns);
    change("DROP TABLE rejects").await;
    let said = doctor().await;
    said.check(
        2,
        &["rejects.reason is missing", "rejects were not counted"],
    );
    server.abort();
}

#[tokio::test]
async fn without_the_aws_cli_it_says_what_to_install() {
    let said = payctl(&["doctor", "bucket"], &[("PATH", "/nowhere".to_owned())]).await;
    said.check(2, &["install the AWS CLI"]);
}

#[tokio::test]
async fn an_area_that_there_is_not_is_wrong_usage() {
    payctl(&["doctor", "weather"], &[])
        .await
        .check(64, &["network", "iam"]);
}
