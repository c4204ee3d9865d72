//! The app tier over real sockets.

use std::time::Duration;

use app_tier::{App, config::Config};
use payment_core::{
    CLIENT_HEADER, ETag, ObjectKey, ObjectVersion, PaymentKey, RecordError, RejectedLine,
    Timestamp, record,
};
use payment_store::{Database, Store};
use program::Env;
use reqwest::Response;
use serde_json::Value;
use sqlx::MySqlPool;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use crate::odd_requests::all_are_refused_with_a_problem;
use crate::scripted_journal::{Asked, ScriptedJournal};
use crate::tier::payment;

const LONG: Duration = Duration::from_secs(30);

pub struct Tier {
    url: String,
    admin: String,
    pub puts: UnboundedReceiver<Asked>,
    serving: JoinHandle<()>,
}

impl Tier {
    pub async fn start(database: Option<&str>) -> Self {
        let variables = [
            ("LISTEN_ADDR", "127.0.0.1:0"),
            ("ADMIN_LISTEN_ADDR", "127.0.0.1:0"),
            ("DRAIN_SECONDS", "0"),
            ("LOG_BUCKET", "log"),
        ];
        let variables = variables
            .into_iter()
            .chain(database.map(|url| ("DATABASE_URL", url)));
        let env: Env = variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (log, puts) = ScriptedJournal::new();
        let config = Config::from_env(env).unwrap();
        let app = App::with_journal(log, config).await.unwrap();
        let url = format!("http://{}/process", app.local_addr().unwrap());
        let admin = format!("http://{}", app.admin_addr());
        let serving = tokio::spawn(async move { app.run().await.unwrap() });
        Self {
            url,
            admin,
            puts,
            serving,
        }
    }

    pub fn post(&self, body: String) -> JoinHandle<Response> {
        self.post_as("application/json", body)
    }

