//! Objects whose event was lost.

use lambda_ingest::config::Sweep;
use lambda_ingest::handler::{Answer, Handler};
use payment_core::{ObjectKey, Timestamp};
use sqlx::MySqlPool;
use time::{Duration, OffsetDateTime};

use crate::bucket::{BUCKET, Bucket, event, line, sweep};

const SCHEDULE: &str = r#"{"detail-type":"Scheduled Event","source":"aws.events","detail":{}}"#;

async fn run(bucket: &Bucket, clock: fn() -> Timestamp, deadline: Option<Timestamp>) -> Answer {
    let handler = Handler::with_clock(bucket.objects(), bucket.store.clone(), sweep(), clock);
    handler.handle(SCHEDULE, "r", deadline).await.unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn hour() -> String {
    ObjectKey::hour_prefix("transactions/", after(Duration::ZERO))
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_the_sweep_finds_what_was_never_ingested_and_nothing_else(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let hour = hour();
    let (taken, lost) = (format!("{hour}taken.ndjson"), format!("{hour}lost.ndjson"));
    bucket.put(&taken, &line("a")).await;
    bucket.put(&lost, &line("b")).await;
    bucket.put("elsewhere/x.json", r#"{"id":"d"}"#).await;
    bucket
        .handler()
        .handle(&event(&[&taken]).to_string(), "r", None)
        .await
        .unwrap();
    let young = run(&bucket, || after(Duration::ZERO), None).await.tally;
    assert_eq!((young.swept, young.objects), (0, 0), "left to their event");
    let found = run(&bucket, || after(Duration::minutes(1)), None)
        .await
        .tally;
    assert_eq!((found.swept, found.objects, found.rows), (1, 1, 1));
    assert_eq!(bucket.rows().await, ["a", "b"]);
    let again = run(&bucket, || after(Duration::minutes(2)), None)
        .await
        .tally;
    assert_eq!((again.swept, again.objects), (0, 0));
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_keys_without_an_hour_are_swept_wherever_they_lie(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    for (key, id) in [
        ("transactions/older.json", "a"),
        ("transactions//two.json", "b"),
        ("transactions/import/2026/x.ndjson", "c"),
        ("transactions/zz.json ", "d"),
    ] {
        bucket.put(key, &line(id)).await;
    }
    let tally = run(&bucket, || after(Duration::ZERO), None).await.tally;
    assert_eq!(tally.swept, 4);
    assert_eq!(bucket.rows().await, ["a", "b", "c", "d"]);
    let again = run(&bucket, || after(Duration::ZERO), None).await.tally;
    assert_eq!((again.swept, again.failed_objects), (0, 0));
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_hour_is_swept_once_more_after_it_closed_however_late(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    run(&bucket, || at("2030-01-01T07:50:00Z"), None).await;
    // By the clock of its node this was written long before the last run.
    let old = ObjectKey::batches_from("transactions/", at("2030-01-01T07:20:00Z"));
    bucket.put(&format!("{old}late.ndjson"), &line("a")).await;
    run(&bucket, || at("2030-01-01T08:05:00Z"), None).await;
    assert_eq!(bucket.rows().await, [""; 0], "the hour is still open");
    run(&bucket, || at("2030-01-10T08:00:00Z"), None).await;
    assert_eq!(bucket.rows().await, ["a"]);
}

/// After a long outage there may be more than one run can do: it ends in order, with nothing half done.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_sweep_that_runs_out_of_time_ends_in_order_and_the_next_goes_on(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    bucket
        .put(&format!("{}lost.ndjson", hour()), &line("c"))
        .await;
    let later = || after(Duration::minutes(1));
    let answer = run(&bucket, later, Some(after(Duration::seconds(64)))).await;
    assert_eq!((answer.tally.swept, answer.tally.rows), (0, 0));
    let answer = run(&bucket, later, Some(after(Duration::minutes(3)))).await;
    assert_eq!((answer.tally.swept, answer.tally.rows), (1, 1));
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_poison_object_before_a_lost_one_holds_up_nothing(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let large = format!("{{\"id\":\"x\",\"y\":[{}0]}}\n", "0,".repeat(600_000));
    let objects = [
        ("a-large-line.ndjson", large + &line("a")),
        ("b-too-many.ndjson", "{}\n".repeat(100_001)),
        ("c-lost.ndjson", line("c")),
    ];
    for (name, body) in &objects {
        bucket.put(&format!("{}{name}", hour()), body).await;
    }
    let later = || after(Duration::minutes(1));
    let first = run(&bucket, later, None).await.tally;
    assert_eq!((first.swept, first.failed_objects), (3, 0));
    assert_eq!(bucket.rows().await, ["a", "c"]);
    assert_eq!(bucket.rejects().await, ["too_large", "too_large"]);
    let again = run(&bucket, later, None).await.tally;
    assert_eq!(again.objects, 0, "each is told once");
}

/// S3 takes longer keys than the tables: such an object is refused by name, at the first run alone.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_key_too_long_to_record_is_rejected_once(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let long = "long/".repeat(180);
    for key in [
        format!("transactions/{long}.json"),
        format!("{}{long}.ndjson", hour()),
        format!("{}z-lost.ndjson", hour()),
    ] {
        bucket.put(&key, &line("a")).await;
    }
    let later = || after(Duration::minutes(1));
    let first = run(&bucket, later, None).await.tally;
    assert_eq!((first.swept, first.failed_objects), (3, 0));
    assert_eq!(bucket.rows().await, ["a"]);
    assert_eq!(bucket.rejects().await, ["key_too_long", "key_too_long"]);
    for _ in 0..2 {
        let again = run(&bucket, later, None).await.tally;
        assert_eq!((again.objects, again.failed_objects), (0, 0));
    }
}

/// XML can't write every key that S3 takes.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_key_with_a_control_character_stops_no_sweep(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    for (name, id) in [("odd\u{1} +%\u{1F4B6}", "a"), ("z-lost", "b")] {
        bucket
            .put(&format!("{}{name}.ndjson", hour()), &line(id))
            .await;
    }
    let later = || after(Duration::minutes(1));
    run(&bucket, later, None).await;
    assert_eq!(bucket.rows().await, ["a", "b"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_each_journal_has_its_own_progress(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let later = || after(Duration::minutes(1));
    run(&bucket, later, None).await;
    bucket.put("cases/export 2026-11.json ", &line("a")).await;
    let other = Sweep {
        bucket: Some(BUCKET.to_owned()),
        prefix: "cases/".to_owned(),
        hours: 24,
    };
    let handler = Handler::with_clock(bucket.objects(), bucket.store.clone(), other, later);
    let tally = handler.handle(SCHEDULE, "r", None).await.unwrap().tally;
    assert_eq!((tally.swept, tally.rows), (1, 1));
}

fn after(time: Duration) -> Timestamp {
    Timestamp::new(OffsetDateTime::now_utc() + time)
}
