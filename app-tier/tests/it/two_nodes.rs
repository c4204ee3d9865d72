//! Two app tiers over one bucket and one database.

use payment_core::{ObjectKey, record};
use payment_store::{Database, Store};
use serde_json::Value;
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlPool, Row as _};

use crate::http::{Tier, stored, url, written_at};
use crate::scripted_journal::Asked;

const FIRST: &str = r#"{"id":"a","amount":1}"#;
const OTHER: &str = r#"{"id":"a","amount":2}"#;

/// The node takes the payment, which is not a row yet.
async fn taken(node: &mut Tier, body: &str) -> (Asked, Value) {
    let answer = node.post(body.to_owned());
    let put = node.puts.recv().await.unwrap();
    let object = put.copy();
    put.confirm();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status().as_u16(), 202);
    (object, answer.json().await.unwrap())
}

/// What a repeat is told.
async fn repeated(node: &Tier, body: &str) -> (u16, Value) {
    let answer = node.post(body.to_owned()).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn ingest(store: &Store, object: &Asked) {
    let lines: Vec<_> = record::read_object(&object.key, &object.body, written_at()).collect();
    store
        .ingest_object(&stored(object.key.clone()), &lines)
        .await
        .unwrap();
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p4_once_the_row_exists_every_node_says_the_same(pool: MySqlPool) {
    let url = url(&pool);
    let store = Store::new(Database::parse(&url, None).unwrap().pool(1));
    let mut nodes = [Tier::start(Some(&url)).await, Tier::start(Some(&url)).await];
    let (winner, receipt) = taken(&mut nodes[0], FIRST).await;
    let (loser, _) = taken(&mut nodes[1], OTHER).await;
    for (node, body) in [(0, FIRST), (1, OTHER)] {
        assert_eq!(
            repeated(&nodes[node], body).await.0,
            200,
            "no row is there to say more"
        );
    }

    ingest(&store, &winner).await;
    ingest(&store, &loser).await;
    for node in &nodes {
        assert_eq!(repeated(node, FIRST).await, (200, receipt.clone()));
        let (status, problem) = repeated(node, OTHER).await;
        assert_eq!(
            (status, &problem["code"]),
            (409, &Value::from("id_conflict"))
        );
    }
}

/// The client asks the other node for the Location of its 202.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p4_the_other_node_waits_for_the_row_of_a_fresh_payment(pool: MySqlPool) {
    let url = url(&pool);
    let store = Store::new(Database::parse(&url, None).unwrap().pool(1));
    let other = Tier::start(Some(&url)).await;
    let asking = other.get("a");
    tokio::pin!(asking);
    tokio::select! {
        early = &mut asking => panic!("it did not wait: {early:?}"),
        () = has_looked(&pool) => {}
    }
    let key = ObjectKey::parse("transactions/a.ndjson").unwrap();
    let lines: Vec<_> = record::read_object(&key, FIRST.as_bytes(), written_at()).collect();
    store.ingest_object(&stored(key), &lines).await.unwrap();
    let (status, seen) = asking.await;
    assert_eq!((status, &seen["state"]), (200, &Value::from("recorded")));
}

/// Returns once somebody else has a connection to the test's database, and waits on it for nothing.
async fn has_looked(pool: &MySqlPool) {
    let schema = pool.connect_options().get_database().map(str::to_owned);
    let waits = |connection: &MySqlRow| {
        let command: String = connection.get("Command");
        command == "Sleep" && connection.get::<Option<String>, _>("db") == schema
    };
    loop {
        // A SELECT from the same list fails on MySQL while a statement in it holds bytes that are no text.
        let connections = sqlx::raw_sql("SHOW PROCESSLIST").fetch_all(pool);
        if connections.await.unwrap().iter().any(waits) {
            return;
        }
        tokio::task::yield_now().await;
    }
}
