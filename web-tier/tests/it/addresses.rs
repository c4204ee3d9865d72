//! A load balancer whose name has several addresses.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::post;
use futures::future::{BoxFuture, join_all};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use web_tier::upstream::Resolve;

use crate::tier::Tier;

const JSON: (&str, &str) = ("content-type", "application/json");

#[derive(Debug)]
pub struct Name(pub Vec<SocketAddr>);

impl Resolve for Name {
    fn resolve(&self) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// Takes no connection and refuses none, as a host that is gone: its backlog is full.
struct Dead {
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
    addr: SocketAddr,
}

impl Dead {
    async fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(0).unwrap();
        let addr = listener.local_addr().unwrap();
        // The kernel takes one more than the backlog.
        let waiting = vec![TcpStream::connect(addr).await.unwrap()];
        Self {
            _listener: listener,
            _waiting: waiting,
            addr,
        }
    }
}

/// Accepts everything, and counts its connections by their ports.
async fn living() -> (SocketAddr, Arc<Mutex<Vec<u16>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let ports = Arc::<Mutex<Vec<u16>>>::default();
    let seen = Arc::clone(&ports);
    let accept = async move |ConnectInfo(client): ConnectInfo<SocketAddr>| {
        let mut seen = seen.lock().unwrap();
        if !seen.contains(&client.port()) {
            seen.push(client.port());
        }
        "{}"
    };
    let router = Router::new().route("/process", post(accept));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    (addr, ports)
}

#[tokio::test]
async fn p5_with_a_dead_first_address_every_post_is_answered() {
    let dead = Dead::new().await;
    let (living, _) = living().await;
    for name in [vec![dead.addr, living], vec![living, dead.addr]] {
        let tier = Tier::named(Name(name)).await;
        // Without an id, so that none is sent twice; the first alone, so that no other lends it a connection.
        let first = tier.post(&[JSON], "{}").await;
        assert_eq!(first.status().as_u16(), 200);
        let posts = (0..16).map(|_| tier.post(&[JSON], "{}"));
        for answer in join_all(posts).await {
            assert_eq!(answer.status().as_u16(), 200);
        }
    }
}

#[tokio::test]
async fn connections_are_spread_over_all_addresses() {
    let (one, ports_of_one) = living().await;
    let (two, ports_of_two) = living().await;
    let tier = Tier::named(Name(vec![one, two])).await;
    join_all((0..64).map(|_| tier.post(&[JSON], "{}"))).await;
    let count = |ports: Arc<Mutex<Vec<u16>>>| ports.lock().unwrap().len();
    let (one, two) = (count(ports_of_one), count(ports_of_two));
    assert!(
        one > 0 && one.abs_diff(two) <= 1 + (one + two) / 4,
        "{one} and {two}"
    );
}

#[tokio::test]
async fn a_name_without_an_address_is_a_502() {
    let tier = Tier::named(Name(Vec::new())).await;
    assert_eq!(tier.post(&[JSON], "{}").await.status().as_u16(), 502);
}
