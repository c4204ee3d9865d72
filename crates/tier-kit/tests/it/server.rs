//! The life of a server, over real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tier_kit::server::{Drain, Listen, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

const LONG: Duration = Duration::from_secs(30);

struct Running {
    addr: SocketAddr,
    drain: Drain,
    signals: mpsc::Sender<()>,
    ended: JoinHandle<()>,
}

async fn run(router: Router, idle: Duration) -> Running {
    let server = Server::bind(Listen {
        addr: ([127, 0, 0, 1], 0).into(),
        drain: LONG,
    })
    .await
    .unwrap()
    .with_idle_limit(idle);
    let (signals, mut receiver) = mpsc::channel(1);
    let (addr, drain) = (server.local_addr().unwrap(), server.drain());
    let ended = tokio::spawn(server.serve_until(router, async move || {
        receiver.recv().await;
    }));
    Running {
        addr,
        drain,
        signals,
        ended,
    }
}

/// Sends a request on a connection that stays open, and reads what comes until the body `end`.
async fn ask(stream: &mut TcpStream, end: &str) -> String {
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    read_to(stream, end).await
}

async fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut buffer = [0; 1024];
        let read = tokio::time::timeout(LONG, stream.read(&mut buffer))
            .await
            .expect(&text)
            .unwrap();
        assert!(read > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(
        tokio::time::timeout(LONG, stream.read(&mut [0; 1])).await,
        Ok(Ok(0))
    )
}

#[tokio::test]
async fn p9_a_draining_server_serves_on_and_then_finishes_what_it_began() {
    let (started, mut has_started) = mpsc::channel::<()>(1);
    let (finish, may_finish) = tokio::sync::watch::channel(false);
    let slow = move || async move {
        let mut may_finish = may_finish.clone();
        started.send(()).await.unwrap();
        may_finish.wait_for(|finish| *finish).await.unwrap();
        "slow done"
    };
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/slow", get(slow));
    let mut server = run(router, LONG).await;
    let mut idle = TcpStream::connect(server.addr).await.unwrap();
    assert!(ask(&mut idle, "hello").await.starts_with("HTTP/1.1 200"));

    server.signals.send(()).await.unwrap();
    server.drain.clone().wait_until_draining().await;
    let mut late = TcpStream::connect(server.addr).await.unwrap();
    assert!(
        ask(&mut late, "hello").await.starts_with("HTTP/1.1 200"),
        "the port is open while draining"
    );

    let mut busy = TcpStream::connect(server.addr).await.unwrap();
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    has_started.recv().await.unwrap();
    server.signals.send(()).await.unwrap();
    assert!(
        is_closed(&mut idle).await,
        "idle connections are closed at the end"
    );
    assert!(
        TcpStream::connect(server.addr).await.is_err(),
        "and so is the port"
    );
    assert!(!server.ended.is_finished());
    finish.send(true).unwrap();
    assert!(
        read_to(&mut busy, "slow done")
            .await
            .starts_with("HTTP/1.1 200")
    );
    (&mut server.ended).await.unwrap();
}

/// Pins what hyper does with `header_read_timeout`: it bounds half-sent heads and idle connections alike.
#[tokio::test]
async fn idle_connections_and_half_sent_heads_are_closed_at_the_limit() {
    let server = run(
        Router::new().route("/", get(|| async { "hello" })),
        Duration::from_millis(300),
    )
    .await;
    let mut idle = TcpStream::connect(server.addr).await.unwrap();
    ask(&mut idle, "hello").await;
    assert!(is_closed(&mut idle).await);
    let mut half = TcpStream::connect(server.addr).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    assert!(is_closed(&mut half).await);
}
