//! `payctl sql`: what is shown, and that it only reads.

use std::io::Write as _;
use std::process::{Command, Stdio};

use sqlx::MySqlPool;

use crate::harness::{HOUR, Pipeline, Said, lines, payctl, url};

async fn sql(pool: &MySqlPool, statement: &str) -> Said {
    payctl(&["sql", statement], &[("DATABASE_URL", url(pool))]).await
}

#[sqlx::test(migrations = false)]
async fn text_that_reads_like_another_cell_is_quoted(pool: MySqlPool) {
    let statement =
        "SELECT NULL AS a, 'NULL' AS b, '''q' AS c, X'00' AS d, '0x00' AS e, 'null' AS f";
    let said = sql(&pool, statement).await;
    said.check(0, &["| NULL | 'NULL' | ''q' | 0x00 | '0x00' | null |"]);
}

#[sqlx::test(migrations = false)]
async fn p3_values_are_shown_as_they_are_stored(pool: MySqlPool) {
    let statement = "SELECT 12345678901234567.8900 AS amount, NULL AS nothing, X'00FF' AS hash, \
        JSON_OBJECT('a', 1) AS json, TIMESTAMP'2026-11-22 07:30:00.123456' AS at, 'Zo\u{eb}' AS name";
    let said = sql(&pool, statement).await;
    said.check(0, &[]);
    let expected = "\
+------------------------+---------+--------+----------+----------------------------+------+
| amount                 | nothing | hash   | json     | at                         | name |
+------------------------+---------+--------+----------+----------------------------+------+
| 12345678901234567.8900 | NULL    | 0x00FF | {\"a\": 1} | 2026-11-22 07:30:00.123456 | Zo\u{eb}  |
+------------------------+---------+--------+----------+----------------------------+------+
";
    assert_eq!(said.out, expected);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn rows_of_payments_are_shown_without_what_a_terminal_obeys(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool.clone()).await;
    let object = format!("{HOUR}a.ndjson");
    pipeline.put(&object, &lines(&["a"])).await;
    pipeline
        .payctl(&["replay", "--object", &object])
        .await
        .check(0, &[]);
    let said = sql(&pool, "SELECT payment_id, amount FROM transactions").await;
    said.check(0, &["| a          | 12.5000 |"]);
    let said = sql(&pool, "SELECT CHAR(27, 10, 13 USING utf8mb4) AS evil").await;
    said.check(0, &[r"\u{1b}\n\r"]);
    let said = sql(&pool, "SELECT * FROM transactions WHERE id = 0").await;
    said.check(0, &["| payment_id |"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p7_nothing_but_reading_is_done_even_as_an_administrator(pool: MySqlPool) {
    let table = "CREATE TABLE notes (id INT PRIMARY KEY)";
    let function = "CREATE FUNCTION note() RETURNS INT DETERMINISTIC BEGIN INSERT INTO notes VALUES (2); RETURN 1; END";
    for set_up in [table, "INSERT INTO notes VALUES (1)", function] {
        sqlx::raw_sql(set_up).execute(&pool).await.unwrap();
    }
    for (statement, code, part) in [
        ("DELETE FROM notes", 64, "only statements that read"),
        (
            "SET SESSION TRANSACTION READ WRITE",
            64,
            "only statements that read",
        ),
        (
            "/*!50000 DELETE FROM notes */",
            64,
            "only statements that read",
        ),
        ("", 64, "only statements that read"),
        (
            "/*/ SELECT */ SET STATEMENT tx_read_only=0 FOR INSERT INTO notes VALUES (2)",
            64,
            "only statements that read",
        ),
        (
            "/*/ SELECT 1 */ BEGIN NOT ATOMIC SET SESSION TRANSACTION READ WRITE; INSERT INTO notes VALUES (2); END",
            64,
            "only statements that read",
        ),
        (
            "SELECT 1 /*M!100100 INTO OUTFILE '/tmp/notes' */",
            64,
            "only statements that read",
        ),
        (
            "SELECT 1 INTO OUTFILE '/tmp/notes'",
            64,
            "only statements that read",
        ),
        ("SELECT note()", 1, "1792"),
        ("SELECT 1; DELETE FROM notes", 1, "1064"),
        ("SELECT 1 FROM notes INTO @x; DELETE FROM notes", 1, "1064"),
        ("SELECT nothing FROM notes", 1, "Unknown column 'nothing'"),
        ("SELECT nothing FROM nowhere", 1, "1146"),
    ] {
        sql(&pool, statement).await.check(code, &[part]);
    }
    // MySQL has it, and its session refuses it; MariaDB does not know it.
    let with = "WITH one AS (SELECT 1) DELETE FROM notes WHERE id IN (SELECT * FROM one)";
    sql(&pool, with).await.check(1, &["the database refused"]);
    sql(&pool, "SELECT COUNT(*) AS kept FROM notes")
        .await
        .check(0, &["|    1 |"]);
}

#[sqlx::test(migrations = false)]
async fn rows_beyond_the_memory_allowed_are_said_to_be_missing(pool: MySqlPool) {
    let statement = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 40) \
        SELECT i, REPEAT('x', 1000000) AS text FROM n";
    let said = sql(&pool, statement).await;
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("only the first 16 rows"), "{}", said.err);
    assert_eq!(said.out.lines().count(), 16 + 4);
}

#[sqlx::test(migrations = false)]
async fn a_statement_is_read_from_stdin(pool: MySqlPool) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_payctl"))
        .arg("sql")
        .env_clear()
        .env("DATABASE_URL", url(&pool))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(b"-- two lines\nSELECT 1 AS one;\n")
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let table = "+-----+\n| one |\n+-----+\n|   1 |\n+-----+\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), table);
}

#[tokio::test]
async fn without_a_database_the_exit_status_says_so() {
    payctl(&["sql", "SELECT 1"], &[])
        .await
        .check(64, &["no database is named"]);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let url = ("DATABASE_URL", format!("mysql://reader@{address}/payments"));
    payctl(&["sql", "SELECT 1"], &[url])
        .await
        .check(2, &["away or busy"]);
}
