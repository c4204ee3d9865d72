//! Many connections at once to the shipped programs, over real sockets.

use std::{net::SocketAddr, process::Command, time::Duration};

use futures::future::join_all;
use lab_runner::{part::PartName, ports::TIERS, process::allow_open_files, state::status::Status};
use nix::sys::signal::Signal;
use reqwest::StatusCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::test_lab::TestLab;

const LONG: Duration = Duration::from_secs(30);

const BURST: usize = 1_000;

/// More requests than a tier takes at a time.
const HALF_SENT: usize = 4_150;

const HALF: &[u8] = b"POST /pay HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{";

/// The server is stopped meanwhile, so that all connections wait in the kernel.
#[tokio::test]
async fn p5_a_burst_of_a_thousand_connections_overflows_no_listen_queue() {
    allow_open_files();
    let lab = TestLab::up();
    for tier in TIERS {
        let address = lab.lab.address(tier);
        assert!(signal(&lab, tier, Signal::SIGSTOP));
        let connecting = join_all((0..BURST).map(|_| TcpStream::connect(address)));
        let streams = timeout(LONG, connecting).await;
        assert!(signal(&lab, tier, Signal::SIGCONT));
        for stream in streams.expect("a lost SYN") {
            let mut stream = stream.unwrap();
            stream
                .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
                .await
                .unwrap();
            let mut status = [0; 12];
            let read = timeout(LONG, stream.read_exact(&mut status)).await;
            read.unwrap().unwrap();
            assert_eq!(&status, b"HTTP/1.1 200", "{tier}");
        }
        assert_eq!(dropped(address), 0, "{tier}");
    }
}

#[tokio::test]
async fn p5_payments_are_accepted_beside_4150_half_sent_bodies() {
    allow_open_files();
    let lab = TestLab::up();
    let web = lab.lab.address(PartName::WebA);
    let half_sent = join_all((0..HALF_SENT).map(async |_| {
        let mut stream = TcpStream::connect(web).await.unwrap();
        stream.write_all(HALF).await.unwrap();
        stream
    }))
    .await;
    while connections(&lab).await < HALF_SENT {
        tokio::task::yield_now().await;
    }
    let client = reqwest::Client::new();
    for n in 0..20 {
        let request = client
            .post(format!("http://{web}/pay"))
            .header("content-type", "application/json")
            .body(format!(r#"{{"id":"beside-{n}"}}"#));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "{n}");
    }
    drop(half_sent);
}

fn signal(lab: &TestLab, part: PartName, signal: Signal) -> bool {
    Status::signal(&lab.lab.dir, part, signal).unwrap()
}

/// Returns the web tier's own count of open connections.
async fn connections(lab: &TestLab) -> usize {
    let admin = lab.lab.admin_address(PartName::WebA);
    let metrics = reqwest::get(format!("http://{admin}/metrics")).await;
    let metrics = metrics.unwrap().text().await.unwrap();
    let figure = |line: &str| line.strip_prefix("payments_connections ")?.parse().ok();
    metrics.lines().find_map(figure).unwrap()
}

/// Returns the connections that the kernel dropped because the listener's queue was full: what `ListenDrops` in
/// `/proc/net/netstat` counts for all listeners of the machine.
fn dropped(listener: SocketAddr) -> u32 {
    let port = format!(":{}", listener.port());
    let ss = [
        "--no-header",
        "--listening",
        "--tcp",
        "--numeric",
        "--memory",
        "sport",
        "=",
        &port,
    ];
    let output = Command::new("ss")
        .args(ss)
        .output()
        .expect("ss of iproute2");
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, dropped) = text.rsplit_once(",d").expect(&text);
    dropped
        .trim_end()
        .trim_end_matches(')')
        .parse()
        .expect(&text)
}
