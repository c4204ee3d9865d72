//! What an event does, and what the caller is told.

use lambda_ingest::handler::HandlerError;
use payment_core::Timestamp;
use serde_json::json;
use sqlx::MySqlPool;

use crate::bucket::{Bucket, event, line};

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_event_makes_rows_once_however_often_it_comes(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    bucket
        .put("transactions/x.ndjson", &(line("a") + &line("b")))
        .await;
    bucket
        .put("transactions/y z.ndjson", &(line("b") + &line("c")))
        .await;
    let (handler, event) = (
        bucket.handler(),
        event(&["transactions/x.ndjson", "transactions/y+z.ndjson"]),
    );
    let first = handler
        .handle(&event.to_string(), "r1", None)
        .await
        .unwrap()
        .tally;
    assert_eq!(
        (
            first.objects,
            first.rows,
            first.duplicates,
            first.cold_start
        ),
        (2, 3, 1, true)
    );
    let again = handler
        .handle(&event.to_string(), "r2", None)
        .await
        .unwrap()
        .tally;
    assert_eq!(
        (again.rows, again.duplicates, again.cold_start),
        (0, 0, false)
    );
    assert_eq!(bucket.rows().await, ["a", "b", "c"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn a_bad_line_is_a_reject_and_stops_nothing(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let card = r#"{"id":"d","payer_name":"4111111111111111"}"#;
    let body = format!("{}nonsense\n{card}\n{}", line("a"), line("b"));
    bucket.put("transactions/x.ndjson", &body).await;
    let tally = bucket
        .handler()
        .handle(&event(&["transactions/x.ndjson"]).to_string(), "r", None)
        .await
        .unwrap()
        .tally;
    assert_eq!((tally.rows, tally.rejects), (2, 2));
    assert_eq!(bucket.rejects().await, ["not_json", "card_number"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn objects_of_older_systems_become_rows(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let body = r#"{"id": "tx_1747539198353", "amount": 100.0, "status": "processed"}"#;
    bucket.put("transactions/tx_1747539198353.json", body).await;
    let event = event(&["transactions/tx_1747539198353.json"]);
    bucket
        .handler()
        .handle(&event.to_string(), "r", None)
        .await
        .unwrap();
    assert_eq!(bucket.rows().await, ["tx_1747539198353"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn an_object_that_is_gone_is_no_error_and_one_that_fails_is(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    bucket.put("transactions/x.ndjson", &line("a")).await;
    let gone = event(&["transactions/gone.ndjson", "transactions/x.ndjson"]);
    assert_eq!(
        bucket
            .handler()
            .handle(&gone.to_string(), "r", None)
            .await
            .unwrap()
            .tally
            .rows,
        1
    );

    bucket.put("transactions/y.ndjson", &line("b")).await;
    let mut elsewhere = event(&["transactions/x.ndjson", "transactions/y.ndjson"]);
    elsewhere["Records"][0]["s3"]["bucket"]["name"] = json!("no-such-bucket");
    elsewhere["Records"][0]["s3"]["object"]["key"] = json!("transactions/new.ndjson");
    let error = bucket
        .handler()
        .handle(&elsewhere.to_string(), "r", None)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            HandlerError::NotIngested {
                failed: 1,
                left: 0,
                objects: 2
            }
        ),
        "{error}"
    );
    assert_eq!(
        bucket.rows().await,
        ["a", "b"],
        "the other object is taken all the same"
    );
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_record_that_can_not_be_read_stops_no_good_one(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let mut bodies = Vec::new();
    for (name, member, odd) in [
        ("a", "eventName", "ObjectCreate:Put"),
        ("b", "eventVersion", "3.0"),
        ("c", "eventSource", "aws:kinesis"),
    ] {
        let key = format!("transactions/{name}.ndjson");
        bucket.put(&key, &line(name)).await;
        let mut event = event(&["transactions/other.ndjson", &key]);
        event["Records"][0][member] = json!(odd);
        bodies.push(event.to_string());
    }
    let error = bucket.handler().handle(&bodies[0], "r", None).await;
    assert!(matches!(error, Err(HandlerError::Event(_))), "{error:?}");
    assert_eq!(bucket.rows().await, ["a"]);
    let message = |body: &String| json!({"messageId": "m", "eventSource": "aws:sqs", "body": body});
    let batch = json!({"Records": bodies.iter().map(message).collect::<Vec<_>>()});
    let answer = bucket.handler().handle(&batch.to_string(), "r", None).await;
    let answer = serde_json::to_value(answer.unwrap()).unwrap();
    assert_eq!(
        answer["batchItemFailures"].as_array().map(Vec::len),
        Some(3)
    );
    assert_eq!(bucket.rows().await, ["a", "b", "c"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn only_messages_that_failed_come_again(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    bucket.put("transactions/x.ndjson", &line("a")).await;
    let message =
        |id: &str, body: String| json!({"messageId": id, "eventSource": "aws:sqs", "body": body});
    let event = json!({"Records": [
        message("good", event(&["transactions/x.ndjson"]).to_string()),
        message("bad", "nonsense".to_owned()),
        message("test", json!({"Event": "s3:TestEvent"}).to_string()),
    ]});
    let answer = bucket
        .handler()
        .handle(&event.to_string(), "r", None)
        .await
        .unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(
        answer["batchItemFailures"],
        json!([{"itemIdentifier": "bad"}])
    );
    assert_eq!(bucket.rows().await, ["a"]);
}

/// Its event comes under the key of before.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_corrected_object_is_ingested_again(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let handler = bucket.handler();
    let event = event(&["transactions/x.ndjson"]).to_string();
    let wrong = r#"{"id":"a","amount":"12,00"}"#;
    bucket
        .put("transactions/x.ndjson", &format!("{wrong}\n{}", line("b")))
        .await;
    handler.handle(&event, "r1", None).await.unwrap();
    assert_eq!(bucket.rows().await, ["b"]);

    bucket
        .put("transactions/x.ndjson", &(line("a") + &line("b")))
        .await;
    for rows in [["a", "b"]; 2] {
        handler.handle(&event, "r2", None).await.unwrap();
        assert_eq!(bucket.rows().await, rows);
    }
    assert_eq!(bucket.rejects().await, ["invalid_member"]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_what_there_is_no_time_for_is_reported_and_left(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    bucket.put("transactions/x.ndjson", &line("a")).await;
    let event = event(&["transactions/x.ndjson", "transactions/x.ndjson"]);
    let message =
        |id: &str| json!({"messageId": id, "eventSource": "aws:sqs", "body": event.to_string()});
    let batch = json!({"Records": [message("one"), message("two")]}).to_string();
    let handler = bucket.handler();
    let passed = Some(Timestamp::EPOCH);
    let answer = handler.handle(&batch, "r", passed).await.unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(
        answer["batchItemFailures"],
        json!([{"itemIdentifier": "one"}, {"itemIdentifier": "two"}])
    );
    let error = handler.handle(&event.to_string(), "r", passed).await;
    assert!(matches!(
        error,
        Err(HandlerError::NotIngested {
            failed: 0,
            left: 2,
            objects: 2
        })
    ));
    assert_eq!(bucket.rows().await, [""; 0]);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_object_of_many_parts_is_ingested_whole(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let ids: Vec<_> = (10_000..22_000).map(|n| n.to_string()).collect();
    let mut body: String = ids.iter().map(|id| line(id)).collect();
    body += &line("10000");
    body += "nonsense\n";
    bucket.put("transactions/large.ndjson", &body).await;
    let event = event(&["transactions/large.ndjson"]).to_string();
    let tally = bucket
        .handler()
        .handle(&event, "r", None)
        .await
        .unwrap()
        .tally;
    assert_eq!(
        (tally.rows, tally.duplicates, tally.rejects),
        (12_000, 1, 1)
    );
    assert_eq!(bucket.rows().await, ids);
    let again = bucket
        .handler()
        .handle(&event, "r", None)
        .await
        .unwrap()
        .tally;
    assert_eq!(again.repeated_objects, 1);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_an_object_refused_at_its_end_leaves_one_reject_and_no_row(pool: MySqlPool) {
    let bucket = Bucket::start(pool).await;
    let good: String = (10_000..20_000).map(|n| line(&n.to_string())).collect();
    let body = good + &"{}\n".repeat(100_000);
    bucket.put("transactions/large.ndjson", &body).await;
    let event = event(&["transactions/large.ndjson"]).to_string();
    let tally = bucket
        .handler()
        .handle(&event, "r", None)
        .await
        .unwrap()
        .tally;
    assert_eq!((tally.rows, tally.rejects), (0, 1));
    assert_eq!(bucket.rejects().await, ["too_large"]);
    assert_eq!(bucket.rows().await, [""; 0]);
}
