//! P11: what a client keeps proves its payment.

use std::fs;

use payment_core::ObjectKey;
use payment_core::chain::{Header, Link, ObjectHash};
use serde_json::Value;
use sqlx::MySqlPool;
use tempfile::TempDir;
use uuid::Uuid;

use super::checkpoints::checkpoints;
use super::{Written, erase, ingested, put, run};
use crate::harness::lines;

fn uuid(key: &str) -> Uuid {
    ObjectKey::parse(key).unwrap().own_batch().unwrap().0
}

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
    check(2, &["not proven", "no header vouches for it, since"]).await;
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
    let disputed = ["not proven", "it is not the object that"];
    check(1, &disputed).await;
    // A header of the forger's own, before the one that names the object.
    let link = Link {
        seq: 1,
        key: uuid(&objects[1].key),
        sha256: ObjectHash::of(forged.as_bytes()),
    };
    let naming = Header::parse(header.as_bytes()).unwrap();
    let naming = Header {
        seq: 2,
        confirmed: vec![link],
        ..naming
    };
    let own = ObjectKey::batch("transactions/", naming.clock, uuid(&objects[1].key), "0");
    let (moment, _) = own.own_batch().unwrap();
    let next = Uuid::from_u128(moment.as_u128() + 1);
    let own = ObjectKey::batch(
        "transactions/",
        naming.clock,
        next,
        &naming.node.to_string(),
    );
    pipeline.put(own.as_str(), &naming.to_line()).await;
    check(1, &disputed).await;
    pipeline.delete(own.as_str()).await;
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
    pipeline
        .admin("UPDATE transactions SET request_id = 'forged' WHERE payment_id = 'a1'")
        .await;
    let altered = pipeline.payctl(&["receipt", "a1"]).await;
    altered.check(1, &["no receipt", "is not the row's"]);
    let none = pipeline.payctl(&["receipt", "nobody"]).await;
    none.check(1, &["has no row"]);
    fs::write(&file, "{}").unwrap();
    check(64, &["no receipt"]).await;
    let endless = pipeline.payctl(&["receipt", "check", "/dev/zero"]).await;
    endless.check(64, &["bytes or more"]);
}

/// A body that was exchanged together with the object that names it: the one behind that still has the hash of before.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_voucher_that_another_contradicts_proves_nothing(pool: MySqlPool) {
    let (pipeline, objects) = ingested(pool).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("receipt.json");
    let printed = pipeline.payctl(&["receipt", "a1"]).await.out;
    let check = async |receipt: &str| {
        fs::write(&file, receipt).unwrap();
        let file = file.to_str().unwrap();
        pipeline.payctl(&["receipt", "check", file]).await
    };
    check(&printed).await.check(0, &["proven"]);

    let named = format!("\"named_by\":\"{}\"", objects[1].key);
    for other in [objects[2].key.as_str(), "no key at all"] {
        let altered = printed.replace(&named, &format!("\"named_by\":\"{other}\""));
        assert_ne!(altered, printed);
        check(&altered)
            .await
            .check(1, &["not proven", other, "does not name the object"]);
    }

    let (header, _) = objects[0].body.split_once('\n').unwrap();
    let altered = format!("{header}\n{}", lines(&["f1", "a11"]));
    let hash = |body: &str| ObjectHash::of(body.as_bytes()).to_string();
    let naming = objects[1]
        .body
        .replace(&hash(&objects[0].body), &hash(&altered));
    assert_ne!(naming, objects[1].body);
    pipeline.put(&objects[0].key, &altered).await;
    pipeline.put(&objects[1].key, &naming).await;
    let line = altered.lines().nth(1).unwrap();
    let record: Value = serde_json::from_str(line).unwrap();
    let mut receipt: Value = serde_json::from_str(&printed).unwrap();
    receipt["record"] = line.into();
    receipt["hash"] = record["hash"].clone();
    receipt["sha256"] = hash(&altered).into();
    receipt["named_by"] = Value::Null;
    let unvouched = ["not proven", "no header vouches for it"];
    check(&receipt.to_string()).await.check(2, &unvouched);
    // One more is rewritten, which then vouches for the voucher; the one behind it contradicts that.
    let further = objects[2]
        .body
        .replace(&hash(&objects[1].body), &hash(&naming));
    assert_ne!(further, objects[2].body);
    pipeline.put(&objects[2].key, &further).await;
    check(&receipt.to_string()).await.check(2, &unvouched);

    // Under another run, of which nothing else speaks, while all headers stand as they were written.
    pipeline.put(&objects[1].key, &objects[1].body).await;
    pipeline.put(&objects[2].key, &objects[2].body).await;
    let run = receipt["position"]["run"].as_str().unwrap().to_owned();
    let last = if run.ends_with('0') { "1" } else { "0" };
    let other = format!("{}{last}", &run[..run.len() - 1]);
    let elsewhere = altered.replace(&run, &other);
    pipeline.put(&objects[0].key, &elsewhere).await;
    receipt["position"]["run"] = other.into();
    receipt["sha256"] = hash(&elsewhere).into();
    let disputed = ["not proven", "it is not the object that"];
    check(&receipt.to_string()).await.check(1, &disputed);

    // One header behind the run's end vouches for it, and the one that named what it was is gone.
    receipt["position"]["run"] = run.into();
    receipt["sha256"] = hash(&altered).into();
    pipeline.put(&objects[0].key, &altered).await;
    pipeline.delete(&objects[1].key).await;
    let last = objects.last().unwrap();
    let end = Header::parse(last.body.lines().next().unwrap().as_bytes()).unwrap();
    let link = Link {
        seq: 0,
        key: uuid(&objects[0].key),
        sha256: ObjectHash::of(altered.as_bytes()),
    };
    let naming = Header {
        seq: end.seq + 500,
        confirmed: vec![link],
        end: false,
        ..end
    };
    let next = Uuid::from_u128(uuid(&last.key).as_u128() + 1);
    let node = naming.node.to_string();
    let own = ObjectKey::batch("transactions/", naming.clock, next, &node);
    pipeline.put(own.as_str(), &naming.to_line()).await;
    let unclear = ["not proven", "no header vouches for it, since"];
    check(&receipt.to_string()).await.check(2, &unclear);
}

