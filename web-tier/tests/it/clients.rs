//! Callers with and without credentials, before a web tier that knows its clients.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clients::bearer::{KeyHash, new_key};
use clients::signature::{AGE_SECONDS_MAX, Message, SigningKey};
use clients::{PAGE, digest};
use http::{HeaderMap, Method, Uri};
use payment_core::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::tier::{Act, BROWSER, Tier, answer};

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");
const BODY: &str = r#"{"id":"tx_1","amount":"1"}"#;
pub const SEED: [u8; 32] = [7; 32];

fn accepted() -> Act {
    let body = r#"{"id":"tx_1","status":"accepted","received_at":"2026-11-22T07:30:00.123456Z","request_id":"r"}"#;
    answer("202 Accepted", "content-type: application/json\r\n", body)
}

/// A file of clients that a test writes.
pub struct ClientsFile {
    pub path: PathBuf,
    _folder: TempDir,
}

impl ClientsFile {
    pub fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = Self {
            path: folder.path().join("clients.toml"),
            _folder: folder,
        };
        file.write(text);
        file
    }

    /// As an editor does that cares: another file in its place.
    pub fn write(&self, text: &str) {
        let beside = self.path.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, &self.path).unwrap();
    }

    pub async fn tier(&self, acts: Vec<Act>) -> Tier {
        let path = self.path.to_str().unwrap();
        Tier::with(acts, &[("CLIENTS_FILE", path)]).await
    }
}

/// A client with one key, which begins today.
pub fn client(name: &str, limits: &str, key: &str) -> String {
    let hash = KeyHash::of(key);
    format!(
        "[clients.{name}]\n{limits}\n[[clients.{name}.keys]]\nid = \"{name}-1\"\nsha256 = \"{hash}\"\n\
         created = 2026-01-01T00:00:00Z\n"
    )
}

pub fn signer(name: &str) -> String {
    let key = SigningKey::new("ed25519", &SEED).unwrap();
    let public = key.public_key().unwrap();
    format!(
        "[[clients.{name}.keys]]\nid = \"{name}-signs\"\ned25519 = \"{public}\"\ncreated = 2026-01-01T00:00:00Z\n"
    )
}

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

async fn status(tier: &Tier, headers: &[(&str, &str)]) -> u16 {
    let headers = [headers, &[JSON]].concat();
    tier.post(&headers, BODY).await.status().as_u16()
}

async fn get(tier: &Tier, headers: &[(&str, &str)]) -> reqwest::Response {
    let request = reqwest::Client::new().get(format!("{}/pay/tx_1", tier.url));
    let add = |request: reqwest::RequestBuilder, (name, value): &(&str, &str)| {
        request.header(*name, *value)
    };
    headers.iter().fold(request, add).send().await.unwrap()
}

/// Headers of a payment that is signed now.
fn signed(body: &str) -> Vec<(String, String)> {
    signed_at(body, OffsetDateTime::now_utc())
}

fn signed_at(body: &str, created: OffsetDateTime) -> Vec<(String, String)> {
    let mut headers = HeaderMap::new();
    headers.insert(
        "content-digest",
        digest::header_of(body.as_bytes()).try_into().unwrap(),
    );
    headers.insert("idempotency-key", "tx_1".try_into().unwrap());
    let message = Message {
        method: &Method::POST,
        uri: &Uri::from_static("/pay"),
        headers: &headers,
    };
    let key = SigningKey::new("ed25519", &SEED).unwrap();
    let created = Timestamp::new(created);
    let (input, signature) = key.sign(&message, "shop-signs", created).unwrap();
    headers.insert("signature-input", input.try_into().unwrap());
    headers.insert("signature", signature.try_into().unwrap());
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}

fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect()
}

