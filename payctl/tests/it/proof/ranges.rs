//! P11: what is named by a range, of which the rest of the journal is not seen.

use payment_core::ObjectKey;
use sqlx::MySqlPool;
use uuid::Uuid;

use super::{Tier, VERIFY, Written, at, erase, ingested, put, verify};
use crate::harness::{Pipeline, lines};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_whole_chain_is_clean_in_any_range(pool: MySqlPool) {
    let (pipeline, _) = ingested(pool).await;
    let said = pipeline.payctl(&VERIFY).await;
    said.check(0, &["chained since 2026-11-22T07:30:01"]);
    assert_eq!(said.count("runs without an end"), 0);
    for args in [
        ["--from", "2026-11-22", "--to", "2026-11-22"],
        [
            "--from",
            "2026-11-22T07:30:02Z",
            "--to",
            "2026-11-22T07:30:03Z",
        ],
    ] {
        verify(&pipeline, &args, 0, &[]).await;
    }
}

/// The range does not hold the end.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_an_object_behind_an_end_is_named_in_a_range_of_its_own(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let mut tier = Tier::new(0xa1, "2026-11-22T07:30:00Z");
    let ended = [
        tier.write("2026-11-22T07:30:01Z", &["a1"]),
        tier.write("2026-11-22T07:30:02Z", &[]),
    ];
    let mut goes_on = Tier::new(0xa2, "2026-11-22T07:30:00Z");
    let begun = [goes_on.write("2026-11-22T07:30:01Z", &["b1"])];
    let forged = tier.write("2026-11-22T09:30:00Z", &["f1"]);
    let later = goes_on.write("2026-11-22T09:30:00Z", &["b2"]);
    put(&pipeline, &ended).await;
    put(&pipeline, &begun).await;
    put(&pipeline, &[later]).await;
    let range = ["--from", "2026-11-22T09:00:00Z"];
    verify(&pipeline, &range, 0, &[]).await;
    put(&pipeline, std::slice::from_ref(&forged)).await;
    let named = ["its run ended with", &forged.key];
    verify(&pipeline, &range, 1, &named).await;
    verify(&pipeline, &[], 1, &named).await;
}

/// The header that names it lies in the hour after, and each hour is verified by itself.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_what_was_done_before_a_pause_is_named_by_the_range_behind_it(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let mut tier = Tier::new(0xa1, "2026-11-22T07:30:00Z");
    let before = [
        tier.write("2026-11-22T07:30:01Z", &["a1"]),
        tier.write("2026-11-22T07:30:02Z", &["a2"]),
    ];
    let after = [
        tier.write("2026-11-22T08:30:00Z", &["a3"]),
        tier.write("2026-11-22T08:30:01Z", &["a4"]),
    ];
    put(&pipeline, &before).await;
    put(&pipeline, &after).await;
    let hour = [
        "--from",
        "2026-11-22T08:00:00Z",
        "--to",
        "2026-11-22T08:59:00Z",
    ];
    verify(&pipeline, &hour, 0, &[]).await;

    for object in &before {
        erase(&pipeline, object).await;
    }
    let missing = ["object missing", &before[1].key, "names it as stored"];
    verify(&pipeline, &hour, 1, &missing).await;
    put(&pipeline, &before[1..]).await;
    verify(&pipeline, &hour, 0, &[]).await;
    verify(&pipeline, &[], 1, &["object missing", &before[0].key]).await;
    put(&pipeline, &before[..1]).await;

    // The number that the object behind the pause has.
    let mut forger = Tier::new(0xa1, "2026-11-22T07:30:00Z");
    forger.write("2026-11-22T07:30:01Z", &["a1"]);
    forger.write("2026-11-22T07:30:02Z", &["a2"]);
    let forged = forger.write("2026-11-22T07:30:03Z", &["f1"]);
    put(&pipeline, std::slice::from_ref(&forged)).await;
    let inserted = [
        "object inserted",
        &forged.key,
        &after[1].key,
        "which of the two no tier wrote",
    ];
    verify(&pipeline, &hour, 1, &inserted).await;
}

/// Whoever may write into the bucket takes numbers that the run had, or will have, in other hours.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_number_of_another_hour_is_named(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let began = "2026-11-22T07:30:00Z";
    let mut tier = Tier::new(0xa1, began);
    for hour in ["07", "08"] {
        let time = |second: u8| format!("2026-11-22T{hour}:30:{second:02}Z");
        let objects: Vec<_> = (0..4)
            .map(|number| tier.write(&time(number), &[&format!("a{hour}{number}")]))
            .collect();
        put(&pipeline, &objects).await;
    }
    let hours = [
        [
            "--from",
            "2026-11-22T07:00:00Z",
            "--to",
            "2026-11-22T08:00:00Z",
        ],
        [
            "--from",
            "2026-11-22T08:00:00Z",
            "--to",
            "2026-11-22T09:00:00Z",
        ],
        [
            "--from",
            "2026-11-22T09:00:00Z",
            "--to",
            "2026-11-22T10:00:00Z",
        ],
    ];
    let forge = |number: usize, time: &str, ids: &[&str]| {
        let mut forger = Tier::new(0xa1, began);
        for before in 0..number {
            forger.write(began, &[&format!("before{before}")]);
        }
        forger.write(time, ids)
    };
    // A number of the hour before, in an hour with the run and in one without; a number to come, behind a higher one; and
    // an end, before and behind the run's own objects.
    let (early, late) = ("2026-11-22T07:40:00Z", "2026-11-22T09:30:00Z");
    let decoy = forge(500, "2026-11-22T07:41:00Z", &["decoy"]);
    for (forged, beside) in [
        (forge(1, "2026-11-22T08:40:00Z", &["f1"]), None),
        (forge(1, late, &["f2"]), None),
        (forge(4, early, &["f3"]), Some(&decoy)),
        (forge(4, early, &[]), None),
        (forge(1, late, &[]), None),
    ] {
        let both: Vec<_> = std::iter::once(&forged).chain(beside).collect();
        for object in &both {
            pipeline.put(&object.key, &object.body).await;
        }
        pipeline.payctl(&["replay"]).await.check(0, &[]);
        let mut said = String::new();
        for hour in hours {
            let args = [&VERIFY[..], &hour].concat();
            said += &pipeline.payctl(&args).await.out;
        }
        let named = format!("object inserted      {}", forged.key);
        assert!(said.contains(&named), "{} is not in {said}", forged.key);
        verify(&pipeline, &[], 1, &[&named]).await;
        for object in both {
            erase(&pipeline, object).await;
        }
        for hour in hours.iter().take(2) {
            verify(&pipeline, hour, 0, &[]).await;
        }
    }
}

