//! Plain HTTP, for requests that no SDK would make.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends `head` verbatim, without a body, and returns the answer. Its lines end as written here; `Connection: close` is
/// added.
pub async fn send(server: SocketAddr, head: &str) -> String {
    let head = format!("{head}\nHost: {server}\nConnection: close\n\n").replace('\n', "\r\n");
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}
