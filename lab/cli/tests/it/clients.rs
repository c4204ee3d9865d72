//! `up --clients`: who may pay, and what others see of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use clients::{
    digest::{CONTENT_DIGEST, header_of},
    signature::{Message, SIGNATURE, SIGNATURE_INPUT, SigningKey},
};
use futures::future::join_all;
use http::{HeaderMap, Method, StatusCode, Uri, header::AUTHORIZATION};
use lab_runner::{http::client as http_client, part::PartName};
use payment_core::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::{
    operator::payctl,
    test_lab::{TestLab, assert_success},
};

const ROW_TIMEOUT: Duration = Duration::from_secs(30);
const REVOKED_TIMEOUT: Duration = Duration::from_secs(10);

const SEED: [u8; 32] = [7; 32];
pub const BODY: &str = r#"{"id": "shared", "transaction": "of a client", "amount": "1.00"}"#;

/// A file of clients, and what signs.
pub struct Clients {
    home: TempDir,
}

impl Clients {
    pub fn new() -> Self {
        let home = TempDir::new().unwrap();
        Self { home }
    }

    pub fn file(&self) -> PathBuf {
        self.home.path().join("clients.toml")
    }

    /// A lab that knows these clients alone.
    pub fn lab(&self) -> TestLab {
        TestLab::up_with(&["--clients", self.file().to_str().unwrap()])
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let programs = Path::new(env!("CARGO_BIN_EXE_lab")).parent().unwrap();
        let output = Command::new(programs.join("payctl"))
            .args(["client", "--file"])
            .arg(self.file())
            .args(arguments)
            .output()
            .unwrap();
        assert_success(&output);
        output
    }

    /// The key of a new client, with these options.
    pub fn add(&self, name: &str, options: &[&str]) -> String {
        let output = self.run(&[&["add", name], options].concat());
        let said = String::from_utf8(output.stdout).unwrap();
        let key = said.lines().find(|line| line.starts_with("pk_")).unwrap();
        key.to_owned()
    }

    /// A client that signs with [`SEED`], under the same key id as its name.
    fn add_signer(&self, name: &str) {
        let public = signing_key().public_key().unwrap();
        let client = format!(
            "[[clients.{name}.keys]]\nid = \"{name}\"\ned25519 = \"{public}\"\ncreated = 2026-01-01T00:00:00Z\n"
        );
        let text = fs::read_to_string(self.file()).unwrap_or_default();
        fs::write(self.file(), [text, client].concat()).unwrap();
    }
}

fn signing_key() -> SigningKey {
    SigningKey::new("ed25519", &SEED).unwrap()
}

/// The value of the header Authorization.
pub fn bearer(key: &str) -> HeaderMap {
    let value = format!("Bearer {key}").parse().unwrap();
    HeaderMap::from_iter([(AUTHORIZATION, value)])
}

/// The headers of a payment of this id and body that was signed at that time.
fn signed(key_id: &str, id: &str, body: &str, created: OffsetDateTime) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_DIGEST, header_of(body.as_bytes()).parse().unwrap());
    headers.insert("idempotency-key", id.parse().unwrap());
    let message = Message {
        method: &Method::POST,
        uri: &Uri::from_static("/pay"),
        headers: &headers,
    };
    let created = Timestamp::new(created);
    let (input, signature) = signing_key().sign(&message, key_id, created).unwrap();
    headers.insert(SIGNATURE_INPUT, input.parse().unwrap());
    headers.insert(SIGNATURE, signature.parse().unwrap());
    headers
}

async fn send(
    lab: &TestLab,
    method: Method,
    path: &str,
    headers: HeaderMap,
    body: &str,
) -> (StatusCode, Value) {
    let url = format!("{}{path}", lab.lab.url(PartName::Alb));
    let request = http_client().unwrap().request(method, url).headers(headers);
    let request = request.header("content-type", "application/json");
    let answer = request.body(body.to_owned()).send().await.unwrap();
    let status = answer.status();
    let body = answer.text().await.unwrap();
    (status, serde_json::from_str(&body).unwrap_or_default())
}

pub async fn pay(lab: &TestLab, headers: HeaderMap, body: &str) -> (StatusCode, Value) {
    send(lab, Method::POST, "/pay", headers, body).await
}

async fn ask(lab: &TestLab, id: &str, headers: HeaderMap) -> (StatusCode, Value) {
    send(lab, Method::GET, &format!("/pay/{id}"), headers, "").await
}

