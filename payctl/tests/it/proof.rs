//! P11: what someone with all rights over bucket and database does to the past is named.

mod checkpoints;
mod ranges;
mod receipts;

use payment_core::chain::{Node, ObjectHash, Purpose, Run, RunId};
use payment_core::{ObjectKey, Timestamp};
use sqlx::MySqlPool;
use uuid::Uuid;

use crate::harness::{Pipeline, lines, said};

/// A process that writes a chain, as a tier does.
struct Tier {
    run: Run,
    node: Node,
    written: u16,
}

struct Written {
    key: String,
    body: String,
}

impl Tier {
    fn new(number: u32, began: &str) -> Self {
        let node = Node::new(number);
        let key = ObjectKey::batch("", at(began), Uuid::from_u128(number.into()), "0");
        let (run, _) = key.own_batch().unwrap();
        Self {
            run: Run::new(RunId::new(run).unwrap(), node),
            node,
            written: 0,
        }
    }

    /// An object with these payments; without any, the end of the run.
    fn write(&mut self, time: &str, ids: &[&str]) -> Written {
        let purpose = if ids.is_empty() {
            Purpose::End
        } else {
            Purpose::Payments
        };
        let sealed = self.run.seal(purpose, at(time));
        let body = sealed.header().to_line() + &lines(ids);
        self.written += 1;
        let unique = Uuid::from_u128(self.written.into());
        let node = self.node.to_string();
        let key = ObjectKey::batch("transactions/", at(time), unique, &node);
        let (unique, _) = key.own_batch().unwrap();
        let hash = ObjectHash::of(body.as_bytes());
        self.run.confirmed(sealed, unique, hash);
        Written {
            key: key.to_string(),
            body,
        }
    }
}