/// What was signed of its hour proves a payment as well, also one that no header names.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_receipt_with_a_checkpoint_is_proven_while_the_hour_is_what_it_was(pool: MySqlPool) {
    let (pipeline, objects) = ingested(pool).await;
    let key = "transactions/dt=2026-11-22/hh=07/export.json".to_owned();
    let body = "{\"id\":\"p1\"}\n".to_owned();
    let export = Written { key, body };
    put(&pipeline, std::slice::from_ref(&export)).await;
    let (folder, file, public) = checkpoints(&pipeline).await;
    let receipt = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for id in ["a2", "p1"] {
        let said = pipeline
            .payctl(&["receipt", id, "--checkpoints", &file])
            .await;
        assert_eq!(said.code, 0, "{}", said.err);
        fs::write(receipt(id), said.out).unwrap();
    }
    let check = async |id: &str, code: i32, parts: &[&str]| {
        let args = ["receipt", "check", &receipt(id), "--key", &public];
        pipeline.payctl(&args).await.check(code, parts);
    };
    let signed = "checkpoint 1, signed by";
    check("a2", 0, &["proven", &objects[2].key, signed]).await;
    check("p1", 0, &["proven: payment p1", signed]).await;
    // Another object of the hour goes, with all that was known of it.
    erase(&pipeline, &objects[3]).await;
    let rewritten = [
        "not proven",
        "checkpoint 1 no longer holds",
        "had 5 objects",
    ];
    check("p1", 1, &rewritten).await;
    put(&pipeline, &objects[3..]).await;
    check("p1", 0, &[signed]).await;

    let text = fs::read_to_string(receipt("p1")).unwrap();
    fs::write(
        receipt("p1"),
        text.replace("objects\\\":5", "objects\\\":6"),
    )
    .unwrap();
    check("p1", 1, &["not proven", "its signature is not right"]).await;
    let other = receipt("other.pem");
    pipeline.payctl(&["key", "new", &other]).await.check(0, &[]);
    let args = ["receipt", "check", &receipt("a2"), "--key", &other];
    let said = pipeline.payctl(&args).await;
    said.check(1, &["not proven", "another key's"]);
    put(&pipeline, &run(0xa3, "2026-11-24T09", "c")).await;
    let late = ["receipt", "c1", "--checkpoints", &file];
    let said = pipeline.payctl(&late).await;
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("no checkpoint holds its hour yet"));
}
