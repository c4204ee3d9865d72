//! Whole objects, drawn at random, come to the same in the model and in MySQL.

use payment_core::PaymentKey;
use payment_store::{Found, Store};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sim::database::REFUSED;
use sqlx::MySqlPool;

use super::suite::{lines, object};

const ROUNDS: u64 = 60;

/// Few ids and contents, so that they meet.
fn body(rng: &mut StdRng) -> String {
    let (id, version) = (rng.random_range(0..30), rng.random_range(0..3));
    match rng.random_range(0..12) {
        0 => "?".to_owned(),
        1 => format!(r#"{{"id":"p{id}","transaction":"{REFUSED}","v{version}":0}}"#),
        2 => format!(r#"{{"id":"p{id}","status":"failed"}}"#),
        _ => format!(r#"{{"id":"p{id}","amount":"{version}.5"}}"#).replace("0.5", "7"),
    }
}

fn comparable(found: Option<Found>) -> Option<Found> {
    found.map(|found| Found {
        recorded_at: found.received_at,
        ..found
    })
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_p4_objects_drawn_at_random_come_to_the_same(pool: MySqlPool) {
    let (model, mysql) = (
        Store::over(super::model()),
        Store::over(super::mysql(&pool).await),
    );
    let mut rng = StdRng::seed_from_u64(1);
    for _ in 0..ROUNDS {
        let object = object(&format!("o{}", rng.random_range(0..40)));
        let bodies: Vec<_> = (0..rng.random_range(0..12))
            .map(|_| body(&mut rng))
            .collect();
        let lines = lines(&bodies);
        let ours = model.ingest_object(&object, &lines).await.unwrap();
        let theirs = mysql.ingest_object(&object, &lines).await.unwrap();
        assert_eq!(ours, theirs, "{}: {bodies:#?}", object.key);
    }
    for id in 0..30 {
        let id = PaymentKey::from_stored(&format!("p{id}"), "").unwrap();
        let ours = comparable(model.find(&id).await.unwrap());
        assert_eq!(ours, comparable(mysql.find(&id).await.unwrap()), "{id}");
    }
}
