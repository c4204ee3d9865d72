//! Odd requests, byte by byte: what a browser or a library would not send. Both tiers refuse each with a problem.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Requests without their end: `Connection: close` follows. `{}` is the path under which the tier takes payments.
const ODD: &[&str] = &[
    "GET /nowhere HTTP/1.1",
    "GET /{} HTTP/1.1",
    "GET {}/ HTTP/1.1",
    "GET {}/. HTTP/1.1",
    "GET {}/.. HTTP/1.1",
    "GET {}/... HTTP/1.1",
    "GET {}/../nowhere HTTP/1.1",
    "GET {}/%2e%2e HTTP/1.1",
    "GET {}/%ff HTTP/1.1",
    "GET {}/%00 HTTP/1.1",
    "GET {}/%20 HTTP/1.1",
    "GET {}/a%2fb HTTP/1.1",
    "GET {}/a/b HTTP/1.1",
    "GET {}/a;b HTTP/1.1",
    "GET /assets/x/%ff HTTP/1.1",
    "GET /assets/%ff/pay.js HTTP/1.1",
    "GET /assets/x HTTP/1.1",
    "POST /assets/x/pay.js HTTP/1.1",
    "POST / HTTP/1.1",
    "POST /health HTTP/1.1",
    "POST /openapi.json HTTP/1.1",
    "DELETE {}/a HTTP/1.1",
    "PUT {} HTTP/1.1",
    "PATCH {} HTTP/1.1",
    "TRACE {} HTTP/1.1",
    "OPTIONS {} HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "BREW {} HTTP/1.1",
    "CONNECT pay:443 HTTP/1.1",
    "GET http://elsewhere/nowhere HTTP/1.1",
    "POST {} HTTP/1.1",
    "POST {} HTTP/1.1\r\ncontent-type: text/plain",
    "POST {} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-encoding: gzip",
    "POST {} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 99999",
    "POST {} HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded",
    "POST {} HTTP/1.1\r\ncontent-type: application/json\r\nidempotency-key: a\r\nidempotency-key: b",
    "POST {} HTTP/1.1\r\ncontent-type: application/json\r\nidempotency-key: \u{e4}",
    "POST {}/a HTTP/1.1\r\ntransfer-encoding: chunked",
];

/// The whole answer, in lower case.
pub async fn send(address: SocketAddr, odd: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{odd}\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.to_lowercase()
}

pub async fn all_are_refused_with_a_problem(address: SocketAddr, pay: &str) {
    for odd in ODD {
        let odd = odd.replace("{}", pay);
        let answer = send(address, &odd).await;
        assert!(answer.starts_with("http/1.1 4"), "{odd}: {answer}");
        let kind = "\r\ncontent-type: application/problem+json\r\n";
        assert!(answer.contains(kind), "{odd}: {answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(body.contains("\"code\":"), "{odd}: {answer}");
    }
}
