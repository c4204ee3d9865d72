//! How the server reads the ledger.

use sqlx::{AssertSqlSafe, MySqlPool, Row as _};

use super::{KeySpan, LEDGER, ledger_entry, page_of};

/// As many entries as make a plan matter.
const ENTRIES: &str = "INSERT INTO ingested_objects \
    (object_key, object_etag, line_count, row_count, duplicate_count, conflict_count, reject_count) \
    WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900) \
    SELECT CONCAT('transactions/', a.i, '/', b.i), 'e', 0, 0, 0, 0, 0 FROM n a JOIN n b ON b.i <= 20";

/// A page costs its own length and not the ledger's.
#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_page_of_the_ledger_is_read_by_its_index(pool: MySqlPool) {
    for sql in [ENTRIES, "ANALYZE TABLE ingested_objects"] {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await;
        done.expect(sql);
    }
    let span = KeySpan {
        after: "transactions.".to_owned(),
        before: Some("transactions0".to_owned()),
    };
    let mut first = page_of(LEDGER, &span, None);
    let first = first.build().fetch_all(&pool).await.expect("a page");
    let last = first.last().map(|row| ledger_entry(row).expect("an entry"));
    assert!(last.is_some());
    for last in [None, last.as_ref()] {
        let mut explain = page_of(&format!("EXPLAIN FORMAT=TRADITIONAL {LEDGER}"), &span, last);
        let plan = explain.build().fetch_one(&pool).await.expect("a plan");
        assert_eq!(plan.get::<String, _>("key"), "ingested_objects_version");
        let extra: String = plan.get("Extra");
        assert!(!extra.contains("filesort"), "{extra}");
    }
}
