//! The app tier over TLS: whom the web tier trusts, and what it sends again where a handshake fails.

use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use http_service::metrics::Metrics;
use http_service::server::{Listen, Server, Tls};
use program::Env;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::addresses::Name;
use crate::tier::Tier;

const JSON: (&str, &str) = ("content-type", "application/json");

struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// An app tier with a certificate, which accepts everything.
struct Upstream {
    address: SocketAddr,
    payments: Arc<AtomicUsize>,
    metrics: Metrics,
    serving: AbortHandle,
}

impl Ca {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self {
            issuer: CertifiedIssuer::self_signed(params, key).unwrap(),
            folder: TempDir::new().unwrap(),
        }
    }

    fn file(&self) -> String {
        self.write("ca.pem", &self.issuer.pem())
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// A certificate for this name.
    fn tls(&self, name: &str) -> Tls {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let certificate = self.write("certificate.pem", &certificate.pem());
        let key = self.write("key.pem", &key.serialize_pem());
        let mut env = Env::from([
            ("TLS_CERT_FILE", certificate.as_str()),
            ("TLS_KEY_FILE", key.as_str()),
        ]);
        Tls::from_env(&mut env).unwrap()
    }
}

impl Upstream {
    async fn start(tls: Tls) -> Self {
        let listen = Listen {
            addr: ([127, 0, 0, 1], 0).into(),
            drain: Duration::ZERO,
            tls: Some(tls),
        };
        let server = Server::bind(listen).await.unwrap();
        let mut metrics = Metrics::default();
        server.register(&mut metrics);
        let payments = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&payments);
        let accept = async move || {
            count.fetch_add(1, Ordering::Relaxed);
            "{}"
        };
        let router = Router::new().route("/process", post(accept));
        let address = server.local_addr().unwrap();
        let serving = server.serve_until(
            move || router.clone(),
            async || std::future::pending().await,
        );
        Self {
            address,
            payments,
            metrics,
            serving: tokio::spawn(serving).abort_handle(),
        }
    }

    fn payments(&self) -> usize {
        self.payments.load(Ordering::Relaxed)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test]
async fn p10_payments_share_tls_connections_to_whom_the_ca_vouches_for() {
    let ca = Ca::new();
    let upstream = Upstream::start(ca.tls("internal-alb")).await;
    let tier = Tier::over_tls(Name(vec![upstream.address]), &ca.file()).await;
    let cores = available_parallelism().map_or(1, NonZero::get);
    let payments = 3 * cores;
    for _ in 0..payments {
        let answer = tier.post(&[JSON], "{}").await;
        assert_eq!(answer.status().as_u16(), 200);
    }
    assert_eq!(upstream.payments(), payments);
    let text = upstream.metrics.text();
    let one_for_a_core = |open| text.contains(&format!("payments_connections {open}\n"));
    assert!((1..=cores).any(one_for_a_core), "{text}");
}

#[tokio::test]
async fn p10_nothing_is_sent_to_an_app_tier_that_is_not_the_one() {
    let (ca, other) = (Ca::new(), Ca::new());
    for upstream in [
        Upstream::start(ca.tls("another-name")).await,
        Upstream::start(other.tls("internal-alb")).await,
    ] {
        let tier = Tier::over_tls(Name(vec![upstream.address]), &ca.file()).await;
        let answer = tier.post(&[JSON], r#"{"id":"a"}"#).await;
        assert_eq!(answer.status().as_u16(), 502);
        assert_eq!(upstream.payments(), 0);
        let (status, why) = tier.admin("/ready").await;
        assert_eq!(status, 503);
        assert!(why.contains("certificate"), "{why}");
    }
}

/// Nothing was sent before the handshake ended, so even a payment without an id may go another way.
#[tokio::test]
async fn a_payment_whose_handshake_was_refused_is_sent_again() {
    let ca = Ca::new();
    let upstream = Upstream::start(ca.tls("internal-alb")).await;
    let refusing = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = vec![refusing.local_addr().unwrap(), upstream.address];
    let refusals = tokio::spawn(async move {
        loop {
            drop(refusing.accept().await.unwrap());
        }
    });
    for name in [addresses.clone(), addresses.into_iter().rev().collect()] {
        let tier = Tier::over_tls(Name(name), &ca.file()).await;
        let answer = tier.post(&[JSON], "{}").await;
        assert_eq!(answer.status().as_u16(), 200);
    }
    assert_eq!(upstream.payments(), 2);
    refusals.abort();
}
