//! `payctl client`, and credentials of `payctl pay` and `status`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use clients::digest::ContentDigest;
use clients::registry::Registry;
use clients::signature::Message;
use payment_core::Timestamp;
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::net::TcpListener;

use crate::harness::{Said, payctl};

struct ClientsFile {
    folder: TempDir,
    path: PathBuf,
}

impl ClientsFile {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("clients.toml");
        Self { folder, path }
    }

    async fn client(&self, args: &[&str]) -> Said {
        let variables = [("CLIENTS_FILE", self.path.display().to_string())];
        payctl(&[&["client"], args].concat(), &variables).await
    }

    /// The key that a command printed.
    async fn key(&self, args: &[&str]) -> String {
        let said = self.client(args).await;
        assert_eq!(said.code, 0, "{said:?}");
        let key = said.out.lines().last().unwrap().to_owned();
        assert!(key.starts_with("pk_"), "{said:?}");
        key
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    fn registry(&self) -> Registry {
        Registry::parse(&self.text()).unwrap()
    }

    fn key_ids(&self, client: &str) -> Vec<String> {
        let registry = self.registry();
        let client = registry
            .clients()
            .iter()
            .find(|known| known.name.as_str() == client);
        client
            .unwrap()
            .keys
            .iter()
            .map(|key| key.id.to_string())
            .collect()
    }

    fn in_folder(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn p10_a_key_is_printed_once_and_its_hash_alone_is_kept() {
    let file = ClientsFile::new();
    let key = file
        .key(&[
            "add",
            "shop",
            "--rate",
            "50",
            "--burst",
            "100",
            "--in-flight",
            "20",
            "--expires",
            "2100-01-01",
        ])
        .await;
    let text = file.text();
    assert!(!text.contains(&key) && !text.contains(&key[3..]), "{text}");
    for part in [
        "rate = 50",
        "burst = 100",
        "in_flight = 20",
        "expires = 2100-01-01T00:00:00Z",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(mode(&file.path), 0o640);
    let list = file.client(&["list"]).await;
    list.check(
        0,
        &["shop", "sha256", "50", "100", "20", "2100-01-01T00:00:00Z"],
    );
    assert!(!list.out.contains("pk_"));
    let json = file.client(&["list", "--json"]).await;
    json.check(0, &[r#""client":"shop""#, r#""in_flight":20"#]);
}

#[tokio::test]
async fn p10_a_key_is_rotated_and_the_old_one_revoked() {
    let file = ClientsFile::new();
    let first = file.key(&["add", "shop"]).await;
    let old = file.key_ids("shop");
    let second = file.key(&["rotate", "shop"]).await;
    assert_ne!(first, second);
    assert_eq!(file.key_ids("shop").len(), 2);
    file.client(&["revoke", "shop", &old[0]])
        .await
        .check(0, &["revoked"]);
    let left = file.key_ids("shop");
    assert!(left.len() == 1 && left != old, "{left:?}");
    file.client(&["revoke", "shop"])
        .await
        .check(0, &["revoked"]);
    assert!(file.registry().clients().is_empty());
    file.client(&["add", "page", "--rate", "5"])
        .await
        .check(0, &["have no key"]);
    assert!(file.registry().page().is_some());
}

#[tokio::test]
async fn p10_comments_and_mode_stay_and_what_is_wrong_changes_nothing() {
    let file = ClientsFile::new();
    fs::write(
        &file.path,
        "# Who may pay.\n[clients.page] # ours\nrate = 1\n",
    )
    .unwrap();
    fs::set_permissions(&file.path, Permissions::from_mode(0o604)).unwrap();
    file.key(&["add", "shop"]).await;
    let text = file.text();
    assert!(
        text.starts_with("# Who may pay.\n[clients.page] # ours\nrate = 1\n"),
        "{text}"
    );
    assert_eq!(mode(&file.path), 0o604);
    let key_file = file.in_folder("hmac");
    for (args, code, part) in [
        (&["add", "shop"][..], 64, "rotate shop"),
        (&["add", "Shop"], 64, "1 to 32"),
        (&["rotate", "other"], 64, "no client other"),
        (&["rotate", "page"], 64, "no keys"),
        (&["revoke", "other"], 64, "no client other"),
        (&["revoke", "shop", "k_0"], 64, "no key"),
        (&["add", "b", "--burst", "5"], 64, "--rate"),
        (&["rotate", "shop", "--hmac", &key_file], 64, "chmod o-rwx"),
    ] {
        let said = file.client(args).await;
        assert!(
            said.code == code && said.err.contains(part),
            "{args:?}: {said:?}"
        );
        assert_eq!(file.text(), text, "{args:?}");
    }
    assert!(!Path::new(&key_file).exists());
    let busy = file.folder.path().join(".clients.toml.new");
    fs::write(&busy, "").unwrap();
    file.client(&["rotate", "shop"])
        .await
        .check(2, &["another payctl"]);
    fs::remove_file(&busy).unwrap();
    fs::write(&file.path, "[clients.x]\nrate = 0\n").unwrap();
    file.client(&["add", "y"]).await.check(64, &["line 2"]);
    assert_eq!(fs::read_dir(file.folder.path()).unwrap().count(), 1);
}

/// Head and body of each request.
type Seen = Vec<(Request<()>, Vec<u8>)>;

#[derive(Clone, Default)]
struct Front(Arc<Mutex<Seen>>);

async fn receive(State(front): State<Front>, request: Request) -> impl IntoResponse {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 16).await.unwrap().to_vec();
    let mut seen = front.0.lock().unwrap();
    seen.push((Request::from_parts(head, ()), body));
    (StatusCode::ACCEPTED, r#"{"id":"tx_1","status":"accepted"}"#)
}

#[tokio::test]
async fn p10_a_payment_brings_its_key_or_a_signature_that_the_file_knows() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let front = Front::default();
    let router = Router::new().fallback(receive).with_state(front.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let file = ClientsFile::new();
    let key = file.key(&["add", "shop"]).await;
    let [ed25519, hmac] = ["ed25519", "hmac"].map(|name| file.in_folder(name));
    file.client(&["add", "signs", "--ed25519", &ed25519])
        .await
        .check(0, &["key k_"]);
    file.client(&["rotate", "signs", "--hmac", &hmac])
        .await
        .check(0, &["key k_"]);
    assert_eq!(mode(Path::new(&hmac)), 0o600);

    let pay = ["pay", "--id", "tx_1", "--amount", "1"];
    let alb = ("ALB_URL", url);
    let with_key = [alb.clone(), ("PAY_KEY", key.clone())];
    let alone = &[alb];
    payctl(&pay, &with_key).await.check(0, &["202"]);
    for (flag, value, client) in [
        ("--key", &key, "shop"),
        ("--sign", &ed25519, "signs"),
        ("--sign", &hmac, "signs"),
    ] {
        payctl(&[&pay[..], &[flag, value]].concat(), alone)
            .await
            .check(0, &["202"]);
        payctl(&["status", "tx_1", flag, value], alone).await;
        let seen = front.0.lock().unwrap();
        for (request, body) in &seen[seen.len() - 2..] {
            let message = Message {
                method: request.method(),
                uri: request.uri(),
                headers: request.headers(),
            };
            let registry = file.registry();
            let known = registry.authenticate(&message, Timestamp::new(OffsetDateTime::now_utc()));
            assert_eq!(registry.clients()[known.unwrap()].name.as_str(), client);
            if flag == "--sign" && !body.is_empty() {
                assert!(ContentDigest::of(request.headers()).unwrap().is_of(body));
            }
        }
    }
    payctl(&[&pay[..], &["--sign", "/nowhere"]].concat(), alone)
        .await
        .check(64, &["key file /nowhere"]);
}
