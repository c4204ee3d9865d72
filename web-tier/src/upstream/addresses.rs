//! The load balancer's addresses: one a zone, of which one may be dead, and a name server that may be silent.

use std::collections::HashMap;
use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// A name is looked up this often at most, whatever the number of connections. A load balancer's addresses change
/// within minutes.
const FRESH: Duration = Duration::from_secs(5);

const LOOK_UP: Duration = Duration::from_secs(1);

/// After this long a dead address is tried again, by one connection.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// Resolves the addresses of the load balancer.
pub trait Resolve: Debug + Send + Sync + 'static {
    fn resolve(&self) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>>;
}

/// `host:port`, by the system's resolver.
#[derive(Debug)]
pub struct HostPort(pub String);

impl Resolve for HostPort {
    fn resolve(&self) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>> {
        Box::pin(async { Ok(tokio::net::lookup_host(&self.0).await?.collect()) })
    }
}

#[derive(Debug)]
pub(super) struct Addresses {
    resolver: Box<dyn Resolve>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    addresses: Vec<SocketAddr>,
    looked_up: Option<Instant>,
    /// Number of connections so far: each begins at another address.
    turn: usize,
    /// Since when an address did not take a connection.
    dead: HashMap<SocketAddr, Instant>,
}

impl Addresses {
    pub(super) fn new(resolver: impl Resolve) -> Self {
        Self {
            resolver: Box::new(resolver),
            known: Mutex::default(),
        }
    }

    /// All addresses, in the order in which the next connection is to try them.
    pub(super) async fn in_turn(&self) -> io::Result<Vec<SocketAddr>> {
        // Who comes while the name is looked up waits for the answer, and does not ask as well.
        let mut known = self.known.lock().await;
        if known.looked_up.is_none_or(|at| at.elapsed() >= FRESH) {
            let found = timeout(LOOK_UP, self.resolver.resolve()).await;
            known.learn(found.unwrap_or_else(|late| Err(late.into())))?;
        }
        Ok(known.in_turn())
    }

    /// What a connection found that tried `tried` one after the other.
    pub(super) async fn connected(&self, tried: &[SocketAddr], to: SocketAddr) {
        let mut known = self.known.lock().await;
        known.dead.remove(&to);
        if let Some(first) = tried.first().filter(|first| **first != to) {
            known.dead.insert(*first, Instant::now());
        }
    }
}

impl Known {
    /// Without an answer of the name server, what it said before is good for longer.
    fn learn(&mut self, found: io::Result<Vec<SocketAddr>>) -> io::Result<()> {
        match found {
            Ok(addresses) if !addresses.is_empty() => {
                self.dead.retain(|address, _| addresses.contains(address));
                self.addresses = addresses;
            }
            Err(error) if self.addresses.is_empty() => return Err(error),
            Ok(_) if self.addresses.is_empty() => {
                let none = "the name of the app tier has no address";
                return Err(io::Error::new(io::ErrorKind::NotFound, none));
            }
            _ => {}
        }
        self.looked_up = Some(Instant::now());
        Ok(())
    }

    fn in_turn(&mut self) -> Vec<SocketAddr> {
        self.turn = self.turn.wrapping_add(1);
        let mut order = self.addresses.clone();
        order.rotate_left(self.turn % self.addresses.len().max(1));
        // The living first, then who has been dead for longest.
        order.sort_by_key(|address| self.dead.get(address).copied());
        let again = order.iter().position(|address| {
            let dead = self.dead.get(address);
            dead.is_some_and(|since| since.elapsed() >= TRY_AGAIN)
        });
        if let Some(again) = again {
            order[..=again].rotate_right(1);
            self.dead.insert(order[0], Instant::now());
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[derive(Debug)]
    struct Three;

    impl Resolve for Three {
        fn resolve(&self) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>> {
            Box::pin(async { Ok([1, 2, 3].map(address).into()) })
        }
    }

    fn address(last: u8) -> SocketAddr {
        ([10, 0, 0, last], 3000).into()
    }

    /// The last byte of each.
    async fn in_turn(addresses: &Addresses) -> Vec<u8> {
        let order = addresses.in_turn().await.unwrap_or_default();
        let last = |a: &SocketAddr| a.to_string().as_bytes()[7] - b'0';
        order.iter().map(last).collect()
    }

    #[tokio::test]
    async fn each_connection_begins_at_another_address() {
        let addresses = Addresses::new(Three);
        assert_eq!(in_turn(&addresses).await, [2, 3, 1]);
        assert_eq!(in_turn(&addresses).await, [3, 1, 2]);
        assert_eq!(in_turn(&addresses).await, [1, 2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn p5_a_dead_address_is_tried_last_and_now_and_then_by_one() {
        let addresses = Addresses::new(Three);
        let tried = addresses.in_turn().await.unwrap_or_default();
        addresses.connected(&tried, tried[1]).await;
        for _ in 0..5 {
            assert_eq!(in_turn(&addresses).await.last(), Some(&2));
        }
        advance(TRY_AGAIN).await;
        let tried = addresses.in_turn().await.unwrap_or_default();
        assert_eq!(tried[0], address(2));
        assert_eq!(in_turn(&addresses).await.last(), Some(&2));
        addresses.connected(&tried, address(2)).await;
        let mut begins = Vec::new();
        for _ in 0..3 {
            begins.push(in_turn(&addresses).await[0]);
        }
        begins.sort_unstable();
        assert_eq!(begins, [1, 2, 3]);
    }

    /// Answers once.
    #[derive(Debug, Default)]
    struct Fickle(std::sync::atomic::AtomicBool);

    impl Resolve for Fickle {
        fn resolve(&self) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>> {
            if self.0.swap(true, std::sync::atomic::Ordering::Relaxed) {
                return Box::pin(std::future::pending());
            }
            Box::pin(async { Ok(vec![address(1)]) })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn p5_a_silent_name_server_leaves_the_addresses_that_are_known() {
        let addresses = Addresses::new(Fickle::default());
        assert_eq!(in_turn(&addresses).await, [1]);
        advance(FRESH).await;
        assert_eq!(in_turn(&addresses).await, [1]);
    }
}
