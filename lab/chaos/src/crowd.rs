//! Many clients at once, at one server of a tier: each opens a connection, sends a request or half of one, and stays.

use std::{io, net::SocketAddr, time::Duration};

use futures::future::join_all;
use lab_runner::{lab::Lab, part::PartName};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{sleep, timeout},
};

/// Connections that are opened at the same moment.
const AT_ONCE: usize = 1_000;

/// Longest time to open a connection: a stopped server accepts none.
const OPEN_MAX: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Crowd {
    /// A burst of new connections.
    Burst,
    /// Payments of which one byte of the body has arrived.
    HalfSent,
    /// More status queries than a tier takes requests at a time, while the database is silent.
    Polls,
}

impl Crowd {
    pub fn name(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::HalfSent => "half-sent",
            Self::Polls => "polls",
        }
    }

    fn size(self) -> usize {
        match self {
            Self::Burst => AT_ONCE,
            Self::HalfSent => 4_000,
            Self::Polls => 4_200,
        }
    }

    fn request(self, path: &str) -> String {
        match self {
            Self::Burst => "GET /health HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
            Self::HalfSent => format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{{"
            ),
            Self::Polls => format!("GET {path}/unknown HTTP/1.1\r\nhost: x\r\n\r\n"),
        }
    }

    /// Opens the connections, and closes them after `length`.
    pub async fn visit(self, part: PartName, lab: &Lab, length: Duration) {
        let path = match part {
            PartName::AppA | PartName::AppB => "/process",
            _ => "/pay",
        };
        let (address, request) = (lab.address(part), self.request(path));
        let come = async {
            let mut connections = Vec::with_capacity(self.size());
            while connections.len() < self.size() {
                let count = AT_ONCE.min(self.size() - connections.len());
                let opened = (0..count).map(|_| open(address, request.as_bytes()));
                connections.extend(join_all(opened).await);
            }
            connections
        };
        // Connections that cannot be opened, because the server was killed meanwhile, are left out.
        let (_connections, ()) = tokio::join!(timeout(length, come), sleep(length));
    }
}

async fn open(address: SocketAddr, request: &[u8]) -> io::Result<TcpStream> {
    let mut stream = timeout(OPEN_MAX, TcpStream::connect(address)).await??;
    stream.write_all(request).await?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn each_connection_of_a_crowd_sends_its_request_and_stays() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let request = Crowd::HalfSent.request("/pay");
        let mut sent = open(address, request.as_bytes()).await.unwrap();
        let (mut accepted, _) = listener.accept().await.unwrap();
        let mut received = vec![0; request.len()];
        tokio::io::AsyncReadExt::read_exact(&mut accepted, &mut received)
            .await
            .unwrap();
        assert_eq!(received, request.as_bytes());
        assert!(request.ends_with("\r\n\r\n{"), "{request}");
        sent.write_all(b"}").await.unwrap();
    }
}