    pub fn post_as(
        &self,
        media_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> JoinHandle<Response> {
        let request = reqwest::Client::new()
            .post(&self.url)
            .header("content-type", media_type)
            .timeout(LONG)
            .body(body);
        tokio::spawn(async move { request.send().await.unwrap() })
    }

    /// Status and body from the second listener.
    fn admin(&self, path: &str) -> JoinHandle<(u16, String)> {
        let url = format!("{}{path}", self.admin);
        tokio::spawn(async move {
            let response = reqwest::get(url).await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        })
    }

    /// One figure of `/metrics`.
    pub async fn figure(&self, name: &str) -> String {
        let (_, text) = self.admin("/metrics").await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    }

    /// What became of a payment.
    pub fn ask(&self, id: &str) -> JoinHandle<Response> {
        let url = format!("{}/{id}", self.url);
        tokio::spawn(async move { reqwest::get(url).await.unwrap() })
    }

    pub async fn get(&self, id: &str) -> (u16, Value) {
        let response = self.ask(id).await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

impl Drop for Tier {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test]
async fn p5_with_s3_away_the_answer_is_503_with_retry_after_and_no_put() {
    let mut tier = Tier::start(None).await;
    for put in 0..2 {
        let answer = tier.post(payment(put));
        tier.puts.recv().await.unwrap().fail();
        assert_eq!(answer.await.unwrap().status().as_u16(), 503);
    }
    let _probe = tier.puts.recv().await.unwrap();
    let answer = tier.post(payment("refused")).await.unwrap();
    assert_eq!(answer.status().as_u16(), 503);
    assert_eq!(answer.headers()["retry-after"], "1");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "storage_unavailable");
    assert!(tier.puts.try_recv().is_err(), "S3 was asked");
}

#[tokio::test]
async fn ready_is_who_can_put_and_an_idle_tier_puts_an_empty_object_to_know() {
    let mut tier = Tier::start(None).await;
    let ready = tier.admin("/ready");
    let put = tier.puts.recv().await.unwrap();
    assert!(put.body.is_empty() && put.key.as_str().starts_with("transactions/dt="));
    put.confirm();
    assert_eq!(ready.await.unwrap().0, 200);

    let mut away = Tier::start(None).await;
    let ready = away.admin("/ready");
    away.puts.recv().await.unwrap().fail();
    let (status, why) = ready.await.unwrap();
    assert_eq!(status, 503);
    assert!(why.contains("PUT failed"), "{why}");

    let mut busy = Tier::start(None).await;
    let answer = busy.post(payment("a"));
    busy.puts.recv().await.unwrap().confirm();
    answer.await.unwrap();
    assert_eq!(busy.admin("/ready").await.unwrap().0, 200);
    assert!(busy.puts.try_recv().is_err(), "a payment's PUT says enough");
}

#[tokio::test]
async fn accepted_payments_repeats_and_puts_are_counted() {
    let mut tier = Tier::start(None).await;
    let answer = tier.post(payment("a"));
    let put = tier.puts.recv().await.unwrap();
    let line = std::str::from_utf8(&put.body).unwrap();
    assert!(line.contains(r#""traceparent":"00-"#), "{line}");
    let (_, text) = tier.admin("/metrics").await.unwrap();
    for line in [
        "payments_puts_in_flight 1",
        "payments_http_requests_in_flight 1",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
    put.confirm();
    answer.await.unwrap();
    tier.post(payment("a")).await.unwrap();
    let answer = tier.post(payment("b"));
    tier.puts.recv().await.unwrap().fail();
    answer.await.unwrap();
    tier.post("{".to_owned()).await.unwrap();
    let (_, text) = tier.admin("/metrics").await.unwrap();
    for line in [
        "payments_accepted_total 1",
        "payments_replayed_total 1",
        "payments_put_failures_total 1",
        "payments_put_duration_seconds_count 1",
        "payments_batch_records_sum 1.0",
        r#"payments_http_refused_total{code="malformed_json"} 1"#,
        r#"payments_http_refused_total{code="storage_unavailable"} 1"#,
        "payments_queue_records 0",
        "payments_queue_bytes 0",
        "payments_puts_in_flight 0",
        "payments_s3_away 0",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn p1_a_payment_whose_client_hung_up_is_counted() {
    let mut tier = Tier::start(None).await;
    let answer = tier.post(payment("a"));
    let put = tier.puts.recv().await.unwrap();
    answer.abort();
    assert!(answer.await.unwrap_err().is_cancelled());
    while tier.figure("payments_http_requests_in_flight").await != "0" {
        tokio::task::yield_now().await;
    }
    put.confirm();
    while tier.figure("payments_puts_in_flight").await != "0" {
        tokio::task::yield_now().await;
    }
    assert_eq!(tier.figure("payments_accepted_total").await, "1");
}

/// As the web tier does.
#[tokio::test]
async fn every_odd_request_is_refused_with_a_problem() {
    let tier = Tier::start(None).await;
    let address = tier.url.trim_start_matches("http://");
    let address = address.trim_end_matches("/process").parse().unwrap();
    all_are_refused_with_a_problem(address, "/process").await;
}

#[tokio::test]
async fn p6_what_names_two_ids_or_a_coding_is_a_problem_with_a_code() {
    let tier = Tier::start(None).await;
    let post = |headers: &[(&'static str, &'static str)]| {
        let request = reqwest::Client::new()
            .post(&tier.url)
            .header("content-type", "application/json")
            .body("{}");
        let header = |request: reqwest::RequestBuilder, (name, value): &(_, _)| {
            request.header(*name, *value)
        };
        headers.iter().fold(request, header).send()
    };
    let keys = [("idempotency-key", "a"), ("idempotency-key", "b")];
    problem(post(&keys).await.unwrap(), 400, "id_mismatch").await;
    let coded = [("content-encoding", "gzip")];
    problem(post(&coded).await.unwrap(), 415, "unsupported_media_type").await;
    for path in ["/%ff", "/a/b", "/%20"] {
        let answer = reqwest::get(format!("{}{path}", tier.url)).await.unwrap();
        problem(answer, 404, "not_found").await;
    }
    let unknown = tier.ask("unknown").await.unwrap();
    assert_eq!(unknown.headers()["retry-after"], "1");
    problem(unknown, 404, "not_found").await;
}

async fn problem(answer: Response, status: u16, code: &str) {
    assert_eq!(answer.status().as_u16(), status);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], code);
}

impl Tier {
    /// As the web tier sends for a client that it authenticated.
    fn request(&self, clients: &[&str]) -> reqwest::RequestBuilder {
        let request = reqwest::Client::new()
            .post(&self.url)
            .header("content-type", "application/json")
            .timeout(LONG);
        let header =
            |request: reqwest::RequestBuilder, name: &&str| request.header(CLIENT_HEADER, *name);
        clients.iter().fold(request, header)
    }

    async fn get_of(&self, client: &str, id: &str) -> (u16, Value) {
        let request = reqwest::Client::new().get(format!("{}/{id}", self.url));
        let response = request.header(CLIENT_HEADER, client).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

#[tokio::test]
async fn p10_a_client_name_that_is_no_name_or_two_is_400() {
    let mut tier = Tier::start(None).await;
    for clients in [
        &["Shop"][..],
        &["a b"],
        &["shop,other"],
        &["shop", "other"],
        &["shop", "shop"],
    ] {
        let answer = tier.request(clients).body(payment("a")).send().await;
        problem(answer.unwrap(), 400, "malformed_json").await;
    }
    let asked = reqwest::Client::new().get(format!("{}/a", tier.url));
    let asked = asked.header(CLIENT_HEADER, "Shop").send().await.unwrap();
    problem(asked, 400, "malformed_json").await;
    assert!(tier.puts.try_recv().is_err(), "S3 was asked");
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p10_a_client_sees_its_own_payments_alone(pool: MySqlPool) {
    let url = url(&pool);
    let mut tier = Tier::start(Some(&url)).await;
    let store = Store::new(Database::parse(&url, None).unwrap().pool(1));
    let sent = tier.request(&["shop"]).body(payment("a")).send();
    let answer = tokio::spawn(sent);
    let put = tier.puts.recv().await.unwrap();
    let (key, body) = (put.key.clone(), put.body.clone());
    put.confirm();
    assert_eq!(answer.await.unwrap().unwrap().status().as_u16(), 202);
    for state in ["accepted", "recorded"] {
        let (status, seen) = tier.get_of("shop", "a").await;
        assert_eq!((status, &seen["state"]), (200, &Value::from(state)));
        assert_eq!(tier.get_of("other", "a").await.0, 404);
        assert_eq!(tier.get("a").await.0, 404, "open intake is another");
        let lines: Vec<_> = record::read_object(&key, &body, written_at()).collect();
        store
            .ingest_object(&stored(key.clone()), &lines)
            .await
            .unwrap();
    }
}

/// What a client sees of its payment on the way.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p1_p4_a_payments_state_is_accepted_then_recorded_then_conflict(pool: MySqlPool) {
    let url = url(&pool);
    let mut tier = Tier::start(Some(&url)).await;
    let store = Store::new(Database::parse(&url, None).unwrap().pool(1));
    assert_eq!(tier.get("a").await.0, 404);

    let answer = tier.post(payment("a"));
    let put = tier.puts.recv().await.unwrap();
    assert_eq!(tier.get("a").await.0, 404, "not before S3 confirmed it");
    let (key, body) = (put.key.clone(), put.body.clone());
    put.confirm();
    assert_eq!(answer.await.unwrap().status().as_u16(), 202);
    let (status, seen) = tier.get("a").await;
    assert_eq!((status, &seen["state"]), (200, &Value::from("accepted")));

    let lines: Vec<_> = record::read_object(&key, &body, written_at()).collect();
    store.ingest_object(&stored(key), &lines).await.unwrap();
    let (status, seen) = tier.get("a").await;
    assert_eq!((status, &seen["state"]), (200, &Value::from("recorded")));
    assert_eq!(seen["amount"], "1.00");

    let other = br#"{"id":"a","amount":2}"#;
    let elsewhere = ObjectKey::parse("transactions/other.ndjson").unwrap();
    let lines: Vec<_> = record::read_object(&elsewhere, other, written_at()).collect();
    store
        .ingest_object(&stored(elsewhere), &lines)
        .await
        .unwrap();
    let (status, seen) = tier.get("a").await;
    assert_eq!((status, &seen["state"]), (200, &Value::from("conflict")));
}

/// Also on a node that never heard of it.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_rejected_payment_is_told_of(pool: MySqlPool) {
    let url = url(&pool);
    let tier = Tier::start(Some(&url)).await;
    let store = Store::new(Database::parse(&url, None).unwrap().pool(1));
    let rejected = RejectedLine {
        error: RecordError::HashMismatch,
        is_own: true,
        resembles_own: false,
        payment: PaymentKey::from_stored("a", ""),
    };
    let object = stored(ObjectKey::parse("transactions/x.ndjson").unwrap());
    let lines = [(1, Err(rejected))];
    store.ingest_object(&object, &lines).await.unwrap();
    let (status, seen) = tier.get("a").await;
    assert_eq!((status, &seen["state"]), (200, &Value::from("rejected")));
    assert_eq!(seen["reason"], "hash_mismatch");
}

pub fn stored(key: ObjectKey) -> ObjectVersion {
    ObjectVersion {
        key,
        etag: ETag::parse("\"1\""),
        stored_at: written_at(),
    }
}

pub fn written_at() -> Timestamp {
    Timestamp::parse("2026-11-22T07:30:00Z").unwrap()
}

/// The address of the test's own database.
pub fn url(pool: &MySqlPool) -> String {
    let server = std::env::var("DATABASE_URL").unwrap();
    let (host, _) = server.rsplit_once('/').unwrap();
    format!("{host}/{}", pool.connect_options().get_database().unwrap())
}

#[tokio::test]
async fn p11_the_answer_and_its_repeat_carry_the_records_hash() {
    let mut tier = Tier::start(None).await;
    let body = payment("a");
    let first = tier.post(body.clone());
    let put = tier.puts.recv().await.unwrap();
    let line = record::read_object(&put.key, &put.body, Timestamp::EPOCH).next();
    let record = line.unwrap().1.unwrap();
    put.confirm();
    let first: Value = first.await.unwrap().json().await.unwrap();
    assert_eq!(first["hash"], record.content_hash.to_string());
    let repeat = tier.post(body).await.unwrap();
    assert_eq!(repeat.json::<Value>().await.unwrap(), first);
}