/// A request whose body does not come.
async fn begin(tier: &Tier, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(tier.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Waits until a request has this status. A change of the file is in force within two seconds.
async fn until_status(tier: &Tier, headers: &[(&str, &str)], expected: u16) {
    let reached = async {
        while status(tier, headers).await != expected {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, reached)
        .await
        .unwrap_or_else(|_| panic!("never {expected}"));
}

#[tokio::test]
async fn p10_who_is_not_known_gets_401_and_never_why() {
    let (key, expired) = (new_key().unwrap(), new_key().unwrap());
    let old = client("old", "", &expired) + "expires = 2026-01-02T00:00:00Z\n";
    let file = ClientsFile::new(&[client("shop", "", &key), signer("shop"), old].concat());
    let tier = file.tier(vec![accepted()]).await;
    let [wrong, expired] = [bearer(&new_key().unwrap()), bearer(&expired)];
    let changed = signed(r#"{"id":"tx_1","amount":"2"}"#);
    let cut = signed(BODY)
        .into_iter()
        .filter(|(name, _)| name != "idempotency-key");
    let cut: Vec<_> = cut.collect();
    let now = OffsetDateTime::now_utc();
    let [late, early] = [-AGE_SECONDS_MAX - 1, 120]
        .map(|seconds| signed_at(BODY, now + time::Duration::seconds(seconds)));
    let mut told = Vec::new();
    for headers in [
        vec![],
        vec![("authorization", &*wrong)],
        vec![("authorization", &*expired)],
        vec![("authorization", "Bearer")],
        vec![("authorization", "Basic eDp5")],
        vec![("signature-input", "sig=()"), ("signature", "sig=:AA==:")],
        borrowed(&changed),
        borrowed(&cut),
        borrowed(&late),
        borrowed(&early),
        vec![("x-payment-client", "shop")],
    ] {
        let answer = tier.post(&[&headers[..], &[JSON]].concat(), BODY).await;
        assert_eq!(answer.status().as_u16(), 401, "{headers:?}");
        let challenges = answer.headers().get_all("www-authenticate");
        assert_eq!(challenges.iter().count(), 2);
        let accept = answer.headers()["accept-signature"].to_str().unwrap();
        assert!(
            accept.contains(
                r#"("@method" "@path" "content-digest" "idempotency-key");created;keyid"#
            )
        );
        let mut problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "unauthenticated");
        problem["request_id"].take();
        told.push(problem);
    }
    assert!(told.iter().all(|problem| *problem == told[0]), "{told:?}");
    assert_eq!(get(&tier, &[]).await.status().as_u16(), 401);
    assert_eq!(tier.calls(), 0);
}

#[tokio::test]
async fn p10_a_right_key_or_signature_pays_and_only_the_clients_name_goes_on() {
    let key = new_key().unwrap();
    let file = ClientsFile::new(&[client("shop", "", &key), signer("shop")].concat());
    let tier = file.tier(vec![accepted()]).await;
    let (bearer, signed) = (bearer(&key), signed(BODY));
    assert_eq!(status(&tier, &[("authorization", &bearer)]).await, 202);
    assert_eq!(status(&tier, &borrowed(&signed)).await, 202);
    assert_eq!(
        get(&tier, &[("authorization", &bearer)])
            .await
            .status()
            .as_u16(),
        202
    );
    let seen = tier.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 3);
    for request in &seen {
        assert_eq!(
            request.matches("x-payment-client: shop\r\n").count(),
            1,
            "{request}"
        );
        for secret in [&*key, "authorization", "signature", "content-digest"] {
            assert!(!request.contains(secret), "{secret} in {request}");
        }
    }
}

#[tokio::test]
async fn p10_a_caller_is_refused_before_its_body_is_read() {
    let file = ClientsFile::new(&client("shop", "", &new_key().unwrap()));
    let tier = file.tier(vec![accepted()]).await;
    let head = "POST /pay HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    let mut stream = begin(&tier, head).await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test]
async fn p10_what_needs_no_credential_stays_open() {
    let file = ClientsFile::new(&client("shop", "", &new_key().unwrap()));
    let tier = file.tier(vec![accepted()]).await;
    for path in ["/", "/health", "/docs", "/openapi.json", "/pay?id=tx_1"] {
        assert_eq!(tier.get(path).await.status().as_u16(), 200, "{path}");
    }
    // Without a client `page` nothing is looked up for it.
    assert_eq!(tier.calls(), 0);
}

#[tokio::test]
async fn p10_headers_of_ours_that_are_forged_gain_nothing() {
    let key = new_key().unwrap();
    let file = ClientsFile::new(&client("shop", "rate = 1000\nburst = 1", &key));
    let tier = file.tier(vec![accepted()]).await;
    let forged = [
        ("x-payment-client", "other"),
        ("X-Payment-Client", "page"),
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("via", "1.1 web-tier"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("x-request-id", "mine"),
    ];
    assert_eq!(status(&tier, &forged[..7]).await, 401);
    let bearer = bearer(&key);
    let paid = [&forged[..7], &[forged[7], ("authorization", &bearer)]].concat();
    assert_eq!(status(&tier, &paid).await, 202);
    let seen = tier.seen.lock().unwrap().join("");
    assert_eq!(seen.matches("x-payment-client").count(), 1, "{seen}");
    assert!(seen.contains("x-payment-client: shop\r\n"), "{seen}");
    for header in ["forwarded", "x-real-ip", "x-forwarded-for", "via"] {
        assert!(!seen.contains(&format!("\r\n{header}")), "{header}: {seen}");
    }
}

#[tokio::test]
async fn p10_without_a_file_no_credential_matters_and_none_goes_on() {
    let tier = Tier::before(vec![accepted()]).await;
    let signed = signed("another body");
    for headers in [
        vec![],
        vec![("authorization", "Bearer pk_1")],
        borrowed(&signed),
        vec![("x-payment-client", "shop")],
    ] {
        assert_eq!(status(&tier, &headers).await, 202, "{headers:?}");
    }
    let seen = tier.seen.lock().unwrap().join("");
    for header in ["x-payment-client", "authorization", "signature", "digest"] {
        assert!(!seen.contains(header), "{header}: {seen}");
    }
}

#[tokio::test]
async fn p10_a_key_is_revoked_by_the_file_and_a_broken_file_changes_nothing() {
    let (key, other) = (new_key().unwrap(), new_key().unwrap());
    let both = [client("shop", "", &key), client("other", "", &other)].concat();
    let file = ClientsFile::new(&both);
    let tier = file.tier(vec![accepted()]).await;
    let [revoked, other_key] = [bearer(&key), bearer(&other)];
    let revoked = [("authorization", &*revoked)];
    assert_eq!(status(&tier, &revoked).await, 202);

    file.write("[clients.shop\n");
    until_metric(&tier, "payments_clients_reload_failures_total 1").await;
    assert_eq!(status(&tier, &revoked).await, 202);

    file.write(&client("other", "", &other));
    until_status(&tier, &revoked, 401).await;
    assert_eq!(status(&tier, &[("authorization", &other_key)]).await, 202);
    until_metric(&tier, "payments_clients_stale_seconds 0").await;

    fs::remove_file(&file.path).unwrap();
    until_metric(&tier, "payments_clients_reload_failures_total 2").await;
    assert_eq!(status(&tier, &[("authorization", &other_key)]).await, 202);
    file.write(&both);
    until_status(&tier, &revoked, 202).await;
}

async fn until_metric(tier: &Tier, line: &str) {
    let reached = async {
        while !tier
            .admin("/metrics")
            .await
            .1
            .lines()
            .any(|other| other == line)
        {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, reached)
        .await
        .unwrap_or_else(|_| panic!("never {line}"));
}

#[tokio::test]
async fn p10_a_client_over_its_rate_gets_429_while_another_is_served() {
    let (key, other) = (new_key().unwrap(), new_key().unwrap());
    let limited = client("shop", "rate = 1\nburst = 2", &key);
    let file = ClientsFile::new(&[limited, client("other", "", &other)].concat());
    let tier = file.tier(vec![accepted()]).await;
    let [key, other] = [bearer(&key), bearer(&other)];
    let key = [("authorization", &*key), JSON];
    let mut limited = None;
    for _ in 0..50 {
        let answer = tier.post(&key, BODY).await;
        if answer.status().as_u16() == 429 {
            limited = Some(answer);
            break;
        }
    }
    let answer = limited.unwrap();
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(
        answer.headers()["ratelimit-policy"],
        r#""requests";q=2;w=2"#
    );
    assert_eq!(answer.headers()["ratelimit"], r#""requests";r=0;t=1"#);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "rate_limited");
    for _ in 0..10 {
        assert_eq!(status(&tier, &[("authorization", &other)]).await, 202);
    }
    let (_, metrics) = tier.admin("/metrics").await;
    for line in [
        r#"payments_client_limited_total{client="shop"} 1"#,
        r#"payments_client_limited_total{client="other"} 0"#,
        r#"payments_client_requests_total{client="other"} 10"#,
    ] {
        assert!(
            metrics.lines().any(|other| other == line),
            "{line}\n{metrics}"
        );
    }
}

#[tokio::test]
async fn p10_payments_in_flight_are_limited_by_client_and_their_places_come_back() {
    let key = new_key().unwrap();
    let file = ClientsFile::new(&client("shop", "in_flight = 1", &key));
    let tier = file.tier(vec![accepted()]).await;
    let bearer = bearer(&key);
    let head = format!(
        "POST /pay HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        BODY.len()
    );
    let mut first = begin(&tier, &head).await;
    // Its body is asked for: it is in flight.
    let mut asked = [0; 12];
    first.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100");
    let headers = [("authorization", &*bearer)];
    assert_eq!(status(&tier, &headers).await, 429);
    assert_eq!(
        get(&tier, &headers).await.status().as_u16(),
        202,
        "a query is no payment"
    );
    let answer = tier.post(&[headers[0], JSON], BODY).await;
    assert_eq!(
        answer.headers()["ratelimit-policy"],
        r#""in-flight";q=1;qu="concurrent-requests""#
    );
    drop(first);
    until_status(&tier, &headers, 202).await;
}

#[tokio::test]
async fn p10_the_pay_page_pays_as_a_client_of_its_own_from_this_origin_alone() {
    let file = ClientsFile::new(&format!("[clients.{PAGE}]\nrate = 1\nburst = 3\n"));
    let tier = file.tier(vec![accepted()]).await;
    let own = tier.url.clone();
    let origin = ("origin", own.as_str());
    let script = tier.post(&[SAME_ORIGIN, JSON], BODY).await;
    assert_eq!(script.status().as_u16(), 202);
    let form = tier
        .post(&[origin, FORM, ("accept", BROWSER)], "id=tx_1&amount=1")
        .await;
    assert_eq!(form.status().as_u16(), 202);
    assert!(
        tier.seen
            .lock()
            .unwrap()
            .iter()
            .all(|request| request.contains("x-payment-client: page\r\n"))
    );
    for (headers, expected) in [
        (&[][..], 401),
        (&[("sec-fetch-site", "none")], 401),
        (&[("origin", "https://evil.example")], 403),
        (&[("sec-fetch-site", "cross-site"), origin], 403),
        (&[SAME_ORIGIN, ("authorization", "Bearer pk_1")], 401),
    ] {
        assert_eq!(status(&tier, headers).await, expected, "{headers:?}");
    }
    let mut is_limited = false;
    for _ in 0..50 {
        let over = status(&tier, &[SAME_ORIGIN]).await == 429;
        let page = tier.browse("/pay?id=tx_1").await.text().await.unwrap();
        is_limited = over && page.contains("Wait a moment");
        if is_limited {
            break;
        }
    }
    assert!(is_limited);
}

#[tokio::test]
async fn p10_addresses_are_limited_by_what_the_load_balancer_saw() {
    let tier = Tier::with(vec![accepted()], &[("ADDRESS_RATE", "1")]).await;
    let mut statuses = Vec::new();
    for n in 0..20 {
        let forged = format!("198.51.100.{n}, 203.0.113.7");
        statuses.push(status(&tier, &[("x-forwarded-for", &forged)]).await);
    }
    assert_eq!(statuses[0], 202);
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(
        status(&tier, &[("x-forwarded-for", "203.0.113.8")]).await,
        202
    );
}
