//! A database that takes connections and says nothing.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::http::Tier;
use crate::tier::payment;

/// More than the status queries that may be at work.
const POLLS: usize = 600;

struct Silent {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Silent {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((connection, _)) = listener.accept().await {
                held.push(connection);
            }
        });
        Self { address, task }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn p5_a_silent_database_under_polls_refuses_no_payment() {
    let database = Silent::start().await;
    let url = format!("mysql://reader:x@{}/payments", database.address);
    let mut tier = Tier::start(Some(&url)).await;
    let first = tier.post(payment("known"));
    tier.puts.recv().await.unwrap().confirm();
    assert_eq!(first.await.unwrap().status().as_u16(), 202);

    let ids = (0..POLLS).map(|n| format!("unknown-{n}"));
    let polls: Vec<_> = ids.map(|id| tier.ask(&id)).collect();
    for number in 0..20 {
        let answer = tier.post(payment(number));
        tier.puts.recv().await.unwrap().confirm();
        assert_eq!(answer.await.unwrap().status().as_u16(), 202);
    }
    let repeat = tier.post(payment("known")).await.unwrap();
    assert_eq!(repeat.status().as_u16(), 200);
    for poll in polls {
        let answer = poll.await.unwrap();
        assert_eq!(answer.status().as_u16(), 503);
        assert_eq!(answer.headers()["retry-after"], "1");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "status_unavailable");
    }
    // The node's own memory is enough for what it accepted.
    let (status, seen) = tier.get("known").await;
    assert_eq!((status, &seen["state"]), (200, &Value::from("accepted")));
}
