//! `payctl migrate`: what it says, and its exit code.

use std::process::{Command, Output};

use payment_store::MIGRATOR;
use sqlx::MySqlPool;
use sqlx::migrate::Migration;

fn payctl(url: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_payctl"));
    command.arg("migrate").env_remove("DATABASE_URL");
    if let Some(url) = url {
        command.env("DATABASE_URL", url);
    }
    command.output().unwrap()
}

fn check(output: &Output, code: i32, stdout: &str, stderr: &str) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    assert_eq!(out, stdout, "{err}");
    assert!(err.contains(stderr) && !err.contains("hunter2"), "{err}");
}

#[sqlx::test(migrations = false)]
async fn migrate_says_what_it_did(pool: MySqlPool) {
    let server = std::env::var("DATABASE_URL").unwrap();
    let (host, _) = server.split('?').next().unwrap().rsplit_once('/').unwrap();
    let url = format!("{host}/{}", pool.connect_options().get_database().unwrap());
    let line = |migration: &Migration| {
        let Migration {
            version,
            description,
            ..
        } = migration;
        format!("applied {version:04} {description}\n")
    };
    let applied: String = MIGRATOR.iter().map(line).collect();
    let last = MIGRATOR.iter().last().unwrap().version;
    let now = format!("{applied}the schema is now at version {last}\n");
    check(&payctl(Some(&url)), 0, &now, "");
    let was = format!("the schema was at version {last}\n");
    check(&payctl(Some(&url)), 0, &was, "");
}

#[test]
fn mistakes_in_the_configuration_exit_64_and_show_no_password() {
    check(&payctl(None), 64, "", "set DATABASE_URL or DB_HOST");
    for (url, said) in [
        (
            "postgres://u:hunter2@localhost/p",
            "must start with mysql://",
        ),
        ("mysql://u:hunter2@localhost", "must name the schema"),
        (
            "mysql://u:hunter2@db.example/p?ssl-mode=REQUIRED",
            "VERIFY_IDENTITY",
        ),
    ] {
        check(&payctl(Some(url)), 64, "", said);
    }
}

#[test]
fn a_database_that_is_away_exits_2() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    check(
        &payctl(Some(&format!("mysql://u:hunter2@{nobody}/p"))),
        2,
        "",
        "the database is away or busy",
    );
}
