//! Many clients at once, and slow ones, over real sockets.

use std::num::NonZero;
use std::thread::available_parallelism;

use axum::Router;
use axum::extract::Request;
use axum::routing::{get, post};
use futures::future::join_all;
use http_service::http::{Layers, Refusal, StatusQueries, read_body};
use http_service::metrics::Metrics;
use http_service::server::Server;
use http_service::spans::Spans;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use payment_core::ErrorCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::server::{LONG, Running, bind, connect, read_to, serve};

const CROWD: usize = 1_000;

const HALF: &[u8] = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{";
const WHOLE: &[u8] = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello";

/// Both ends of each connection are in this process.
fn allow_open_files() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
}

/// A server that says what it was sent, with `requests_max` at work at one time.
fn echo(server: Server, requests_max: usize, metrics: &mut Metrics) -> Running {
    let layers = Layers {
        drain: server.drain(),
        deadline: LONG,
        late: ErrorCode::UpstreamTimeout,
        spans: Spans::default(),
        status_queries: StatusQueries::default(),
        requests_max,
    };
    let echo = async |request: Request| {
        let body = read_body(request, 1024).await?;
        Ok::<_, Refusal>(body)
    };
    let routes = Router::new()
        .route("/", post(echo))
        .route("/hang", get(std::future::pending::<String>));
    serve(server, layers.register(metrics).wrap(routes))
}

async fn send(server: &Running, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(server).await;
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Connections whose request is of one byte so far, and in the server's hands.
async fn half_sent(server: &Running, metrics: &Metrics, count: usize) -> Vec<TcpStream> {
    let half = join_all((0..count).map(|_| send(server, HALF))).await;
    let open = format!("payments_connections {count}");
    shows(metrics, &open).await;
    half
}

/// Waits until the metrics have this line.
async fn shows(metrics: &Metrics, line: &str) {
    let shown = async {
        while !metrics.text().lines().any(|other| other == line) {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, shown).await.expect(line);
}

/// The kernel has room for all of them before the server takes a single one.
#[tokio::test]
async fn p5_a_burst_of_a_thousand_connections_loses_none() {
    allow_open_files();
    let server = bind().await;
    let addr = server.local_addr().unwrap();
    let connecting = join_all((0..CROWD).map(|_| TcpStream::connect(addr)));
    let streams = timeout(LONG, connecting).await.expect("a lost SYN");
    let _running = echo(server, CROWD, &mut Metrics::default());
    let served = streams.into_iter().map(async |stream| {
        let mut stream = stream.unwrap();
        stream.write_all(WHOLE).await.unwrap();
        read_to(&mut stream, "hello").await
    });
    for answer in join_all(served).await {
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn p5_half_sent_bodies_hold_nothing_that_whole_requests_need() {
    allow_open_files();
    let mut metrics = Metrics::default();
    let server = bind().await;
    server.register(&mut metrics);
    // Each core may be at a head that it just read.
    let requests_max = available_parallelism().map_or(1, NonZero::get);
    let server = echo(server, requests_max, &mut metrics);
    let half = half_sent(&server, &metrics, CROWD).await;
    let mut whole = send(&server, WHOLE).await;
    let answer = read_to(&mut whole, "hello").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for mut slow in half {
        slow.write_all(b"123456789").await.unwrap();
        let answer = read_to(&mut slow, "{123456789").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn p5_at_the_cap_half_sent_bodies_give_way_to_whole_requests() {
    let mut metrics = Metrics::default();
    let server = bind().await.with_connections_max(64);
    server.register(&mut metrics);
    let server = echo(server, 64, &mut metrics);
    let half = half_sent(&server, &metrics, 64).await;
    let mut stay = Vec::new();
    for mut slow in half {
        let mut answer = Vec::new();
        let whole_requests = async {
            loop {
                let mut whole = send(&server, WHOLE).await;
                let answer = read_to(&mut whole, "hello").await;
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                stay.push(whole);
            }
        };
        // Closed or reset, and not waited for until it is told that it is too slow.
        tokio::select! {
            _ = slow.read_to_end(&mut answer) => assert_eq!(answer, b""),
            () = whole_requests => unreachable!("they go on"),
        }
    }
}

/// All that are open are at work, and the next waits for one to end: nobody is cut off for it.
#[tokio::test]
async fn p5_at_the_cap_a_whole_request_is_never_cut_off() {
    let server = echo(
        bind().await.with_connections_max(8),
        64,
        &mut Metrics::default(),
    );
    let clients = (0..64).map(async |_| {
        let mut stream = send(&server, WHOLE).await;
        read_to(&mut stream, "hello").await
    });
    for answer in join_all(clients).await {
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_is_counted_as_499() {
    let mut metrics = Metrics::default();
    let server = echo(bind().await, 64, &mut metrics);
    let client = send(&server, b"GET /hang HTTP/1.1\r\nhost: x\r\n\r\n").await;
    shows(&metrics, "payments_http_requests_in_flight 1").await;
    drop(client);
    shows(&metrics, r#"payments_http_requests_total{status="499"} 1"#).await;
}
