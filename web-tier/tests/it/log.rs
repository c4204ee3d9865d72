//! The access log of the real program.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(30);

pub struct Program {
    log: Lines<BufReader<ChildStdout>>,
    addr: SocketAddr,
    /// Ends with it.
    child: Child,
}

impl Program {
    async fn start(upstream: SocketAddr) -> Self {
        Self::with(upstream, &[]).await
    }

    /// Starts the program with these variables besides.
    pub async fn with(upstream: SocketAddr, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_web-tier"))
            .env_clear()
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("ADMIN_LISTEN_ADDR", "127.0.0.1:0")
            .env("APP_TIER_URL", format!("http://{upstream}"))
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap()).lines();
        let addr = loop {
            let line = log.next_line().await.unwrap().unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            if let Some(addr) = line["addr"].as_str() {
                break addr.parse().unwrap();
            }
        };
        Self { log, addr, child }
    }

    pub fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub async fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// The next line of the access log.
    pub async fn line(&mut self) -> String {
        self.line_with(r#""target":"access""#).await
    }

    /// The next line of the access log; in no line up to it stands any of this.
    pub async fn line_without(&mut self, secrets: &[&str]) -> String {
        loop {
            let line = self.line_with("").await;
            for secret in secrets {
                assert!(!line.contains(secret), "{line}");
            }
            if line.contains(r#""target":"access""#) {
                return line;
            }
        }
    }

    /// The next line in which this stands.
    pub async fn line_with(&mut self, part: &str) -> String {
        loop {
            let line = timeout(LONG, self.log.next_line()).await.expect("no line");
            let line = line.unwrap().unwrap();
            if line.contains(part) {
                return line;
            }
        }
    }
}

/// An upstream that answers nothing.
pub async fn silent() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

/// An upstream that answers nothing, and tells of each payment that comes in.
async fn telling() -> (mpsc::UnboundedReceiver<()>, SocketAddr) {
    let (listener, addr) = silent().await;
    let (told, came) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let told = told.clone();
            tokio::spawn(async move {
                let mut bytes = vec![0; 4096];
                while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {
                    let _ = told.send(());
                }
            });
        }
    });
    (came, addr)
}

#[tokio::test]
async fn a_client_that_hangs_up_has_a_line_with_499() {
    let (mut payments, addr) = telling().await;
    let mut program = Program::start(addr).await;
    let request = "POST /pay HTTP/1.1\r\nhost: x\r\nx-request-id: mine\r\ncontent-type: application/json\r\n\
                   content-length: 2\r\n\r\n{}";
    for _ in 0..20 {
        let client = program.send(request).await;
        timeout(LONG, payments.recv()).await.expect("no payment");
        client.set_zero_linger().unwrap();
        drop(client);
        let line = program.line().await;
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["status"], 499, "{line}");
        assert_eq!(line["request_id"], "mine", "{line}");
        assert_eq!(line["route"], "/pay", "{line}");
    }
}

#[tokio::test]
async fn p8_card_digits_in_no_part_of_a_request_reach_the_log() {
    const CARD: &str = "4111111111111111";
    let (_upstream, addr) = silent().await;
    let mut program = Program::start(addr).await;
    let heads = [
        format!("{CARD} /pay HTTP/1.1"),
        format!("GET /{CARD} HTTP/1.1"),
        format!("GET /pay/{CARD} HTTP/1.1"),
        format!("GET /health/{CARD}?card={CARD} HTTP/1.1"),
        format!("GET /assets/{CARD}/{CARD} HTTP/1.1"),
        format!("GET /docs?card={CARD} HTTP/1.1"),
        format!("GET /docs HTTP/1.1\r\nx-request-id: {CARD}"),
        format!("GET /docs HTTP/1.1\r\ntraceparent: 00-0000000000000000{CARD}-b7ad6b7169203331-01"),
        format!("GET /docs HTTP/1.1\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-{CARD}-01"),
        format!("GET /docs HTTP/1.1\r\nuser-agent: {CARD}\r\nreferer: /{CARD}\r\ncookie: {CARD}"),
        format!("POST /pay HTTP/1.1\r\nidempotency-key: {CARD}\r\ncontent-type: {CARD}/{CARD}"),
    ];
    for head in heads {
        let mut stream = program
            .send(&format!(
                "{head}\r\nhost: {CARD}\r\nconnection: close\r\n\r\n"
            ))
            .await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(!answer.contains(CARD), "{answer}");
        let line = program.line().await;
        assert!(!line.contains(CARD), "{line}");
    }
}
