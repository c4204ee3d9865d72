//! The life of a server, over real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::{get, post};
use http_service::http::{Layers, StatusQueries, read_body};
use http_service::metrics::Metrics;
use http_service::server::{Drain, Listen, Server, Tls};
use http_service::spans::Spans;
use payment_core::ErrorCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub const LONG: Duration = Duration::from_secs(30);

pub struct Running {
    addr: SocketAddr,
    drain: Drain,
    signals: mpsc::Sender<()>,
    ended: JoinHandle<()>,
}

pub async fn bind() -> Server {
    bind_with(None).await
}

pub async fn bind_with(tls: Option<Tls>) -> Server {
    let listen = Listen {
        addr: ([127, 0, 0, 1], 0).into(),
        drain: LONG,
        tls,
    };
    Server::bind(listen).await.unwrap()
}

/// Ends without a drain.
pub async fn end(server: Running) {
    for _ in 0..2 {
        server.signals.send(()).await.unwrap();
    }
    server.ended.await.unwrap();
}

pub async fn run(router: Router, idle: Duration) -> Running {
    serve(bind().await.with_idle_limit(idle), router)
}

pub fn serve(server: Server, router: Router) -> Running {
    let (signals, mut receiver) = mpsc::channel(1);
    let (addr, drain) = (server.local_addr().unwrap(), server.drain());
    let ended = tokio::spawn(server.serve_until(
        move || router.clone(),
        async move || {
            receiver.recv().await;
        },
    ));
    Running {
        addr,
        drain,
        signals,
        ended,
    }
}

/// Sends a request on a connection that stays open, and reads what comes until the body `end`.
pub async fn ask(stream: &mut TcpStream, end: &str) -> String {
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    read_to(stream, end).await
}

pub async fn read_to(stream: &mut TcpStream, end: &str) -> String {
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

/// A route that answers when the test says so, and one that answers at once.
fn slow_routes() -> (Router, mpsc::Receiver<()>, watch::Sender<bool>) {
    let (started, has_started) = mpsc::channel(8);
    let (finish, may_finish) = watch::channel(false);
    let slow = move || async move {
        let mut may_finish = may_finish.clone();
        started.send(()).await.unwrap();
        may_finish.wait_for(|finish| *finish).await.unwrap();
        "slow done"
    };
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/slow", get(slow));
    (router, has_started, finish)
}

pub async fn connect(server: &Running) -> TcpStream {
    TcpStream::connect(server.addr).await.unwrap()
}

/// A connection whose request is at work.
async fn busy(server: &Running, has_started: &mut mpsc::Receiver<()>) -> TcpStream {
    let mut stream = connect(server).await;
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    has_started.recv().await.unwrap();
    stream
}

pub async fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(
        tokio::time::timeout(LONG, stream.read(&mut [0; 1])).await,
        Ok(Ok(0) | Err(_))
    )
}

#[tokio::test]
async fn p9_a_draining_server_serves_on_and_then_finishes_what_it_began() {
    let (router, mut has_started, finish) = slow_routes();
    let mut server = run(router, LONG).await;
    let mut idle = connect(&server).await;
    assert!(ask(&mut idle, "hello").await.starts_with("HTTP/1.1 200"));

    server.signals.send(()).await.unwrap();
    server.drain.clone().wait_until_draining().await;
    let mut late = connect(&server).await;
    assert!(
        ask(&mut late, "hello").await.starts_with("HTTP/1.1 200"),
        "the port is open while draining"
    );

    let mut busy = busy(&server, &mut has_started).await;
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
    let mut idle = connect(&server).await;
    ask(&mut idle, "hello").await;
    assert!(is_closed(&mut idle).await);
    let mut half = connect(&server).await;
    half.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    assert!(is_closed(&mut half).await);
}

/// With the limit that is shipped: longer than a load balancer keeps a connection, and yet an end.
#[tokio::test]
async fn p9_an_idle_connection_outlives_the_60_seconds_of_a_load_balancer() {
    let routes = Router::new().route("/", get(|| async { "hello" }));
    let server = serve(bind().await.with_cores(1), routes);
    let mut half = connect(&server).await;
    half.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    let mut idle = connect(&server).await;
    ask(&mut idle, "hello").await;
    // Nothing is on its way any more: the clock jumps to the next timer, which is the limit.
    tokio::time::pause();
    let began = Instant::now();
    assert_eq!(half.read(&mut [0; 1]).await.unwrap(), 0);
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
    let limit = Duration::from_mins(1)..=Duration::from_secs(76);
    assert!(limit.contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn p5_at_the_cap_those_without_a_request_give_way_longest_first() {
    let (router, mut has_started, finish) = slow_routes();
    let server = serve(bind().await.with_connections_max(4), router);
    let mut busy = busy(&server, &mut has_started).await;
    let mut silent = connect(&server).await;
    let mut half = connect(&server).await;
    half.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    let mut kept_alive = connect(&server).await;
    ask(&mut kept_alive, "hello").await;
    let mut stay = Vec::new();
    for gives_way in [&mut silent, &mut half] {
        let mut health_check = connect(&server).await;
        let answer = ask(&mut health_check, "hello").await;
        assert!(answer.starts_with("HTTP/1.1 200"));
        assert!(is_closed(gives_way).await);
        stay.push(health_check);
        // Used since, it is behind the others again.
        ask(&mut kept_alive, "hello").await;
    }
    finish.send(true).unwrap();
    let answer = read_to(&mut busy, "slow done").await;
    assert!(
        answer.starts_with("HTTP/1.1 200"),
        "a request is let finish"
    );
}

#[tokio::test]
async fn p5_at_the_cap_with_requests_alone_the_next_waits_for_one_to_end() {
    let (router, mut has_started, finish) = slow_routes();
    let server = serve(bind().await.with_connections_max(2), router);
    let mut first = busy(&server, &mut has_started).await;
    let mut second = busy(&server, &mut has_started).await;
    let mut third = connect(&server).await;
    let waiting = tokio::spawn(async move { ask(&mut third, "hello").await });
    finish.send(true).unwrap();
    assert!(waiting.await.unwrap().starts_with("HTTP/1.1 200"));
    for stream in [&mut first, &mut second] {
        read_to(stream, "slow done").await;
    }
}

#[tokio::test]
async fn p5_a_half_sent_body_holds_no_connection_beyond_the_deadline() {
    let server = bind().await;
    let layers = Layers {
        drain: server.drain(),
        deadline: Duration::from_millis(50),
        late: ErrorCode::UpstreamTimeout,
        spans: Spans::default(),
        requests_max: 8,
        status_queries: StatusQueries::default(),
    };
    let read = post(async |request: Request| read_body(request, 1024).await);
    let server = serve(
        server,
        layers
            .register(&mut Metrics::default())
            .wrap(Router::new().route("/", read)),
    );
    let mut half = connect(&server).await;
    half.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{")
        .await
        .unwrap();
    let mut answer = String::new();
    tokio::time::timeout(LONG, half.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
}
