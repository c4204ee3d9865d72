//! TLS of a server: a certificate and its key, in force from one good pair of files to the next.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use program::chain;
use program::env::{Env, Variable};
use tls::{Identity, IdentityError, Pem};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// Time from a connection to the end of its handshake, which is three messages: as long as a load balancer waits for a
/// target.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How often the files are looked at.
const POLL: Duration = Duration::from_secs(1);

/// An identity that was good at the start.
#[derive(Debug, Clone)]
pub struct Tls {
    identity: Identity,
    /// What the files held when they were read last, good or not.
    seen: Pem,
    /// Configuration made from the files at the start.
    config: Arc<ServerConfig>,
}

impl Tls {
    pub const CERTIFICATE: Variable = Variable {
        name: "TLS_CERT_FILE",
        default: "optional",
        help: "certificate chain in PEM form, to serve https; with TLS_KEY_FILE; read again when it changes",
    };

    pub const KEY: Variable = Variable {
        name: "TLS_KEY_FILE",
        default: "optional",
        help: "private key of TLS_CERT_FILE in PEM form",
    };

    /// Both variables or neither; the files are read now, so that a mistake in them is one of the configuration.
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let certificate: Option<PathBuf> = env.optional(Self::CERTIFICATE.name);
        let key: Option<PathBuf> = env.optional(Self::KEY.name);
        match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Self::read(Identity { certificate, key })
                .inspect_err(|error| env.mistake(format!("TLS: {}", chain(error))))
                .ok(),
            _ => {
                env.mistake("TLS_CERT_FILE and TLS_KEY_FILE go together: set both or neither");
                None
            }
        }
    }

    pub fn read(identity: Identity) -> Result<Self, IdentityError> {
        let seen = identity.read()?;
        Ok(Self {
            config: identity.server(&seen)?,
            seen,
            identity,
        })
    }

    /// The settings to be in force from now on, where the files changed. What they hold is judged once.
    async fn read_again(&mut self) -> Result<Option<Arc<ServerConfig>>, IdentityError> {
        let identity = self.identity.clone();
        let Ok(read) = spawn_blocking(move || identity.read()).await else {
            return Ok(None);
        };
        let pem = read?;
        if pem == self.seen {
            return Ok(None);
        }
        self.seen = pem;
        self.identity.server(&self.seen).map(Some)
    }
}

/// Takes handshakes with the identity that is in force.
#[derive(Debug, Clone)]
pub(super) struct Handshakes(watch::Receiver<Arc<ServerConfig>>);

impl Handshakes {
    /// Follows the files for as long as it lives.
    pub(super) fn start(tls: Tls) -> Self {
        let (in_force, current) = watch::channel(Arc::clone(&tls.config));
        tokio::spawn(follow(tls, in_force));
        Self(current)
    }

    /// The connection once it speaks TLS; `None` where it does not within the limit. A load balancer's probe that only
    /// connects is no news.
    pub(super) fn accept(
        &self,
        stream: TcpStream,
    ) -> impl Future<Output = Option<TlsStream<TcpStream>>> + use<> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.0.borrow()));
        async move {
            let accepted = timeout(HANDSHAKE, acceptor.accept(stream)).await;
            accepted
                .unwrap_or_else(|late| Err(io::Error::from(late)))
                .inspect_err(|error| tracing::debug!(error = chain(error), "no TLS handshake"))
                .ok()
        }
    }
}

async fn follow(mut tls: Tls, in_force: watch::Sender<Arc<ServerConfig>>) {
    let mut told: Option<String> = None;
    while !in_force.is_closed() {
        sleep(POLL).await;
        let error = match tls.read_again().await {
            Ok(None) => None,
            Ok(Some(config)) => {
                in_force.send_replace(config);
                tracing::info!("TLS: another certificate is in force");
                None
            }
            Err(error) => Some(chain(&error)),
        };
        if let Some(error) = &error
            && told.as_ref() != Some(error)
        {
            tracing::warn!(error, "TLS: the certificate stays as it was");
        }
        told = error;
    }
}
