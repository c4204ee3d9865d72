//! P11: what a client keeps proves its payment.

use std::fs;

use payment_core::chain::ObjectHash;
use serde_json::Value;
use sqlx::MySqlPool;
use tempfile::TempDir;

use super::{Written, ingested, put};
use crate::harness::lines;

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_receipt_is_proven_until_its_object_is_another(pool: MySqlPool) {
    let (pipeline, objects) = ingested(pool).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("receipt.json");
    let path = file.to_str().unwrap();
    let print = async |id: &str| {
        // The record is the client's own, with the payer's name.
        let said = pipeline.payctl(&["receipt", id]).await;
        assert_eq!(said.code, 0, "{}", said.err);
        said.out
    };
    let receipt = print("a2").await;
    for part in [&objects[1].key, &objects[2].key, "\"line\":2", "\"seq\":1"] {
        assert!(receipt.contains(part), "{part} is not in {receipt}");
    }
    fs::write(&file, &receipt).unwrap();
    let check = async |code: i32, parts: &[&str]| {
        let said = pipeline.payctl(&["receipt", "check", path]).await;
        said.check(code, parts);
    };
    let proven = ["proven: payment a2, 12.50 USD: line 2", &objects[2].key];
    check(0, &proven).await;
    for (from, to) in [
        ("\"seq\":1", "\"seq\":2"),
        ("12.50", "12.51"),
        ("\"line\":2", "\"line\":3"),
    ] {
        assert!(receipt.contains(from), "{from}");
        fs::write(&file, receipt.replace(from, to)).unwrap();
        check(1, &["not proven"]).await;
    }
    fs::write(&file, &receipt).unwrap();
    pipeline.delete(&objects[2].key).await;
    check(1, &["does not name the object"]).await;
    pipeline.put(&objects[2].key, &objects[2].body).await;
    pipeline.delete(&objects[1].key).await;
    check(1, &["is not there"]).await;
    pipeline.put(&objects[1].key, &objects[1].body).await;
    check(0, &proven).await;
    // Its own word that nobody names the object, whose header says otherwise.
    let named = format!("\"named_by\":\"{}\"", objects[2].key);
    assert!(receipt.contains(&named), "{receipt}");
    fs::write(&file, receipt.replace(&named, "\"named_by\":null")).unwrap();
    check(0, &proven).await;
    // Another payment's line in the object, and a receipt to match: the next header names another object.
    let (header, _) = objects[1].body.split_once('\n').unwrap();
    let forged = format!("{header}\n{}", lines(&["a7"]));
    pipeline.put(&objects[1].key, &forged).await;
    let line = forged.lines().nth(1).unwrap();
    let record: Value = serde_json::from_str(line).unwrap();
    let mut other: Value = serde_json::from_str(&receipt).unwrap();
    other["named_by"] = Value::Null;
    other["record"] = line.into();
    other["hash"] = record["hash"].clone();
    other["sha256"] = ObjectHash::of(forged.as_bytes()).to_string().into();
    fs::write(&file, other.to_string()).unwrap();
    check(1, &["not proven", "names something else in the place of"]).await;
    pipeline.put(&objects[1].key, &objects[1].body).await;
    let copy = "elsewhere/a.ndjson";
    pipeline.put(copy, &objects[1].body).await;
    fs::write(&file, receipt.replace(&objects[1].key, copy)).unwrap();
    check(
        1,
        &["not proven", "elsewhere/a.ndjson is none of the journal"],
    )
    .await;
    for (name, body, payment) in [
        ("pretty.json", "{\n \"id\": \"p1\"\n}\n", "p1"),
        ("array.json", "[{\"id\":\"p2\"},{\"id\":\"p3\"}]", "p3"),
        (
            "mark.ndjson",
            "\u{feff}{\"id\":\"p4\"}\n{\"id\":\"p5\"}\n",
            "p4",
        ),
    ] {
        let key = format!("transactions/{name}");
        let body = body.to_owned();
        put(&pipeline, &[Written { key, body }]).await;
        fs::write(&file, print(payment).await).unwrap();
        check(2, &["not proven", name, "no header vouches for it"]).await;
    }
    // Rows that someone invented, of lines that are another's.
    for (id, key, why) in [
        ("forged", objects[1].key.as_str(), "is not the row's"),
        ("strange", copy, "names no object of the journal"),
    ] {
        pipeline
            .run_sql(&format!(
                "INSERT INTO transactions (payment_id, status, received_at, extra, content_hash, object_key, object_line) \
                 SELECT '{id}', status, received_at, extra, content_hash, '{key}', object_line FROM transactions \
                 WHERE payment_id = 'a2'"
            ))
            .await;
        let said = pipeline.payctl(&["receipt", id]).await;
        said.check(1, &["no receipt", why]);
    }
    let none = pipeline.payctl(&["receipt", "nobody"]).await;
    none.check(1, &["has no row"]);
    fs::write(&file, "{}").unwrap();
    check(64, &["no receipt"]).await;
    let endless = pipeline.payctl(&["receipt", "check", "/dev/zero"]).await;
    endless.check(64, &["bytes or more"]);
}
