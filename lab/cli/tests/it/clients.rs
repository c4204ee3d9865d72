//! `up --clients`: who may pay, and what others see of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use lab_runner::{http, part::PartName};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    operator::payctl,
    test_lab::{TestLab, assert_success},
};

const ROW_TIMEOUT: Duration = Duration::from_secs(30);
const REVOKED_TIMEOUT: Duration = Duration::from_secs(10);

/// A file of clients, and what signs.
struct Clients {
    home: TempDir,
}

impl Clients {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        Self { home }
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("clients.toml")
    }

    fn run(&self, arguments: &[&str]) -> Output {
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

    /// The key of a new client.
    fn add(&self, name: &str) -> String {
        let said = String::from_utf8(self.run(&["add", name]).stdout).unwrap();
        let key = said.lines().find(|line| line.starts_with("pk_")).unwrap();
        key.to_owned()
    }
}

async fn ask(lab: &TestLab, method: Method, path: &str, key: Option<&str>) -> (StatusCode, Value) {
    let url = format!("{}{path}", lab.lab.url(PartName::Alb));
    let mut request = http::client().unwrap().request(method.clone(), url);
    if method == Method::POST {
        let body = r#"{"id": "shared", "transaction": "of a client", "amount": "1.00"}"#;
        request = request
            .header("content-type", "application/json")
            .body(body);
    }
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let body = answer.text().await.unwrap();
    (status, serde_json::from_str(&body).unwrap_or_default())
}

#[tokio::test]
async fn p10_only_the_clients_of_the_file_pay_and_each_has_ids_of_its_own() {
    let clients = Clients::new();
    let (shop, other) = (clients.add("shop"), clients.add("other"));
    let signs = clients.home.path().join("signer.key");
    clients.run(&["add", "signer", "--ed25519", signs.to_str().unwrap()]);
    let lab = TestLab::up_with(&["--clients", clients.file().to_str().unwrap()]);

    let wrong = format!("pk_{}", "0".repeat(64));
    for key in [None, Some("pk_short"), Some(wrong.as_str())] {
        for (method, path) in [(Method::POST, "/pay"), (Method::GET, "/pay/shared")] {
            let (status, body) = ask(&lab, method, path, key).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED);
            assert_eq!(body["code"], "unauthenticated");
        }
    }
    for key in [&shop, &other] {
        let (status, _) = ask(&lab, Method::POST, "/pay", Some(key)).await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }
    let sign = ["pay", "--id", "shared", "--sign", signs.to_str().unwrap()];
    assert_success(&payctl(&lab, "reader", &sign));
    let select = "SELECT client, payment_id FROM payments.transactions ORDER BY client";
    let rows = ["other\tshared", "shop\tshared", "signer\tshared"];
    lab.until_selected(select, &rows, ROW_TIMEOUT).await;
    let (status, body) = ask(&lab, Method::GET, "/pay/shared", Some(&shop)).await;
    assert_eq!(
        (status, &body["state"]),
        (StatusCode::OK, &"recorded".into())
    );
    assert_success(&payctl(&lab, "reader", &["reconcile", "--settle", "0"]));

    clients.run(&["revoke", "shop"]);
    let revoked = async {
        while ask(&lab, Method::GET, "/pay/shared", Some(&shop)).await.0 == StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(REVOKED_TIMEOUT, revoked)
        .await
        .unwrap();
    let (status, _) = ask(&lab, Method::GET, "/pay/shared", Some(&other)).await;
    assert_eq!(status, StatusCode::OK);

    lab.down();
    for key in [&shop, &other] {
        assert!(!holds(lab.dir(), key), "a file of the lab holds {key}");
    }
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