/// What says that the number failed lies before the range.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_number_that_failed_before_the_range_is_not_clean(pool: MySqlPool) {
    let pipeline = Pipeline::start(pool).await;
    let mut tier = Tier::new(0xa1, "2026-11-22T07:30:00Z");
    let first = tier.write("2026-11-22T07:30:01Z", &["a1"]);
    tier.fail("2026-11-22T07:30:02Z");
    let before = [
        first,
        tier.write("2026-11-22T07:30:03Z", &["a2"]),
        tier.write("2026-11-22T07:30:04Z", &["a5"]),
    ];
    let after = [
        tier.write("2026-11-22T08:30:00Z", &["a3"]),
        tier.write("2026-11-22T08:30:01Z", &["a4"]),
    ];
    put(&pipeline, &before).await;
    put(&pipeline, &after).await;
    let hour = [
        "--from",
        "2026-11-22T08:00:00Z",
        "--to",
        "2026-11-22T09:00:00Z",
    ];
    verify(&pipeline, &hour, 0, &[]).await;
    let mut forger = Tier::new(0xa1, "2026-11-22T07:30:00Z");
    forger.write("2026-11-22T07:30:01Z", &["a1"]);
    let forged = forger.write("2026-11-22T08:40:00Z", &["f1"]);
    put(&pipeline, std::slice::from_ref(&forged)).await;
    let passed = [
        "unproven",
        &forged.key,
        "had come to number 3 before the range",
    ];
    verify(&pipeline, &hour, 2, &passed).await;
    let named = ["object inserted", &forged.key];
    verify(&pipeline, &[], 1, &named).await;
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_a_batch_without_a_header_is_named_in_a_range_behind_the_first(pool: MySqlPool) {
    let (pipeline, _) = ingested(pool).await;
    let unique = Uuid::from_u128(9);
    let key = |time: &str| {
        let key = ObjectKey::batch("transactions/", at(time), unique, "000000b1");
        key.to_string()
    };
    let late = Written {
        key: key("2026-11-22T09:00:00Z"),
        body: lines(&["late"]),
    };
    put(&pipeline, std::slice::from_ref(&late)).await;
    let range = ["--from", "2026-11-22T09:00:00Z"];
    let named = ["without a chain", &late.key];
    verify(&pipeline, &range, 1, &named).await;
    let from = [&range[..], &["--chain-from", "2026-11-23"]].concat();
    verify(&pipeline, &from, 0, &[]).await;
    // An older function left no place in the ledger.
    pipeline
        .run_sql("UPDATE ingested_objects SET sha256 = NULL, run = NULL, seq = NULL")
        .await;
    verify(&pipeline, &range, 1, &named).await;
}

/// An older function rejected headers, and kept no hash. A newer one was at work before.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p11_an_entry_of_an_older_function_behind_those_of_a_newer_one_is_not_clean(
    pool: MySqlPool,
) {
    let pipeline = Pipeline::start(pool).await;
    let began = "2026-11-22T07:30:00Z";
    let mut tier = Tier::new(0xa1, began);
    let mut forger = Tier::new(0xa1, began);
    let mut before = Vec::new();
    for second in ["01", "02"] {
        let time = format!("2026-11-22T07:30:{second}Z");
        before.push(tier.write(&time, &[&format!("a{second}")]));
        forger.write(&time, &[&format!("a{second}")]);
    }
    let forged = forger.write("2026-11-22T07:51:00Z", &["f1"]);
    let after = [
        tier.write("2026-11-22T08:30:00Z", &["a3"]),
        tier.write("2026-11-22T08:30:01Z", &[]),
    ];
    put(&pipeline, &before).await;
    put(&pipeline, &after).await;
    put(&pipeline, std::slice::from_ref(&forged)).await;
    let key = &forged.key;
    pipeline
        .run_sql(&format!(
            "UPDATE ingested_objects SET sha256 = NULL, run = NULL, seq = NULL, line_count = 2, reject_count = 1, \
             ingested_at = ingested_at + INTERVAL 20 MINUTE WHERE object_key = '{key}'; \
             UPDATE ingested_objects SET ingested_at = ingested_at - INTERVAL 20 MINUTE; \
             UPDATE transactions SET recorded_at = recorded_at - INTERVAL 20 MINUTE WHERE object_key <> '{key}'; \
             INSERT INTO rejects (object_key, object_etag, object_line, reason, detail, is_own) \
             SELECT object_key, object_etag, 1, 'unsupported_version', 'version', 1 FROM ingested_objects \
             WHERE object_key = '{key}'"
        ))
        .await;
    let hour = [
        "--from",
        "2026-11-22T07:40:00Z",
        "--to",
        "2026-11-22T08:00:00Z",
    ];
    verify(&pipeline, &hour, 2, &["its ledger entry has no hash", key]).await;
}
