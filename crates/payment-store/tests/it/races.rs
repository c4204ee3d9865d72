//! P2 and P4 where several ingesters are at work at once, each with a connection of its own.

use std::collections::HashSet;

use payment_core::ObjectVersion;
use payment_core::record::Line;
use payment_store::{Outcome, Store};
use rand::seq::SliceRandom as _;
use sqlx::MySqlPool;
use tokio::task::JoinSet;

use crate::harness::{admin, counts, database, lines, object, payment};

/// Starts all at once; gives the outcomes.
async fn ingest_at_once(
    pool: &MySqlPool,
    objects: Vec<(ObjectVersion, Vec<Line>)>,
) -> Vec<Outcome> {
    let mut tasks = JoinSet::new();
    for (object, lines) in objects {
        let store = Store::new(database(pool).pool(1));
        tasks.spawn(async move { store.ingest_object(&object, &lines).await });
    }
    tasks
        .join_all()
        .await
        .into_iter()
        .map(|result| result.unwrap())
        .collect()
}

fn shuffled(mut bodies: Vec<String>) -> Vec<Line> {
    bodies.shuffle(&mut rand::rng());
    lines(&bodies)
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_many_ingesters_of_one_object_take_it_once(pool: MySqlPool) {
    let bodies: Vec<_> = (0..700)
        .map(|n| format!(r#"{{"id":"p{}","x":{}}}"#, n % 600, n % 650))
        .collect();
    let mut lines = lines(&bodies);
    lines.extend(
        crate::harness::lines(&["?"])
            .into_iter()
            .map(|(_, result)| (701, result)),
    );
    let outcomes = ingest_at_once(&pool, vec![(object("x"), lines); 12]).await;

    let took: Vec<_> = outcomes.iter().filter(|outcome| !outcome.already).collect();
    assert_eq!(took.len(), 1);
    for outcome in &outcomes {
        assert_eq!(
            Outcome {
                already: false,
                ..*outcome
            },
            *took[0]
        );
    }
    let counted = [took[0].rows, took[0].conflicts, took[0].rejects, 1].map(i64::from);
    assert_eq!(counts(&pool).await, counted);
    assert_eq!((took[0].rows, took[0].rejects), (600, 1));
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_ingesters_of_overlapping_objects_make_one_row_an_id(pool: MySqlPool) {
    for round in 0..4 {
        let body = |n: usize| format!(r#"{{"id":"p{round}-{n}","amount":"{n}.10"}}"#);
        let objects = (0..16)
            .map(|nth| {
                let ids =
                    (0..300).filter(|n| nth % 4 == 0 || rand::random_bool(0.5) || n % 16 == nth);
                (
                    object(&format!("{round}-{nth}")),
                    shuffled(ids.map(body).collect()),
                )
            })
            .collect();
        let outcomes = ingest_at_once(&pool, objects).await;
        let sum = |count: fn(&Outcome) -> u32| outcomes.iter().map(count).sum::<u32>();
        assert_eq!(sum(|o| o.rows), 300);
        assert_eq!(sum(|o| o.rows + o.duplicates), sum(|o| o.lines));
        assert_eq!(
            counts(&pool).await,
            [300 * (round + 1), 0, 0, 16 * (round + 1)]
        );
    }
}

/// Each id comes with two contents, many times each: one is the row, every line with the other is a conflict.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p4_where_contents_race_for_an_id_one_is_the_row_and_the_other_conflicts(pool: MySqlPool) {
    let objects: Vec<_> = (0..12)
        .map(|nth| {
            let body = |n: usize| format!(r#"{{"id":"p{n}","version":{}}}"#, (n + nth) % 2);
            (
                object(&nth.to_string()),
                shuffled((0..200).map(body).collect()),
            )
        })
        .collect();
    let twice: Vec<_> = objects.iter().chain(&objects).cloned().collect();
    let outcomes = ingest_at_once(&pool, twice).await;

    let took: Vec<_> = outcomes.iter().filter(|outcome| !outcome.already).collect();
    let sum = |count: fn(&Outcome) -> u32| took.iter().map(|outcome| count(outcome)).sum::<u32>();
    assert_eq!(
        (
            took.len(),
            sum(|o| o.rows),
            sum(|o| o.duplicates),
            sum(|o| o.conflicts)
        ),
        (12, 200, 1000, 1200)
    );
    assert_eq!(counts(&pool).await, [200, 1200, 0, 12]);
    let store = Store::new(database(&pool).pool(1));
    let mut versions = HashSet::new();
    for n in 0..200 {
        let found = store
            .find(&payment(&format!("p{n}"), ""))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.conflicts, 6, "p{n}");
        versions.insert(found.extra);
    }
    assert!(versions.is_subset(&HashSet::from([
        r#"{"version":0}"#.to_owned(),
        r#"{"version":1}"#.to_owned()
    ])));
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_the_schema_may_grow_while_objects_are_ingested(pool: MySqlPool) {
    const OBJECTS: u32 = 200;
    let store = Store::new(database(&pool).pool(1));
    let (ingested, mut seen) = tokio::sync::watch::channel(0);
    let ingesting = tokio::spawn(async move {
        for n in 0..OBJECTS {
            let bodies: Vec<_> = (0..20).map(|m| format!(r#"{{"id":"p{n}-{m}"}}"#)).collect();
            let name = format!("o{n}");
            store
                .ingest_object(&object(&name), &lines(&bodies))
                .await
                .unwrap();
            ingested.send_replace(n + 1);
        }
    });
    // Each change comes between two objects at work, or in the middle of one.
    for (after, table) in [
        (20, "transactions"),
        (50, "ingested_objects"),
        (80, "conflicts"),
    ] {
        seen.wait_for(|done| *done >= after).await.unwrap();
        admin(
            &pool,
            &format!("ALTER TABLE {table} ADD COLUMN later VARCHAR(10) NULL INVISIBLE"),
        )
        .await;
    }
    ingesting.await.unwrap();
    let rows = i64::from(OBJECTS) * 20;
    assert_eq!(counts(&pool).await, [rows, 0, 0, i64::from(OBJECTS)]);
}
