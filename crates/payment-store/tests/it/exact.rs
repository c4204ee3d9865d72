//! P3: what comes out is what went in.

use payment_core::json::DEPTH_MAX;
use sqlx::MySqlPool;

use crate::harness::{
    RECEIVED_AT, counts, database, is_ingested, lines, object, payment, record, store,
};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_amounts_are_stored_to_the_last_digit(pool: MySqlPool) {
    let store = store(&pool);
    let amounts = [
        ("999999999999999.9999", "CLF"),
        ("0.0001", "CLF"),
        ("999999999999999.99", "USD"),
        ("100000000000000.01", "USD"),
        ("0.10", "USD"),
        ("0.30", "EUR"),
        ("900719925474099", "JPY"),
        ("123.456", "KWD"),
    ];
    let bodies: Vec<_> = amounts
        .iter()
        .enumerate()
        .map(|(n, (amount, currency))| {
            format!(r#"{{"id":"p{n}","amount":"{amount}","currency":"{currency}"}}"#)
        })
        .collect();
    let outcome = store
        .ingest_object(&object("x"), &lines(&bodies))
        .await
        .unwrap();
    assert_eq!((outcome.rows, outcome.rejects), (8, 0));
    for (n, (amount, currency)) in amounts.iter().enumerate() {
        let id = payment(&format!("p{n}"), "");
        let found = store.find(&id).await.unwrap().unwrap();
        assert_eq!(found.amount.unwrap().to_string(), *amount);
        assert_eq!(found.currency.unwrap().code(), *currency);
        let stored: String = sqlx::query_scalar(
            "SELECT CAST(amount AS CHAR) FROM transactions WHERE payment_id = ?",
        )
        .bind(id.id.as_str())
        .fetch_one(&pool)
        .await
        .unwrap();
        assert!(
            stored.starts_with(amount)
                && stored[amount.len()..].trim_matches(['.', '0']).is_empty(),
            "{stored}"
        );
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_strings_are_stored_byte_for_byte(pool: MySqlPool) {
    let store = store(&pool);
    let texts = [
        "",
        " ",
        "  spaces before and after  ",
        "tab\t, newline\n, return\r, NUL\0, escape\u{1b}",
        r#"quotes ' " ` and backslashes \ \\ \' \0 \n"#,
        "-- /* ; %_ ${x} ? :x",
        "é and e\u{301}",
        "😀 𝒳 \u{10ffff} \u{fffd} \u{feff}",
        "ﬁ ß ẞ İ ı",
    ];
    let bodies: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| serde_json::json!({"id": format!("p{n}"), "transaction": text, "payer_name": text, "note": text}))
        .map(|body| body.to_string())
        .collect();
    let outcome = store
        .ingest_object(&object("x"), &lines(&bodies))
        .await
        .unwrap();
    assert_eq!(outcome.rows, u32::try_from(texts.len()).unwrap());
    for (n, text) in texts.iter().enumerate() {
        let id = payment(&format!("p{n}"), "");
        let found = store.find(&id).await.unwrap().unwrap();
        assert_eq!(found.transaction.as_deref(), Some(*text));
        assert_eq!(found.payer_name.as_deref(), Some(*text));
        assert_eq!(found.extra, serde_json::json!({"note": text}).to_string());
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_the_longest_values_fit(pool: MySqlPool) {
    let store = store(&pool);
    let id = payment(&"Z".repeat(64), "");
    let body = serde_json::json!({
        "id": id.id.as_str(),
        "transaction": "😀".repeat(255),
        "payer_name": "😀".repeat(100),
        "note": "😀".repeat(200_000),
    });
    let line = record(&body.to_string());
    let outcome = store
        .ingest_object(&object("x"), &[(1, Ok(line.clone()))])
        .await
        .unwrap();
    assert_eq!(outcome.rows, 1);
    let found = store.find(&id).await.unwrap().unwrap();
    assert_eq!(found.transaction.as_deref(), line.payment.transaction());
    assert_eq!(found.payer_name.as_deref(), line.payment.payer_name());
    assert_eq!(found.extra, line.payment.extra_json());
    assert_eq!(found.content_hash, line.content_hash);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_unknown_members_are_kept_as_they_were_sent(pool: MySqlPool) {
    let store = store(&pool);
    let extra = r#"{"b":1.10,"a":1e400,"n":100000000000000000000000000000001,"z":-0.0,"o":{"y":[null,true,1E+2],"x":""}}"#;
    let body = format!(r#"{{"id":"a",{}"#, &extra[1..]);
    let outcome = store
        .ingest_object(&object("x"), &lines(&[body]))
        .await
        .unwrap();
    assert_eq!(outcome.rows, 1);
    let found = store.find(&payment("a", "")).await.unwrap().unwrap();
    assert_eq!(found.extra, extra);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_absent_is_not_empty_and_times_keep_their_microseconds(pool: MySqlPool) {
    let store = store(&pool);
    store
        .ingest_object(&object("x"), &lines(&[r#"{"id":"a"}"#]))
        .await
        .unwrap();
    let found = store.find(&payment("a", "")).await.unwrap().unwrap();
    assert_eq!((found.transaction, found.payer_name), (None, None));
    assert_eq!((found.amount, found.currency), (None, None));
    assert_eq!(found.received_at.to_string(), RECEIVED_AT);
    assert_eq!(found.extra, "{}");
}

/// Ids that differ in case, or that a looser collation takes for the same, are different payments.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_ids_and_keys_are_told_apart_by_their_bytes(pool: MySqlPool) {
    let store = store(&pool);
    let outcome = store
        .ingest_object(
            &object("x"),
            &lines(&[r#"{"id":"a-1"}"#, r#"{"id":"A-1"}"#]),
        )
        .await
        .unwrap();
    assert_eq!((outcome.rows, outcome.duplicates), (2, 0));
    for name in ["X", "ẍ", "x "] {
        assert!(!is_ingested(&store, &object(name)).await, "{name}");
    }
}

/// To the only collation that both servers have, spaces at the end of a key are none.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_keys_that_differ_in_spaces_alone_are_each_ingested(pool: MySqlPool) {
    let store = store(&pool);
    let bodies = [r#"{"id":"a"}"#, r#"{"id":"a","x":1}"#, "?"];
    let keys = ["x ", "x", "x  "];
    for name in keys {
        assert!(!is_ingested(&store, &object(name)).await, "{name:?}");
        let outcome = store.ingest_object(&object(name), &lines(&bodies)).await;
        assert_eq!(outcome.unwrap().conflicts, 1, "{name:?}");
        store.defer("journal", &object(name)).await.unwrap();
    }
    let rows = i64::try_from(keys.len()).unwrap();
    assert_eq!(counts(&pool).await, [1, rows, rows, rows]);
    let deferred = store.deferred("journal", 0, 9).await.unwrap();
    assert_eq!(deferred.len(), keys.len());
}

/// The server may be set to cut what does not fit: the connection's own mode counts.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p3_connections_are_strict_whatever_the_server_is(pool: MySqlPool) {
    let (mode, zone, charset): (String, String, String) = sqlx::query_as(
        "SELECT @@SESSION.sql_mode, @@SESSION.time_zone, @@SESSION.character_set_client",
    )
    .fetch_one(&mut *database(&pool).pool(1).acquire().await.unwrap())
    .await
    .unwrap();
    assert!(mode.contains("STRICT_ALL_TABLES"), "{mode}");
    assert_eq!((zone.as_str(), charset.as_str()), ("+00:00", "utf8mb4"));
}

/// What the door takes at each of its limits fits its columns.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_bodies_at_the_doors_limits_become_rows(pool: MySqlPool) {
    let store = store(&pool);
    let depth = DEPTH_MAX - 1;
    let bodies = [
        format!(r#"{{"id":"deep","x":{}1{}}}"#, r#"{"x":"#.repeat(depth), "}".repeat(depth)),
        format!(r#"{{"id":"array","x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth)),
        format!(r#"{{"id":"large","x":"{}"}}"#, "\\b".repeat(8_000)),
        format!(r#"{{"id":"{}","transaction":"{}"}}"#, "i".repeat(64), "😀".repeat(255)),
        format!(r#"{{"id":"name","payer_name":"{}"}}"#, "😀".repeat(100)),
        r#"{"id":"amount","amount":"999999999999999.9999","currency":"CLF"}"#.to_owned(),
        r#"{"id":"least","amount":1e-4,"currency":"CLF"}"#.to_owned(),
        r#"{"id":"names","v":1,"hash":"x","extra":{"extra":{}},"received_at":0,"request_id":[],"traceparent":null}"#
            .to_owned(),
        r#"{"id":"numbers","a":1e400,"b":-0,"c":12345678901234567890.5,"d":"\u0000"}"#.to_owned(),
    ];
    let lines = lines(&bodies);
    assert!(lines.iter().all(|(_, line)| line.is_ok()), "{lines:?}");
    let outcome = store.ingest_object(&object("x"), &lines).await.unwrap();
    assert_eq!((outcome.rows, outcome.rejects), (9, 0));
    for (_, line) in &lines {
        let record = line.as_ref().unwrap();
        let found = store.find(record.payment.key()).await.unwrap().unwrap();
        assert_eq!(found.content_hash, record.content_hash);
        assert_eq!(found.extra, record.payment.extra_json());
        assert_eq!(found.amount, record.payment.amount());
    }
}