#[tokio::test]
async fn p10_only_the_clients_of_the_file_pay_and_each_has_ids_of_its_own() {
    let clients = Clients::new();
    let (shop, other) = (clients.add("shop", &[]), clients.add("other", &[]));
    let signs = clients.home.path().join("signer.key");
    clients.run(&["add", "signer", "--ed25519", signs.to_str().unwrap()]);
    let lab = clients.lab();

    let wrong = bearer(&format!("pk_{}", "0".repeat(64)));
    for headers in [HeaderMap::new(), bearer("pk_short"), wrong] {
        let paid = pay(&lab, headers.clone(), BODY).await;
        let asked = ask(&lab, "shared", headers).await;
        for (status, body) in [paid, asked] {
            assert_eq!(status, StatusCode::UNAUTHORIZED);
            assert_eq!(body["code"], "unauthenticated");
        }
    }
    for key in [&shop, &other] {
        let (status, _) = pay(&lab, bearer(key), BODY).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    let sign = ["pay", "--id", "shared", "--sign", signs.to_str().unwrap()];
    assert_success(&payctl(&lab, "reader", &sign));
    let rows = ["other\tshared", "shop\tshared", "signer\tshared"];
    lab.until_selected(ROWS, &rows, ROW_TIMEOUT).await;
    let (status, body) = ask(&lab, "shared", bearer(&shop)).await;
    assert_eq!(
        (status, &body["state"]),
        (StatusCode::OK, &"recorded".into())
    );
    assert_success(&payctl(&lab, "reader", &["reconcile", "--settle", "0"]));

    clients.run(&["revoke", "shop"]);
    let revoked = async {
        while ask(&lab, "shared", bearer(&shop)).await.0 == StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(REVOKED_TIMEOUT, revoked)
        .await
        .unwrap();
    let (status, _) = ask(&lab, "shared", bearer(&shop)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _) = ask(&lab, "shared", bearer(&other)).await;
    assert_eq!(status, StatusCode::OK);
}

const ROWS: &str =
    "SELECT client, payment_id FROM payments.transactions ORDER BY client, payment_id";

#[tokio::test]
async fn p10_a_signature_pays_once_and_no_credential_is_kept_anywhere() {
    let clients = Clients::new();
    let shop = clients.add("shop", &[]);
    clients.add_signer("signer");
    let lab = clients.lab();
    let now = OffsetDateTime::now_utc();

    let late = signed("signer", "shared", BODY, now - Duration::from_mins(6));
    let right = signed("signer", "shared", BODY, now);
    let changed = BODY.replace("1.00", "9.00");
    for (headers, body) in [(&late, BODY), (&right, changed.as_str())] {
        let (status, answer) = pay(&lab, headers.clone(), body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{answer}");
    }
    for expected in [StatusCode::ACCEPTED, StatusCode::OK] {
        assert_eq!(pay(&lab, right.clone(), BODY).await.0, expected);
        lab.until_selected(ROWS, &["signer\tshared"], ROW_TIMEOUT)
            .await;
    }
    let (status, _) = ask(&lab, "shared", bearer(&shop)).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "it is another's");

    let metrics = metrics(&lab).await;
    lab.down();
    let mut secrets = vec![shop];
    for headers in [&late, &right] {
        let signature = headers[SIGNATURE].to_str().unwrap();
        secrets.push(
            signature
                .trim_matches(|c: char| "sig=:".contains(c))
                .to_owned(),
        );
    }
    for secret in secrets {
        assert!(
            !holds(lab.dir(), &secret),
            "a file of the lab holds {secret}"
        );
        assert!(!metrics.contains(&secret), "{metrics}");
    }
}

/// What both web tiers count.
async fn metrics(lab: &TestLab) -> String {
    let mut all = String::new();
    for tier in [PartName::WebA, PartName::WebB] {
        let url = format!("http://{}/metrics", lab.lab.admin_address(tier));
        let answer = http_client().unwrap().get(url).send().await.unwrap();
        all += &answer.text().await.unwrap();
    }
    all
}

#[tokio::test]
async fn p10_forged_headers_gain_nothing_and_a_limit_is_of_one_client() {
    let clients = Clients::new();
    let shop = clients.add("shop", &["--rate", "1", "--burst", "1"]);
    let other = clients.add("other", &[]);
    let lab = clients.lab();

    let forged = HeaderMap::from_iter(
        [
            ("x-payment-client", "shop"),
            ("x-request-id", "forged"),
            ("x-forwarded-for", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1"),
            ("x-real-ip", "127.0.0.1"),
        ]
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())),
    );
    let with_key = |key: &str| {
        let mut headers = forged.clone();
        headers.extend(bearer(key));
        headers
    };
    let (status, _) = pay(&lab, forged.clone(), BODY).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _) = pay(&lab, with_key(&other), BODY).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    lab.until_selected(ROWS, &["other\tshared"], ROW_TIMEOUT)
        .await;

    // Neither another name nor another address is another limit.
    let over = async {
        loop {
            let asked = (0..8).map(|_| ask(&lab, "shared", with_key(&shop)));
            let statuses = join_all(asked).await.into_iter().map(|(status, _)| status);
            if statuses
                .into_iter()
                .any(|status| status == StatusCode::TOO_MANY_REQUESTS)
            {
                break;
            }
        }
    };
    tokio::time::timeout(ROW_TIMEOUT, over).await.unwrap();
    for _ in 0..8 {
        let (status, _) = ask(&lab, "shared", with_key(&other)).await;
        assert_eq!(status, StatusCode::OK);
    }
    let metrics = metrics(&lab).await;
    let mut named: Vec<&str> = metrics
        .lines()
        .filter_map(|line| line.split_once("{client=\"")?.1.split('"').next())
        .collect();
    named.sort_unstable();
    named.dedup();
    assert_eq!(named, ["(none)", "other", "shop"], "no label is a caller's");
}

/// Whether a file below the folder contains the text.
fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            return holds(&entry.path(), text);
        }
        let is_in = |bytes: Vec<u8>| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        kind.is_file() && fs::read(entry.path()).is_ok_and(is_in)
    })
}
