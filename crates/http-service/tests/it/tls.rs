//! A server over TLS: what it shows, whom it waits for, and what happens as its files change.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http_service::metrics::Metrics;
use http_service::server::Tls;
use program::Env;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::server::{LONG, Running, bind_with, connect, end, is_closed, serve};

/// The files of a server's certificate and key, which a test writes again.
struct Files(TempDir);

impl Files {
    fn with(identity: &CertifiedKey<KeyPair>) -> Self {
        let files = Self(TempDir::new().unwrap());
        files.write_certificate(identity);
        files.write_key(identity);
        files
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write_certificate(&self, identity: &CertifiedKey<KeyPair>) {
        std::fs::write(self.path("certificate.pem"), identity.cert.pem()).unwrap();
    }

    fn write_key(&self, identity: &CertifiedKey<KeyPair>) {
        let key = identity.signing_key.serialize_pem();
        std::fs::write(self.path("key.pem"), key).unwrap();
    }

    fn tls(&self) -> Tls {
        let (certificate, key) = (self.path("certificate.pem"), self.path("key.pem"));
        let mut env = Env::from([
            ("TLS_CERT_FILE", certificate.as_str()),
            ("TLS_KEY_FILE", key.as_str()),
        ]);
        Tls::from_env(&mut env).unwrap()
    }

    async fn serve(&self) -> Running {
        serve(bind_with(Some(self.tls())).await, routes())
    }

    /// Serves by the test's clock, which is that of its own thread.
    async fn serve_by_this_clock(&self) -> Running {
        serve(bind_with(Some(self.tls())).await.with_cores(1), routes())
    }
}

fn routes() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

fn identity() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["server.test".to_owned()]).unwrap()
}

/// A connection whose other end shows this certificate; an error if it shows another, or none.
async fn trusting(
    certificate: &CertificateDer<'static>,
    stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("server.test").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// Sends a request on a connection that stays open, and reads its answer.
async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    while !text.ends_with("hello") {
        let mut buffer = [0; 1024];
        let read = timeout(LONG, stream.read(&mut buffer)).await;
        let read = read.expect(&text).unwrap();
        assert!(read > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

/// Waits until new connections are shown this certificate.
async fn until_shown(server: &Running, identity: &CertifiedKey<KeyPair>) {
    let shown = async {
        while trusting(identity.cert.der(), connect(server).await)
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, shown).await.expect("the new certificate");
}

#[tokio::test]
async fn p10_with_a_certificate_the_server_speaks_tls_and_http_1_1() {
    let identity = identity();
    let server = Files::with(&identity).serve().await;
    let stream = connect(&server).await;
    let mut stream = trusting(identity.cert.der(), stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    for _ in 0..2 {
        let answer = ask(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn p10_a_plain_request_to_a_tls_port_gets_no_answer() {
    let server = Files::with(&identity()).serve().await;
    let mut plain = connect(&server).await;
    plain
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let ended = timeout(LONG, plain.read_to_end(&mut answer)).await;
    ended.expect("it is closed").unwrap();
    // At most an alert of TLS.
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn p5_a_handshake_that_stalls_is_closed_at_the_limit() {
    let server = Files::with(&identity()).serve_by_this_clock().await;
    let mut silent = connect(&server).await;
    let mut half = connect(&server).await;
    // The head of a ClientHello, without its body.
    half.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
    tokio::time::pause();
    let began = Instant::now();
    assert!(is_closed(&mut silent).await);
    assert!(is_closed(&mut half).await);
    let limit = began.elapsed().as_secs();
    assert!((5..=11).contains(&limit), "{limit}");
}

#[tokio::test]
async fn p5_at_the_cap_a_stalled_handshake_gives_way() {
    let identity = identity();
    let files = Files::with(&identity);
    let mut metrics = Metrics::default();
    let server = bind_with(Some(files.tls())).await.with_connections_max(1);
    server.register(&mut metrics);
    let server = serve(server, routes());
    let mut silent = connect(&server).await;
    let stream = connect(&server).await;
    let mut stream = trusting(identity.cert.der(), stream).await.unwrap();
    assert!(is_closed(&mut silent).await);
    ask(&mut stream).await;
    assert!(metrics.text().contains("payments_connections 1\n"));
}

#[tokio::test]
async fn p9_a_stalled_handshake_does_not_hold_up_the_end() {
    let identity = identity();
    let server = Files::with(&identity).serve_by_this_clock().await;
    let mut silent = connect(&server).await;
    // Whoever comes after it is served, so it was accepted.
    let stream = connect(&server).await;
    let mut stream = trusting(identity.cert.der(), stream).await.unwrap();
    ask(&mut stream).await;
    tokio::time::pause();
    let began = Instant::now();
    end(server).await;
    assert!(is_closed(&mut silent).await);
    let took = began.elapsed().as_secs();
    assert_eq!(took, 0, "a handshake may take 10 s");
}

#[tokio::test]
async fn p9_a_new_certificate_is_shown_without_a_restart() {
    let [old, new] = [identity(), identity()];
    let files = Files::with(&old);
    let server = files.serve().await;
    let stream = connect(&server).await;
    let mut kept = trusting(old.cert.der(), stream).await.unwrap();
    ask(&mut kept).await;
    // A pair is two files: for a moment they do not belong together, and the old pair serves.
    files.write_certificate(&new);
    files.write_key(&new);
    until_shown(&server, &new).await;
    ask(&mut kept).await;
}

#[tokio::test]
async fn p9_a_broken_pair_leaves_the_old_one_in_force() {
    let [old, other, new] = [identity(), identity(), identity()];
    let files = Files::with(&old);
    let server = files.serve().await;
    files.write_certificate(&other);
    tokio::time::pause();
    tokio::time::sleep(LONG).await;
    tokio::time::resume();
    let stream = connect(&server).await;
    let mut stream = trusting(old.cert.der(), stream).await.unwrap();
    ask(&mut stream).await;
    files.write_certificate(&new);
    files.write_key(&new);
    until_shown(&server, &new).await;
}

#[test]
fn one_file_without_the_other_is_a_mistake_that_names_both() {
    for name in ["TLS_CERT_FILE", "TLS_KEY_FILE"] {
        let mut env = Env::from([(name, "/nonexistent.pem")]);
        assert!(Tls::from_env(&mut env).is_none());
        let text = env.finish(|| Some(())).unwrap_err().to_string();
        assert!(
            text.contains("TLS_CERT_FILE and TLS_KEY_FILE go together"),
            "{text}"
        );
    }
}

#[test]
fn files_that_can_not_be_read_are_a_mistake_of_the_configuration() {
    let mut env = Env::from([
        ("TLS_CERT_FILE", "/nonexistent.pem"),
        ("TLS_KEY_FILE", "/nonexistent.pem"),
    ]);
    assert!(Tls::from_env(&mut env).is_none());
    let text = env.finish(|| Some(())).unwrap_err().to_string();
    assert!(text.contains("can't read /nonexistent.pem: "), "{text}");
}
