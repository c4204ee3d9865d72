//! How strictly the server's certificate is checked.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use super::ConfigError;

/// Certificates of those who may vouch for the server's.
#[derive(Debug, Clone)]
pub struct CaBundle(Arc<[u8]>);

impl CaBundle {
    /// Reads a file in PEM form.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let pem = std::fs::read(path).map_err(|source| ConfigError::CaBundle {
            path: path.to_owned(),
            source,
        })?;
        let marker = b"-----BEGIN CERTIFICATE-----";
        if pem.windows(marker.len()).any(|window| window == marker) {
            Ok(Self(pem.into()))
        } else {
            Err(ConfigError::NotACaBundle {
                path: path.to_owned(),
            })
        }
    }

    pub(super) fn pem(&self) -> &[u8] {
        &self.0
    }
}

/// On another machine the certificate is verified with the host's name, always: the driver's own default,
/// PREFERRED, falls back to plain text, and REQUIRED takes any certificate.
/// On this machine the mode is as named, or PREFERRED: MySQL wants TLS for a password that it has not cached.
/// `None` if another mode was named for another machine.
pub(super) fn mode(options: &MySqlConnectOptions, mode_is_named: bool) -> Option<MySqlSslMode> {
    let given = options.get_ssl_mode();
    if is_local(options) {
        return Some(given);
    }
    let left_out = matches!(given, MySqlSslMode::Preferred) && !mode_is_named;
    (left_out || matches!(given, MySqlSslMode::VerifyIdentity))
        .then_some(MySqlSslMode::VerifyIdentity)
}

pub(super) fn is_local(options: &MySqlConnectOptions) -> bool {
    options.get_socket().is_some() || is_loopback(options.get_host())
}

/// Whether the URL names a TLS mode: the driver does not tell PREFERRED from none.
pub(super) fn is_named_in(url: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .any(|name| matches!(name, "ssl-mode" | "sslmode"))
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}
