//! One door: forwards connections from its front to its back.

use std::{
    io,
    net::SocketAddrV4,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::{output, vpc::doorway::Doorway};

/// Longest time to connect before the next target is tried.
const CONNECT: Duration = Duration::from_secs(1);

/// Delay after a failed accept, most likely because file descriptors ran out.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Door {
    back: Doorway,
    targets: Vec<SocketAddrV4>,
    turn: AtomicUsize,
}

impl Door {
    pub(super) fn new(back: Doorway, targets: Vec<SocketAddrV4>) -> Self {
        Self {
            back,
            targets,
            turn: AtomicUsize::new(0),
        }
    }

    pub(super) async fn serve(self, listener: TcpListener) {
        let door = Arc::new(self);
        loop {
            match listener.accept().await {
                Ok((front, _)) => {
                    let door = Arc::clone(&door);
                    tokio::spawn(async move { door.pass(front).await });
                }
                Err(error) => {
                    output::error(&error);
                    sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }

    /// If one side breaks, both are closed.
    async fn pass(&self, mut front: TcpStream) {
        if let Ok(mut back) = self.connect().await {
            let _ = front.set_nodelay(true);
            let _ = back.set_nodelay(true);
            let _ = copy_bidirectional(&mut front, &mut back).await;
        }
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut last = io::ErrorKind::AddrNotAvailable.into();
        for at in 0..self.targets.len() {
            let target = self.targets[(first.wrapping_add(at)) % self.targets.len()];
            match self.back.connect(target, CONNECT).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}
