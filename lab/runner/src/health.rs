//! Health checks of parts.

use std::{fmt, net::SocketAddr, time::Duration};

use reqwest::StatusCode;
use tls::Roots;
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};

use crate::{http, output};

/// One check takes no longer than this.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Protocol version in a MySQL server's greeting.
/// <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html>
const HANDSHAKE_V10: u8 = 10;

/// An error packet instead of a greeting, and the error of a healthy server that has no accounts for this host yet
/// (`ER_HOST_NOT_PRIVILEGED`).
const ERROR: u8 = 0xff;
const HOST_NOT_PRIVILEGED: u16 = 1130;

/// How a part shows that it is well.
#[derive(Clone, Debug)]
pub enum Health {
    /// `GET path` answers 200.
    Http { path: &'static str },
    /// The same over TLS.
    Https { path: &'static str, roots: Roots },
    /// A connection is taken.
    Connects,
    /// A new connection is greeted, rather than refused or told of too many connections.
    MysqlGreeting,
}

/// Why a part is not well.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unhealthy(String);

impl fmt::Display for Unhealthy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Health {
    /// What is asked of a part at this address, where it is asked by HTTP.
    pub fn url(&self, address: SocketAddr) -> Option<String> {
        match self {
            Self::Http { path } => Some(format!("http://{address}{path}")),
            Self::Https { path, .. } => Some(format!("https://{address}{path}")),
            Self::Connects | Self::MysqlGreeting => None,
        }
    }

    pub async fn check(&self, address: SocketAddr) -> Result<(), Unhealthy> {
        let url = self.url(address).unwrap_or_default();
        let answer = match self {
            Self::Http { path } => timeout(TIMEOUT, get(&url, path, &Roots::none())).await,
            Self::Https { path, roots } => timeout(TIMEOUT, get(&url, path, roots)).await,
            Self::Connects => timeout(TIMEOUT, connect(address)).await,
            Self::MysqlGreeting => timeout(TIMEOUT, greeting(address)).await,
        };
        answer.unwrap_or_else(|_| {
            Err(Unhealthy(format!(
                "no answer within {} s",
                TIMEOUT.as_secs()
            )))
        })
    }
}

async fn get(url: &str, path: &str, roots: &Roots) -> Result<(), Unhealthy> {
    let client = http::Client::new(roots, TIMEOUT).map_err(|e| Unhealthy(output::chain(&e)))?;
    let answer = client.get(url).await;
    match answer.map_err(|e| Unhealthy(output::chain(&e)))?.status {
        StatusCode::OK => Ok(()),
        status => Err(Unhealthy(format!("GET {path} answers {status}"))),
    }
}

async fn connect(address: SocketAddr) -> Result<(), Unhealthy> {
    let taken = TcpStream::connect(address).await;
    taken
        .map(drop)
        .map_err(|error| Unhealthy(error.to_string()))
}

async fn greeting(address: SocketAddr) -> Result<(), Unhealthy> {
    // Three bytes of length, one of sequence, then the protocol version, or an error and its code.
    let mut head = [0; 7];
    let mut stream = TcpStream::connect(address)
        .await
        .map_err(|error| Unhealthy(error.to_string()))?;
    stream
        .read_exact(&mut head)
        .await
        .map_err(|error| Unhealthy(error.to_string()))?;
    match (head[4], u16::from_le_bytes([head[5], head[6]])) {
        (HANDSHAKE_V10, _) | (ERROR, HOST_NOT_PRIVILEGED) => Ok(()),
        (ERROR, code) => Err(Unhealthy(format!("refuses connections with error {code}"))),
        _ => Err(Unhealthy("does not speak MySQL's protocol".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt as _, net::TcpListener};

    use super::*;

    /// Accepts one connection, and speaks first as a database does.
    async fn greeting_with(bytes: &'static [u8]) -> SocketAddr {
        one_connection(move |mut stream| async move {
            stream.write_all(bytes).await.unwrap();
            // Kept open until the other side has read.
            let _ = stream.read(&mut [0; 1024]).await;
        })
        .await
    }

    /// Accepts one connection, and answers the first request.
    async fn answering_with(status: &'static str) -> SocketAddr {
        one_connection(move |mut stream| async move {
            let _ = stream.read(&mut [0; 1024]).await;
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
        })
        .await
    }

    async fn one_connection<F>(serve: impl FnOnce(TcpStream) -> F + Send + 'static) -> SocketAddr
    where
        F: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream).await;
        });
        address
    }

    #[tokio::test]
    async fn a_server_with_too_many_connections_is_not_healthy() {
        let greeted = greeting_with(b"\x4a\0\0\0\x0a5.5.5-10.11.19-MariaDB\0").await;
        assert_eq!(Health::MysqlGreeting.check(greeted).await, Ok(()));

        let refused = greeting_with(b"\x17\0\0\0\xff\x10\x04Too many connections").await;
        let unhealthy = Health::MysqlGreeting.check(refused).await.unwrap_err();
        assert_eq!(unhealthy.to_string(), "refuses connections with error 1040");
    }

    #[tokio::test]
    async fn a_server_without_accounts_for_this_host_is_healthy() {
        let new = greeting_with(b"\x45\0\0\0\xff\x6a\x04Host '127.0.0.1' is not allowed").await;
        assert_eq!(Health::MysqlGreeting.check(new).await, Ok(()));
    }

    #[tokio::test]
    async fn a_draining_server_is_not_healthy() {
        let health = Health::Http { path: "/health" };
        let well = answering_with("200 OK").await;
        assert_eq!(health.check(well).await, Ok(()));

        let draining = answering_with("503 Service Unavailable").await;
        let unhealthy = health.check(draining).await.unwrap_err();
        assert_eq!(
            unhealthy.to_string(),
            "GET /health answers 503 Service Unavailable"
        );
    }

    #[tokio::test]
    async fn nobody_listening_is_not_healthy() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(Health::MysqlGreeting.check(address).await.is_err());
    }
}
