//! What an audit is told of the ledger and the rows.

use payment_store::audit::{KeySpan, LineTable, RowSpan, RowsOfObject, Table};
use sqlx::MySqlPool;

use crate::harness::{admin, key, lines, object, payment, record, store, version};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn the_ledger_comes_in_pages_in_the_order_of_the_keys_bytes(pool: MySqlPool) {
    let store = store(&pool);
    let mut objects: Vec<_> = (0..1003).map(|n| object(&format!("{n:x}"))).collect();
    objects.extend(["Z", "a b", "ä", "😀", "~"].map(object));
    // Around the end of the first page, several versions of one key.
    objects.extend(["2", "3", "a", "z"].map(|etag| version("e4", etag)));
    for object in &objects {
        store.ingest_object(object, &[]).await.unwrap();
    }
    let mut expected: Vec<_> = objects.into_iter().map(|o| (o.key, o.etag)).collect();
    expected.sort();
    let span = KeySpan {
        after: "transactions/".to_owned(),
        before: None,
    };
    let mut found = Vec::new();
    loop {
        let page = store.ledger_page(&span, found.last()).await.unwrap();
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    let found: Vec<_> = found.into_iter().map(|e| (e.key, e.etag)).collect();
    assert_eq!(found, expected);
    let one = KeySpan {
        after: "transactions/Y".to_owned(),
        before: Some("transactions/a".to_owned()),
    };
    let page = store.ledger_page(&one, None).await.unwrap();
    assert_eq!(
        page.into_iter().map(|entry| entry.key).collect::<Vec<_>>(),
        [key("Z")]
    );
}

/// The collation takes such keys for equal, and a page ends between them.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_keys_that_differ_in_spaces_alone_are_all_on_pages(pool: MySqlPool) {
    let store = store(&pool);
    admin(
        &pool,
        "INSERT INTO ingested_objects \
         (object_key, object_etag, line_count, row_count, duplicate_count, conflict_count, reject_count) \
         WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 999) \
         SELECT CONCAT('transactions/', i), 'e', 0, 0, 0, 0, 0 FROM n; \
         INSERT INTO ingested_objects (object_key, object_etag, line_count, row_count, duplicate_count, \
         conflict_count, reject_count, ingested_at) VALUES ('transactions/x  ', 'e', 0, 0, 0, 0, 0, UTC_TIMESTAMP(6)), \
         ('transactions/x', 'e', 0, 0, 0, 0, 0, UTC_TIMESTAMP(6)), \
         ('transactions/x ', 'e', 0, 0, 0, 0, 0, UTC_TIMESTAMP(6))",
    )
    .await;
    let span = KeySpan {
        after: "transactions/".to_owned(),
        before: None,
    };
    let first = store.ledger_page(&span, None).await.unwrap();
    assert_eq!(first.len(), 1000);
    let rest = store.ledger_page(&span, first.last()).await.unwrap();
    let last = first[999..].iter().chain(&rest);
    let keys: Vec<_> = last.map(|entry| entry.key.as_str()).collect();
    assert_eq!(
        keys,
        ["transactions/x", "transactions/x ", "transactions/x  "]
    );
    let end = store.ledger_page(&span, rest.last()).await.unwrap();
    assert_eq!(end, []);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn lines_are_found_where_they_were_put(pool: MySqlPool) {
    let store = store(&pool);
    let bodies = [
        r#"{"id":"a","amount":1}"#,
        r#"{"id":"a","amount":2}"#,
        "?",
        r#"{"id":"b"}"#,
    ];
    store
        .ingest_object(&object("x"), &lines(&bodies))
        .await
        .unwrap();
    let entry = store.ledger_entry(&object("x")).await.unwrap().unwrap();
    assert_eq!(
        (entry.lines, entry.rows, entry.conflicts, entry.rejects),
        (4, 2, 1, 1)
    );
    assert_eq!(store.ledger_entry(&object("y")).await.unwrap(), None);

    let conflicts = store.conflicts_between(&entry, (1, 3)).await.unwrap();
    let conflicts: Vec<_> = conflicts
        .iter()
        .map(|row| (row.object_line, row.content_hash))
        .collect();
    assert_eq!(conflicts, [(2, Some(record(bodies[1]).content_hash))]);
    let rejects = store.rejects_between(&entry, (1, 4)).await.unwrap();
    assert_eq!(rejects.into_keys().collect::<Vec<_>>(), [3]);
    assert!(
        store
            .rejects_between(&entry, (4, 9))
            .await
            .unwrap()
            .is_empty()
    );
    let id = payment("a", "");
    let conflicts = store.conflicts_of(&id).await.unwrap();
    let lines: Vec<_> = conflicts.iter().map(|row| row.object_line).collect();
    assert_eq!(lines, [2]);

    let span = KeySpan {
        after: "transactions/".to_owned(),
        before: None,
    };
    assert_eq!(store.ledger_lines(&span).await.unwrap(), 4);
    for (table, rows) in LineTable::ALL.into_iter().zip([2, 1, 1]) {
        let last = store.last_row(table).await.unwrap();
        let mut span = RowSpan::until(last);
        let origins = store.origins(table, &mut span).await.unwrap();
        assert_eq!(origins.len(), rows);
        assert!(origins.iter().all(|origin| origin.is_in_ledger));
        let mut again = RowSpan::until(last);
        let objects = store.rows_of_objects(table, &mut again);
        let ids = origins.iter().map(|origin| origin.id).collect();
        let object = RowsOfObject {
            key: origins[0].key.clone(),
            is_in_ledger: true,
            rows: ids,
        };
        assert_eq!(objects.await.unwrap(), [object]);
        let rest = store.origins(table, &mut span).await.unwrap();
        assert_eq!((rest, span.next()), (Vec::new(), None));
    }
}

/// As a session without strict mode leaves it, which any user may choose.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_no_row_makes_a_page_fail(pool: MySqlPool) {
    let store = store(&pool);
    store
        .ingest_object(&object("x"), &lines(&[r#"{"id":"a"}"#]))
        .await
        .unwrap();
    admin(
        &pool,
        "SET SESSION sql_mode = ''; \
         INSERT INTO transactions \
         (id, payment_id, status, received_at, recorded_at, extra, content_hash, object_key, object_line) \
         VALUES (5000000000000000000, 'b', 'processed', '0000-00-00', '2026-00-00', '', '', 'nowhere', 0); \
         INSERT INTO ingested_objects (object_key, object_etag, line_count, row_count, duplicate_count, \
         conflict_count, reject_count, ingested_at) VALUES ('', '', 0, 0, 0, 0, 0, '0000-00-00'), \
         ('\u{1}before all', '', 0, 0, 0, 0, 0, '0000-00-00')",
    )
    .await;
    let last = store.last_row(LineTable::Transactions).await.unwrap();
    let mut span = RowSpan::until(last);
    let rows = store.rows_page(Table::Transactions, &mut span);
    let rows = rows.await.unwrap();
    assert_eq!(
        rows.iter()
            .map(|row| row.matches_own_hash())
            .collect::<Vec<_>>(),
        [true, false]
    );
    let mut span = RowSpan::until(last);
    let origins = store.origins(LineTable::Transactions, &mut span);
    let origins = origins.await.unwrap();
    assert_eq!(
        (origins[1].key.as_str(), origins[1].is_in_ledger),
        ("nowhere", false)
    );
    let mut span = RowSpan::until(last);
    let objects = store.rows_of_objects(LineTable::Transactions, &mut span);
    let rows = objects.await.unwrap().into_iter();
    let rows = rows.map(|object| (object.is_in_ledger, object.rows));
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [(true, vec![1]), (false, vec![origins[1].id])]
    );
    let mut strays = store.ledger_strays().await.unwrap();
    strays.sort();
    assert_eq!(strays, ["", "\u{1}before all"]);
}

/// Whatever a payment holds, its row gives the same hash again; and no change of a column goes unseen.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_a_row_is_held_against_its_own_hash(pool: MySqlPool) {
    let store = store(&pool);
    let bodies = [
        r#"{"id":"bare"}"#,
        r#"{"id":"yen","amount":"5","currency":"JPY","transaction":"\u0000\"ä","status":"failed"}"#,
        r#"{"id":"full","amount":1.50,"payer_name":"Zoë","transaction":"","z":{"a":[1e400,1.10,null]},"b":"\n"}"#,
    ];
    store
        .ingest_object(&object("x"), &lines(&bodies))
        .await
        .unwrap();
    let altered = async || {
        let mut span = RowSpan::until(10);
        let rows = store.rows_page(Table::Transactions, &mut span);
        let rows = rows.await.unwrap();
        assert_eq!(rows.len(), 3);
        let altered = rows.iter().filter(|row| !row.matches_own_hash());
        altered
            .map(|row| row.payment_id.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(altered().await, [""; 0]);
    for (change, back) in [
        ("amount = 1.51", "amount = 1.5"),
        ("currency = 'EUR'", "currency = 'USD'"),
        ("status = 'failed'", "status = 'processed'"),
        ("transaction = NULL", "transaction = ''"),
        ("payer_name = 'Zoe'", "payer_name = 'Zoë'"),
        ("extra = CONCAT(extra, ' ')", "extra = TRIM(extra)"),
        (
            "extra = INSERT(extra, 2, 0, '\"payer_name\":\"Zoë\",'), payer_name = NULL",
            "extra = REPLACE(extra, '\"payer_name\":\"Zoë\",', ''), payer_name = 'Zoë'",
        ),
        ("payment_id = 'full2'", "payment_id = 'full'"),
        ("client = 'shop'", "client = ''"),
        ("client = 'Not a name'", "client = ''"),
    ] {
        admin(
            &pool,
            &format!("UPDATE transactions SET {change} WHERE payment_id = 'full'"),
        )
        .await;
        assert_eq!(altered().await.len(), 1, "{change}");
        admin(
            &pool,
            &format!("UPDATE transactions SET {back} WHERE payment_id LIKE 'full%'"),
        )
        .await;
        assert_eq!(altered().await, [""; 0], "{back}");
    }
}
