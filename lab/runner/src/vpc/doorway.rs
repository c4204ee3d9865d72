//! Sockets inside a namespace, for a process that stays outside.
//!
//! A socket belongs to the namespace in which it was created. So one thread enters the namespace and creates sockets
//! there, which can be used from anywhere.

use std::{
    fs::File,
    io,
    net::{SocketAddr, SocketAddrV4},
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, setns};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::oneshot,
    time::timeout,
};

/// Folder in which `ip netns` keeps the names.
pub const NAMESPACES: &str = "/run/netns";

type Wanted = oneshot::Sender<io::Result<TcpSocket>>;

/// Creates sockets in one namespace.
#[derive(Clone, Debug)]
pub struct Doorway {
    wanted: mpsc::Sender<Wanted>,
}

impl Doorway {
    pub fn open(namespace: &str) -> Result<Self> {
        let failed = || format!("cannot enter the namespace {namespace}");
        let file = File::open(Path::new(NAMESPACES).join(namespace)).with_context(failed)?;
        let (wanted, orders) = mpsc::channel::<Wanted>();
        let (entered, outcome) = mpsc::channel();
        thread::Builder::new()
            .name(namespace.to_owned())
            .spawn(move || {
                let inside = setns(file, CloneFlags::CLONE_NEWNET).map_err(io::Error::from);
                let is_inside = inside.is_ok();
                if entered.send(inside).is_ok() && is_inside {
                    for order in orders {
                        // If nobody waits for it any more, it is closed.
                        let _ = order.send(TcpSocket::new_v4());
                    }
                }
            })
            .with_context(failed)?;
        outcome
            .recv()
            .unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
            .with_context(failed)?;
        Ok(Self { wanted })
    }

    pub async fn connect(&self, to: SocketAddrV4, limit: Duration) -> io::Result<TcpStream> {
        let socket = self.socket().await?;
        timeout(limit, socket.connect(SocketAddr::V4(to))).await?
    }

    pub async fn listen(&self, on: SocketAddrV4) -> io::Result<TcpListener> {
        let socket = self.socket().await?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::V4(on))?;
        socket.listen(1024)
    }

    async fn socket(&self) -> io::Result<TcpSocket> {
        let (order, made) = oneshot::channel();
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        self.wanted.send(order).map_err(|_| gone())?;
        made.await.map_err(|_| gone())?
    }
}
