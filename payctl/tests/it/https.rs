//! `ALB_URL` over https: who vouches for the load balancer, and what is said where nobody does.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::server::TlsStream;

use crate::client::{RECEIPT, Script, answer};
use crate::harness::payctl;

struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A load balancer with a certificate for 127.0.0.1, which ends with the test.
struct Front {
    address: SocketAddr,
    script: Script,
    task: AbortHandle,
}

struct TlsListener(TcpListener, TlsAcceptor);

impl Ca {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn file(&self, folder: &TempDir) -> PathBuf {
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, self.0.pem()).unwrap();
        path
    }

    /// Settings of a server whose certificate ends that many days from now.
    fn server(&self, days: i64) -> ServerConfig {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.not_after = OffsetDateTime::now_utc() + Duration::days(days);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap()
    }
}

impl Front {
    async fn start(server: ServerConfig) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let listener = TlsListener(tcp, TlsAcceptor::from(Arc::new(server)));
        let script = Script::default();
        let router = Router::new().fallback(answer).with_state(script.clone());
        let serving = axum::serve(listener, router).into_future();
        Self {
            address,
            script,
            task: tokio::spawn(serving).abort_handle(),
        }
    }

    fn url(&self, host: &str) -> (&'static str, String) {
        ("ALB_URL", format!("https://{host}:{}", self.address.port()))
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.0.accept().await.unwrap();
            // A client that does not trust the certificate hangs up.
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test]
async fn p1_a_payment_goes_over_https_to_whom_the_named_ca_vouches_for() {
    let (folder, ca) = (TempDir::new().unwrap(), Ca::new());
    let file = text(&ca.file(&folder));
    let front = Front::start(ca.server(1)).await;
    let recorded = (200, "", r#"{"id":"a","state":"recorded"}"#);
    front.script.will_say(&[RECEIPT, recorded, recorded]);
    let url = front.url("127.0.0.1");
    let by_flag = ["pay", "--id", "a", "--ca-file", &file];
    let said = payctl(&by_flag, std::slice::from_ref(&url)).await;
    said.check(0, &["202 Accepted"]);
    for variable in ["ALB_CA_FILE", "SSL_CERT_FILE"] {
        let variables = [url.clone(), (variable, file.clone())];
        payctl(&["status", "a"], &variables).await.check(0, &[]);
    }
}

#[tokio::test]
async fn p10_nothing_is_sent_to_a_server_that_nobody_vouches_for() {
    let (folder, ca) = (TempDir::new().unwrap(), Ca::new());
    let trusted = ("ALB_CA_FILE", text(&ca.file(&folder)));
    let unknown = Front::start(Ca::new().server(1)).await;
    let expired = Front::start(ca.server(-1)).await;
    let good = Front::start(ca.server(1)).await;
    for (front, host, fix) in [
        (&unknown, "127.0.0.1", "--ca-file or ALB_CA_FILE"),
        (&expired, "127.0.0.1", "expired"),
        (&good, "localhost", "another name"),
    ] {
        let variables = [front.url(host), trusted.clone()];
        let said = payctl(&["pay", "--id", "a"], &variables).await;
        said.check(2, &["no answer", fix, "--id a"]);
        assert!(front.script.asked().is_empty());
    }
    // Without the file, the system's CAs do not know it either.
    let said = payctl(&["status", "a"], &[good.url("127.0.0.1")]).await;
    said.check(2, &["--ca-file"]);
}

#[tokio::test]
async fn plain_http_behind_an_https_url_is_named() {
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", plain.local_addr().unwrap());
    let serving = axum::serve(plain, Router::new()).into_future();
    let task = tokio::spawn(serving);
    let said = payctl(&["status", "a"], &[("ALB_URL", url)]).await;
    said.check(2, &["is it http?"]);
    task.abort();
}

#[tokio::test]
async fn a_ca_file_without_certificates_is_wrong_configuration() {
    let folder = TempDir::new().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    for path in [text(&empty), "/nonexistent.pem".to_owned()] {
        let url = ("ALB_URL", "https://pay.example".to_owned());
        let said = payctl(&["status", "a", "--ca-file", &path], &[url]).await;
        said.check(64, &[&path]);
    }
}

#[tokio::test]
async fn doctor_tries_the_front_door_and_the_clock_over_https() {
    let (folder, ca) = (TempDir::new().unwrap(), Ca::new());
    let file = ("SSL_CERT_FILE", text(&ca.file(&folder)));
    let front = Front::start(ca.server(1)).await;
    // Health, a payment without a credential, the clock.
    let unknown = r#"{"status":401,"code":"unknown_client","request_id":"r"}"#;
    let answers = [(200, "", "OK"), (401, "", unknown), (200, "", "")];
    front.script.will_say(&answers);
    let (_, url) = front.url("127.0.0.1");
    let clock = ("AWS_ENDPOINT_URL_S3", url);
    let args = ["doctor", "here"];
    let variables = [front.url("127.0.0.1"), clock, file];
    let said = payctl(&args, &variables).await;
    said.check(2, &["0 finding(s)", "the database was not tried"]);
    assert!(!said.out.contains("clock was not compared"), "{}", said.out);
    let said = payctl(&args, &variables[..2]).await;
    said.check(2, &["front-door", "--ca-file or ALB_CA_FILE"]);
}
