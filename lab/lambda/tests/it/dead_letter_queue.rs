//! Dead letters forwarded to a queue.

use serde_json::{Value, json};

use crate::sqs::{DEAD, Sqs};
use crate::support::{Host, Setup, eventually};

async fn host(sqs: &Sqs) -> Host {
    let setup = Setup::new().with(|config| {
        config.asynchronous.max_retries = 0;
        config.dead_letter_queue = Some(sqs.queue(DEAD));
    });
    setup.start().await
}

#[tokio::test]
async fn a_dead_letter_goes_to_the_queue_with_its_reason() {
    let sqs = Sqs::start().await;
    let host = host(&sqs).await;
    let payload = json!({"do": "error", "message": "bad\u{1}row"});
    let id = host.client.send(payload.clone()).await;
    sqs.until_depth(DEAD, [1, 0]).await;
    let message = sqs.receive(DEAD).await.pop().unwrap();
    let body: Value = serde_json::from_str(message.body().unwrap()).unwrap();
    assert_eq!(body, payload);
    let attributes = message.message_attributes().unwrap();
    for (name, data_type, value) in [
        ("RequestID", "String", id.as_str()),
        ("ErrorCode", "Number", "200"),
        ("ErrorMessage", "String", "bad row"),
    ] {
        let attribute = &attributes[name];
        assert_eq!(
            (attribute.data_type(), attribute.string_value()),
            (data_type, Some(value))
        );
    }
    let status = host
        .client
        .until(|status| status["dead_letters"] == 0)
        .await;
    assert_eq!(status["counts"]["dead_letters"], 1);
    host.stop().await;
    sqs.end().await;
}

#[tokio::test]
async fn p2_a_dead_letter_is_kept_until_the_queue_takes_it_also_over_a_restart() {
    let sqs = Sqs::start().await;
    sqs.fault("error", json!({})).await;
    let host = host(&sqs).await;
    let id = host.client.send(json!({"do": "error"})).await;
    // More failures than the client itself retries.
    eventually(
        async || Ok::<_, ()>(sqs.injected("error").await),
        |errors| *errors >= 3,
    )
    .await;
    let host = host.restart().await;
    assert_eq!(host.client.dead_letters().await[0]["request_id"], *id);
    sqs.clear_faults().await;
    sqs.until_depth(DEAD, [1, 0]).await;
    host.client
        .until(|status| status["dead_letters"] == 0)
        .await;
    host.stop().await;
    sqs.end().await;
}