impl Tier {
    /// An object that S3 did not take.
    fn fail(&mut self, time: &str) {
        let sealed = self.run.seal(Purpose::Payments, at(time));
        let key = ObjectKey::batch("", at(time), Uuid::from_u128(99), "0");
        let (unique, _) = key.own_batch().unwrap();
        let hash = ObjectHash::of(b"lost");
        self.run.unconfirmed(sealed, unique, hash);
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

async fn put(pipeline: &Pipeline, objects: &[Written]) {
    for object in objects {
        pipeline.put(&object.key, &object.body).await;
    }
    let replayed = pipeline.payctl(&["replay"]).await;
    replayed.check(0, &[]);
}

/// A run of four objects, of which the last ends it, on one day at this hour; its payments have these first letters.
fn run(node: u32, hour: &str, letter: &str) -> Vec<Written> {
    let time = |second: u8| format!("{hour}:30:{second:02}Z");
    let mut tier = Tier::new(node, &time(0));
    let id = |number: u8| format!("{letter}{number}");
    let mut objects: Vec<_> = (1..4)
        .map(|number| tier.write(&time(number), &[&id(number), &id(number + 10)]))
        .collect();
    objects.push(tier.write(&time(5), &[]));
    objects
}

async fn ingested(pool: MySqlPool) -> (Pipeline, Vec<Written>) {
    let pipeline = Pipeline::start(pool).await;
    let objects = run(0xa1, "2026-11-22T07", "a");
    put(&pipeline, &objects).await;
    (pipeline, objects)
}

/// Deletes an object with its ledger entry and its rows, so that they agree.
async fn erase(pipeline: &Pipeline, object: &Written) {
    pipeline.delete(&object.key).await;
    let key = &object.key;
    pipeline
        .run_sql(&format!(
            "DELETE FROM transactions WHERE object_key = '{key}'; DELETE FROM ingested_objects WHERE object_key = '{key}'"
        ))
        .await;
}

const VERIFY: [&str; 3] = ["verify", "--settle", "0"];

async fn verify(pipeline: &Pipeline, args: &[&str], code: i32, parts: &[&str]) {
    let said = pipeline.payctl(&[&VERIFY, args].concat()).await;
    said.check(code, parts);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_an_object_erased_with_its_rows_is_named(pool: MySqlPool) {
    let (pipeline, objects) = ingested(pool).await;
    for object in &objects[..3] {
        erase(&pipeline, object).await;
        verify(
            &pipeline,
            &[],
            1,
            &["object missing", &object.key, &objects[3].key[..30]],
        )
        .await;
        put(&pipeline, std::slice::from_ref(object)).await;
        verify(&pipeline, &[], 0, &[]).await;
    }
    // Nobody names the end of a run: what it says stays true without it.
    erase(&pipeline, &objects[3]).await;
    let said = pipeline.payctl(&VERIFY).await;
    said.check(
        0,
        &[
            "node 000000a1: no end, up to number 2 at 2026-11-22T07:30:03",
            "1 objects that no header names yet",
        ],
    );
    assert_eq!(said.count("runs without an end"), 1);
    assert_eq!(said.count("their objects not named yet"), 1);
    let runs = "\"runs_without_end\":[{\"run\":\"";
    verify(&pipeline, &["--json"], 0, &[runs]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_key_that_no_tier_makes_is_named(pool: MySqlPool) {
    let (pipeline, objects) = ingested(pool).await;
    let (folder, _) = objects[0].key.rsplit_once('/').unwrap();
    let folder = folder.replace("hh=07", "hh=08");
    let forged = Written {
        key: format!("{folder}/2f0a3a9e-6e0b-4c3d-9d3a-0123456789ab-000000a1.ndjson"),
        body: lines(&["forged"]),
    };
    put(&pipeline, std::slice::from_ref(&forged)).await;
    for range in [&[][..], &["--from", "2026-11-22T08:00:00Z"]] {
        verify(&pipeline, range, 1, &["object inserted", &forged.key]).await;
    }
}

/// It was stored behind the page of the listing that its key is on.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_an_object_that_came_behind_the_listing_is_not_missing(pool: MySqlPool) {
    let (pipeline, objects) = ingested(pool).await;
    erase(&pipeline, &objects[1]).await;
    // The ledger is asked once the listing is there.
    let mut lock = Box::pin(pipeline.pool().acquire()).await.unwrap();
    let lock_ledger = sqlx::raw_sql("LOCK TABLES ingested_objects WRITE");
    lock_ledger.execute(&mut *lock).await.unwrap();
    let verifying = pipeline.start_payctl(&VERIFY);
    pipeline.until_a_table_is_waited_for().await;
    pipeline.put(&objects[1].key, &objects[1].body).await;
    let unlock = sqlx::raw_sql("UNLOCK TABLES");
    unlock.execute(&mut *lock).await.unwrap();
    let verified = said(verifying.wait_with_output().await.unwrap());
    verified.check(2, &["1 objects are young"]);
    assert_eq!(verified.count("differences"), 0);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_journal_is_clean_again_once_a_deleted_object_is_restored(pool: MySqlPool) {
    let (pipeline, objects) = ingested(pool).await;
    pipeline
        .run_sql(
            "UPDATE transactions SET recorded_at = '2026-11-22 07:30:10'; \
             UPDATE ingested_objects SET ingested_at = '2026-11-22 07:30:10'",
        )
        .await;
    pipeline.delete(&objects[1].key).await;
    verify(&pipeline, &[], 1, &["object missing", &objects[1].key]).await;
    for object in &objects {
        pipeline.put(&object.key, &object.body).await;
    }
    verify(&pipeline, &[], 0, &[]).await;
    pipeline
        .run_sql(
            "UPDATE transactions SET recorded_at = '2026-11-22 08:30:10'; \
             UPDATE ingested_objects SET ingested_at = '2026-11-22 08:30:10'",
        )
        .await;
    verify(&pipeline, &[], 2, &["unproven", "recorded_at"]).await;
}

/// Nothing but the hole is a fault of its own; the last object of the run says more than a minute later that it was
/// stored.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_objects_behind_a_hole_are_named_in_one_line(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let mut tier = Tier::new(0xa1, "2026-11-22T07:30:00Z");
    let mut objects: Vec<_> = (1..8)
        .map(|second| {
            tier.write(
                &format!("2026-11-22T07:30:0{second}Z"),
                &[&format!("a{second}")],
            )
        })
        .collect();
    objects.push(tier.write("2026-11-22T07:40:00Z", &[]));
    put(&pipeline, &objects).await;
    erase(&pipeline, &objects[5]).await;
    let line = format!(
        "unvouched            {} … {}: run ",
        objects[0].key, objects[4].key
    );
    let said = pipeline.payctl(&VERIFY).await;
    said.check(
        1,
        &[
            "object missing",
            &line,
            "numbers 0 to 4: no object vouches for these 5 objects",
        ],
    );
    assert_eq!(said.count("differences"), 6);
    let (first, last) = (&objects[0].key, &objects[4].key);
    let json = format!(
        r#""difference":"unvouched","object":"{first}","last_object":"{last}","objects":5,"#
    );
    verify(&pipeline, &["--json"], 1, &[&json, r#""differences":6"#]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_an_object_rewritten_with_ledger_and_rows_is_named(pool: MySqlPool) {
    let (pipeline, objects) = ingested(pool).await;
    erase(&pipeline, &objects[1]).await;
    let (header, _) = objects[1].body.split_once('\n').unwrap();
    let forged = Written {
        key: objects[1].key.clone(),
        body: format!("{header}\n{}", lines(&["a2", "forged"])),
    };
    put(&pipeline, &[forged]).await;
    verify(&pipeline, &[], 1, &["object changed", &objects[1].key]).await;
    verify(
        &pipeline,
        &["--json"],
        1,
        &["\"difference\":\"object_changed\""],
    )
    .await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_an_inserted_object_is_named(pool: MySqlPool) {
    let (pipeline, objects) = ingested(pool).await;
    let copy = Written {
        key: objects[2].key.replace("-8000-0", "-8000-1"),
        body: objects[2].body.clone(),
    };
    assert_ne!(copy.key, objects[2].key);
    put(&pipeline, std::slice::from_ref(&copy)).await;
    verify(&pipeline, &[], 1, &["object inserted", &copy.key]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_batch_without_a_header_is_named_once_there_is_a_chain(pool: MySqlPool) {
    let (pipeline, _) = ingested(pool).await;
    let key = |time: &str| {
        let unique = Uuid::from_u128(9);
        ObjectKey::batch("transactions/", at(time), unique, "000000b1").to_string()
    };
    let early = key("2026-11-22T07:00:00Z");
    put(
        &pipeline,
        &[Written {
            key: early,
            body: lines(&["early"]),
        }],
    )
    .await;
    let said = pipeline.payctl(&VERIFY).await;
    said.check(0, &[]);
    assert_eq!(said.count("batches before the chain"), 1);
    let late = key("2026-11-22T07:40:00Z");
    put(
        &pipeline,
        &[Written {
            key: late.clone(),
            body: lines(&["late"]),
        }],
    )
    .await;
    verify(&pipeline, &[], 1, &["without a chain", &late]).await;
    verify(&pipeline, &["--chain-from", "2026-11-22T08:00:00Z"], 0, &[]).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_the_ledger_vouches_for_the_object(pool: MySqlPool) {
    let (pipeline, objects) = ingested(pool).await;
    let entry = format!("WHERE object_key = '{}'", objects[0].key);
    for (set, back) in [
        ("sha256 = UNHEX(REPEAT('ab', 32))", ""),
        ("seq = seq + 7", "seq = seq - 7"),
        ("sha256 = NULL, run = NULL, seq = NULL", ""),
    ] {
        pipeline
            .admin(&format!("UPDATE ingested_objects SET {set} {entry}"))
            .await;
        verify(&pipeline, &[], 1, &["ledger differs", &objects[0].key]).await;
        if !back.is_empty() {
            pipeline
                .admin(&format!("UPDATE ingested_objects SET {back} {entry}"))
                .await;
        }
    }
}
