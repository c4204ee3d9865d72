//! P11 in the ledger: each object's hash, and where it stands in the chain.

use payment_core::RejectedLine;
use payment_core::chain::{ObjectHash, Position, RunId};
use payment_core::object::Unreadable;
use payment_store::{Error, Fingerprint, Part, Parts, migrate};
use sqlx::{AssertSqlSafe, MySqlPool};

use crate::harness::{
    admin, counts, database, ingests_only_after_the_migrations_behind, key, migrations_until,
    object, store,
};

const RUN: &str = "019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4";

/// An object without lines, and what the ledger is to keep of it.
struct Object {
    is_refused: bool,
    fingerprint: Fingerprint,
}

impl Parts for Object {
    type Error = Error;

    async fn next(&mut self) -> Result<Part, Error> {
        if self.is_refused {
            let why = RejectedLine::whole_object(&key("x"), Unreadable::NotText);
            return Ok(Part::Refused(why));
        }
        Ok(Part::End)
    }

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    async fn rewind(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

fn position(seq: u64) -> Option<Position> {
    let run = RunId::parse(RUN)?;
    Some(Position { run, seq })
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_the_ledger_keeps_an_objects_hash_and_place(pool: MySqlPool) {
    let store = store(&pool);
    let sha256 = Some(ObjectHash::of(b"a body"));
    for (name, is_refused, fingerprint) in [
        (
            "chained",
            false,
            Fingerprint {
                sha256,
                position: position(0),
            },
        ),
        (
            "last",
            false,
            Fingerprint {
                sha256,
                position: position(u64::MAX),
            },
        ),
        (
            "foreign",
            false,
            Fingerprint {
                sha256,
                position: None,
            },
        ),
        (
            "refused",
            true,
            Fingerprint {
                sha256,
                position: None,
            },
        ),
        ("unread", true, Fingerprint::default()),
    ] {
        let mut parts = Object {
            is_refused,
            fingerprint,
        };
        let version = object(name);
        store.ingest_parts(&version, &mut parts).await.unwrap();
        let entry = store.ledger_entry(&version).await.unwrap().unwrap();
        assert_eq!(entry.fingerprint, Some(fingerprint), "{name}");
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_fingerprint_that_no_function_writes_is_none_and_stops_no_page(pool: MySqlPool) {
    let store = store(&pool);
    let version = object("x");
    store.ingest_object(&version, &[]).await.unwrap();
    let run = format!("run = '{RUN}'");
    for change in [
        format!("{run}, seq = NULL"),
        "run = NULL, seq = 1".to_owned(),
        "run = 'a-run', seq = 1".to_owned(),
        format!("run = '{}', seq = 1", RUN.to_uppercase()),
    ] {
        admin(&pool, &format!("UPDATE ingested_objects SET {change}")).await;
        let entry = store.ledger_entry(&version).await.unwrap().unwrap();
        assert_eq!(entry.fingerprint, None, "{change}");
    }
    admin(
        &pool,
        &format!("UPDATE ingested_objects SET {run}, seq = 1"),
    )
    .await;
    let entry = store.ledger_entry(&version).await.unwrap().unwrap();
    let fingerprint = entry.fingerprint.unwrap();
    assert_eq!(
        (fingerprint.sha256, fingerprint.position),
        (None, position(1))
    );
}

/// The last migration before the chain.
const BEFORE_CHAIN: i64 = 18;

/// What the function of that version wrote.
async fn insert_as_before(pool: &MySqlPool, key: &str) -> Result<(), sqlx::Error> {
    let sql = format!(
        "INSERT INTO ingested_objects (object_key, object_etag, line_count, row_count, duplicate_count, conflict_count, \
         reject_count) VALUES ('{key}', '1', 0, 0, 0, 0, 0)"
    );
    let inserted = sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await;
    inserted.map(drop)
}

#[sqlx::test(migrations = false)]
async fn p2_a_newer_function_ingests_nothing_before_the_ledger_has_hashes(pool: MySqlPool) {
    ingests_only_after_the_migrations_behind(BEFORE_CHAIN, pool).await;
}

/// And an older function goes on after it.
#[sqlx::test(migrations = false)]
async fn p2_the_migration_to_the_chain_runs_while_objects_are_ingested(pool: MySqlPool) {
    migrations_until(BEFORE_CHAIN).run(&pool).await.unwrap();
    let (sent, mut seen) = tokio::sync::watch::channel(0_u32);
    let inserting = {
        let pool = pool.clone();
        tokio::spawn(async move {
            while !sent.is_closed() {
                let number = *sent.borrow();
                insert_as_before(&pool, &number.to_string()).await.unwrap();
                sent.send_replace(number + 1);
            }
            *sent.borrow()
        })
    };
    seen.wait_for(|number| *number >= 200).await.unwrap();
    migrate(&database(&pool)).await.unwrap();
    let migrated_at = *seen.borrow();
    let more = seen.wait_for(|number| *number >= migrated_at + 200);
    drop(more.await.unwrap());
    drop(seen);
    let inserts = inserting.await.unwrap();
    assert_eq!(counts(&pool).await[3], i64::from(inserts));
}
