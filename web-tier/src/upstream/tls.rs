//! TLS to the internal load balancer, whose certificate and name are verified.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use program::chain;
use program::env::{Env, Variable};
use tls::Roots;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::link::CONNECT;

pub const CA_FILE: Variable = Variable {
    name: "APP_TIER_CA_FILE",
    default: "the system's",
    help: "CA certificates in PEM form that an https APP_TIER_URL is verified against",
};

/// TLS to a load balancer, whose certificate must be for its name.
#[derive(Debug, Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads the CA file for a load balancer of this name; `None` without one, and after a mistake.
    pub(crate) fn from_env(env: &mut Env, name: Option<ServerName<'static>>) -> Option<Self> {
        let file: Option<PathBuf> = env.optional(CA_FILE.name);
        let Some(name) = name else {
            if file.is_some() {
                env.mistake("APP_TIER_CA_FILE is set, but APP_TIER_URL is not https");
            }
            return None;
        };
        Self::trusting(file, name)
            .map_err(|mistake| env.mistake(mistake))
            .ok()
    }

    fn trusting(file: Option<PathBuf>, name: ServerName<'static>) -> Result<Self, String> {
        let roots = match file {
            Some(path) => Roots::of_file(&path)
                .map_err(|e| format!("APP_TIER_CA_FILE={}: {}", path.display(), chain(&e)))?,
            None => Roots::of_the_system(),
        };
        if roots.is_empty() {
            return Err(
                "APP_TIER_URL is https, and this system has no CA certificates: set APP_TIER_CA_FILE"
                    .to_owned(),
            );
        }
        let mut config = roots.client().map_err(|e| chain(&e))?;
        config.alpn_protocols = vec![tls::HTTP_1_1.to_vec()];
        let config = Arc::new(config);
        Ok(Self { config, name })
    }

    pub(super) async fn handshake(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        timeout(CONNECT, connector.connect(self.name.clone(), stream)).await?
    }
}
