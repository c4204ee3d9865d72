//! `payctl replay --dead-letters`, on a queue that knows `ReceiveMessage` and `DeleteMessage` (AWS JSON 1.0) alone.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use sqlx::MySqlPool;
use tokio::net::TcpListener;

use crate::harness::{HOUR, Pipeline, event, lines};

/// Messages with whether they were given out: then they are invisible.
type Messages = Arc<Mutex<Vec<(String, bool)>>>;

async fn queue(State(messages): State<Messages>, headers: HeaderMap, body: String) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap();
    let input: Value = serde_json::from_str(&body).unwrap();
    assert!(
        input["QueueUrl"]
            .as_str()
            .unwrap()
            .ends_with("/000000000000/dead"),
        "{input}"
    );
    let mut messages = messages.lock().unwrap();
    match target {
        "AmazonSQS.ReceiveMessage" => {
            let visible = messages
                .iter_mut()
                .filter(|(_, is_given)| !is_given)
                .take(2);
            let given = visible.map(|(body, is_given)| {
                *is_given = true;
                json!({"MessageId": body.len().to_string(), "ReceiptHandle": body, "Body": body})
            });
            Json(json!({"Messages": given.collect::<Vec<_>>()})).into_response()
        }
        "AmazonSQS.DeleteMessage" => {
            messages.retain(|(body, _)| input["ReceiptHandle"] != body.as_str());
            Json(json!({})).into_response()
        }
        other => panic!("{other}"),
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_dead_letter_is_deleted_once_all_its_objects_are_ingested(pool: MySqlPool) {
    let mut pipeline = Pipeline::start(pool).await;
    let key = |name: &str| format!("{HOUR}{name}.ndjson");
    for (name, ids) in [("1", ["a"]), ("2", ["b"]), ("3", ["c"])] {
        pipeline.put(&key(name), &lines(&ids)).await;
    }
    let mut elsewhere = event(&key("3"));
    elsewhere["Records"]
        .as_array_mut()
        .unwrap()
        .push(event("x")["Records"][0].clone());
    elsewhere["Records"][1]["s3"]["bucket"]["name"] = json!("no-such-bucket");
    let bodies = [
        event(&key("1")).to_string(),
        json!({"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event(&key("2"))}).to_string(),
        event(&key("gone")).to_string(),
        "nonsense".to_owned(),
        elsewhere.to_string(),
    ];
    let messages: Messages = Arc::new(Mutex::new(
        bodies.iter().map(|body| (body.clone(), false)).collect(),
    ));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/000000000000/dead",
        listener.local_addr().unwrap()
    );
    let app = Router::new()
        .fallback(queue)
        .with_state(Arc::clone(&messages));
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    pipeline.set("DEAD_LETTER_QUEUE_URL", url);
    // As `cargo lab env` sets it: the general address is that of S3.
    pipeline.set("AWS_ENDPOINT_URL", "http://127.0.0.1:9".to_owned());

    let said = pipeline.payctl(&["replay", "--dead-letters"]).await;
    said.check(2, &["letter 8: the event is not JSON", "NoSuchBucket"]);
    assert_eq!(pipeline.rows().await, ["a", "b", "c"]);
    let left = |messages: &Messages| {
        messages
            .lock()
            .unwrap()
            .iter()
            .map(|(body, _)| body.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(left(&messages), bodies[3..]);

    messages.lock().unwrap().truncate(1);
    messages.lock().unwrap()[0].1 = false;
    let said = pipeline.payctl(&["replay", "--dead-letters"]).await;
    said.check(1, &["it stays in the queue"]);
    assert_eq!(said.count("letters left in the queue"), 1);
    server.abort();
}
