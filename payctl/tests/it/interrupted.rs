//! `payctl replay --dead-letters` while letters are at hand: they stay hidden, and come back when it is told to stop.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::MySqlPool;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::dead_letters::{Letters, QUEUE, key};
use crate::harness::{event, said};

/// S3 takes requests and answers none.
struct SilentS3 {
    asked: Arc<Notify>,
    server: JoinHandle<std::io::Result<()>>,
}

impl SilentS3 {
    async fn before(letters: &mut Letters) -> Self {
        let asked = Arc::new(Notify::new());
        let told = Arc::clone(&asked);
        let silent = async move || {
            told.notify_one();
            std::future::pending::<StatusCode>().await
        };
        let (url, server) = serve(Router::new().fallback(silent)).await;
        letters.pipeline.set("AWS_ENDPOINT_URL_S3", url);
        Self { asked, server }
    }
}

async fn serve(router: Router) -> (String, JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (
        url,
        tokio::spawn(axum::serve(listener, router).into_future()),
    )
}

/// Before the queue: tells of each call that extends a letter's visibility.
struct Listener {
    queue: String,
    client: reqwest::Client,
    extended: Notify,
}

async fn pass(
    State(listener): State<Arc<Listener>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Bytes) {
    let target = headers.get("x-amz-target").unwrap().to_str().unwrap();
    let is_release = String::from_utf8_lossy(&body).contains(r#""VisibilityTimeout":0"#);
    if target.ends_with("ChangeMessageVisibilityBatch") && !is_release {
        listener.extended.notify_one();
    }
    let request = listener
        .client
        .post(&listener.queue)
        .headers(headers)
        .body(body);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.bytes().await.unwrap())
}

/// Three letters at work, the first told by S3; then the signal.
async fn interrupt(letters: &Letters, s3: &SilentS3, extended: Option<&Notify>, signal: Signal) {
    let process = letters
        .pipeline
        .start_payctl(&["replay", "--dead-letters", "--jobs", "3"]);
    s3.asked.notified().await;
    if let Some(extended) = extended {
        extended.notified().await;
    }
    let pid = i32::try_from(process.id().unwrap()).unwrap();
    kill(Pid::from_raw(pid), signal).unwrap();
    let said = said(process.wait_with_output().await.unwrap());
    said.check(2, &["interrupted", "are released"]);
    assert_eq!(said.count("letters kept"), 3);

    let receive = letters.client.receive_message().queue_url(&letters.url);
    let receive = receive.max_number_of_messages(10).visibility_timeout(0);
    let received = receive.send().await.unwrap();
    assert_eq!(received.messages().len(), 3, "{signal}");
}

async fn letters(pool: MySqlPool) -> Letters {
    let letters = Letters::start(pool).await;
    for name in ["1", "2", "3"] {
        letters.send(&event(&key(name)).to_string()).await;
    }
    letters
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_letters_at_hand_are_released_at_once_by_either_signal(pool: MySqlPool) {
    let mut letters = letters(pool).await;
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let s3 = SilentS3::before(&mut letters).await;
        interrupt(&letters, &s3, None, signal).await;
        s3.server.abort();
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_letters_stay_hidden_as_long_as_they_are_worked_on(pool: MySqlPool) {
    let mut letters = letters(pool).await;
    let s3 = SilentS3::before(&mut letters).await;
    let listener = Arc::new(Listener {
        queue: letters.url.clone(),
        client: reqwest::Client::new(),
        extended: Notify::new(),
    });
    let router = Router::new()
        .fallback(pass)
        .with_state(Arc::clone(&listener));
    let (url, server) = serve(router).await;
    letters.pipeline.set(
        "DEAD_LETTER_QUEUE_URL",
        format!("{url}/000000000000/{QUEUE}"),
    );
    interrupt(&letters, &s3, Some(&listener.extended), Signal::SIGINT).await;
    server.abort();
    s3.server.abort();
}
