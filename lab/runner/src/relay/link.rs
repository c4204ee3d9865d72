//! One link: forwards connections to a part.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use server_kit::fault::Faults;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    time::sleep,
};

use super::{LinkConfig, commit, failover::Failover};
use crate::part_name::PartName;

pub(super) const LATENCY: &str = "latency";
pub(super) const RESET: &str = "reset";
pub(super) const CUT: &str = "cut";
pub(super) const COMMIT_LOST: &str = "commit-lost";
pub(super) const FAILOVER: &str = "failover";

/// Interval at which a cut connection checks whether the fault is over.
const CUT_POLL: Duration = Duration::from_millis(50);

/// Delay after a failed accept, for example when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

const BUFFER: usize = 16 * 1024;

/// Returns the name of a link's fault.
pub(super) fn fault(part: PartName, name: &str) -> String {
    format!("{part}-{name}")
}

#[derive(Clone, Debug)]
pub(super) struct Link {
    target: SocketAddr,
    faults: Arc<Faults>,
    names: Arc<Names>,
}

/// The names of this link's faults.
#[derive(Debug)]
struct Names {
    latency: String,
    reset: String,
    cut: String,
    commit_lost: String,
    failover: String,
}

impl Link {
    pub(super) fn new(config: &LinkConfig, faults: Arc<Faults>) -> Self {
        let name = |name| fault(config.part, name);
        Self {
            target: config.target,
            faults,
            names: Arc::new(Names {
                latency: name(LATENCY),
                reset: name(RESET),
                cut: name(CUT),
                commit_lost: name(COMMIT_LOST),
                failover: name(FAILOVER),
            }),
        }
    }

    pub(super) async fn serve(self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((client, _)) => {
                    tokio::spawn(self.clone().relay(client));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    async fn relay(self, mut client: TcpStream) {
        self.while_cut().await;
        let Ok(mut server) = TcpStream::connect(self.target).await else {
            // The part is down, and its client must see that.
            let _ = client.set_zero_linger();
            return;
        };
        if self.pass(&mut client, &mut server).await.is_err() {
            // Closed with a reset instead of a FIN.
            let _ = (client.set_zero_linger(), server.set_zero_linger());
        }
    }

    /// Returns once both sides have ended, or the error that broke the connection.
    async fn pass(&self, client: &mut TcpStream, server: &mut TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let commit_is_to_be_lost = AtomicBool::new(false);
        let failover = Failover::of(&self.faults, &self.names.failover);
        let up = self.pump(from_client, to_server, |bytes| {
            let is_commit = commit::before(bytes).is_some();
            if is_commit && self.faults.inject(&self.names.commit_lost).is_some() {
                commit_is_to_be_lost.store(true, Ordering::Relaxed);
            }
            Ok(failover.replace_sent(bytes))
        });
        let down = self.pump(from_server, to_client, |_| {
            if commit_is_to_be_lost.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            Ok(failover.replace_answer())
        });
        tokio::try_join!(up, down).map(|_| ())
    }

    /// Forwards bytes; `replace` returns what to forward instead, if anything.
    async fn pump(
        &self,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
        replace: impl Fn(&[u8]) -> io::Result<Option<Vec<u8>>>,
    ) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let length = from.read(&mut buffer).await?;
            let bytes = &buffer[..length];
            if bytes.is_empty() {
                return to.shutdown().await;
            }
            let replaced = replace(bytes)?;
            self.while_cut().await;
            if self.faults.inject(&self.names.reset).is_some() {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            if let Some(latency) = self.faults.inject(&self.names.latency) {
                sleep(latency).await;
            }
            to.write_all(replaced.as_deref().unwrap_or(bytes)).await?;
        }
    }

    async fn while_cut(&self) {
        if self.faults.inject(&self.names.cut).is_some() {
            while self.faults.is_on(&self.names.cut) {
                sleep(CUT_POLL).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use server_kit::fault::{FaultKind, Setting};

    use super::*;

    const KINDS: [FaultKind; 4] = [
        kind("mysql-reset"),
        kind("mysql-cut"),
        kind("mysql-commit-lost"),
        kind("mysql-failover"),
    ];

    const fn kind(name: &'static str) -> FaultKind {
        FaultKind {
            name,
            about: "",
            ms: None,
        }
    }

    /// A link to a server that answers each COMMIT with `ok`.
    async fn link() -> (SocketAddr, Arc<Faults>) {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let faults = Arc::new(Faults::new(&KINDS, None));
        let config = LinkConfig {
            part: PartName::Mysql,
            listen: listener.local_addr().unwrap(),
            target: server.local_addr().unwrap(),
        };
        tokio::spawn(Link::new(&config, Arc::clone(&faults)).serve(listener));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = server.accept().await {
                tokio::spawn(async move {
                    let mut buffer = [0; 64];
                    while stream
                        .read(&mut buffer)
                        .await
                        .is_ok_and(|length| length > 0)
                    {
                        stream.write_all(b"ok").await.unwrap();
                    }
                });
            }
        });
        (config.listen, faults)
    }

    async fn ask(stream: &mut TcpStream) -> io::Result<usize> {
        stream.write_all(b"\x07\x00\x00\x00\x03COMMIT").await?;
        stream.read(&mut [0; 2]).await
    }

    fn once() -> Setting {
        Setting {
            count: Some(1),
            ..Setting::default()
        }
    }

    #[tokio::test]
    async fn bytes_pass_until_the_link_is_reset() {
        let (address, faults) = link().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(ask(&mut stream).await.unwrap(), 2);
        faults.set("mysql-reset", once());
        let error = ask(&mut stream).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn a_commit_is_done_and_its_answer_lost() {
        let (address, faults) = link().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        faults.set("mysql-commit-lost", once());
        let error = ask(&mut stream).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        let mut next = TcpStream::connect(address).await.unwrap();
        assert_eq!(ask(&mut next).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn after_a_failover_open_connections_are_read_only_for_good_and_new_ones_are_not() {
        const READ_ONLY: &[u8] = &[0xff, 0x0a, 0x05];
        let (address, faults) = link().await;
        let mut old = TcpStream::connect(address).await.unwrap();
        assert_eq!(ask(&mut old).await.unwrap(), 2);
        faults.set("mysql-failover", Setting::default());
        let mut new = TcpStream::connect(address).await.unwrap();
        assert_eq!(ask(&mut new).await.unwrap(), 2);
        for is_over in [false, true] {
            if is_over {
                faults.clear(None);
            }
            old.write_all(b"\x07\x00\x00\x00\x03COMMIT").await.unwrap();
            let mut answer = [0; 256];
            let length = old.read(&mut answer).await.unwrap();
            assert_eq!(usize::from(answer[0]), length - 4);
            assert_eq!(&answer[4..7], READ_ONLY);
            assert_eq!(ask(&mut new).await.unwrap(), 2);
        }
    }

    #[tokio::test]
    async fn nothing_passes_a_cut_link_until_it_is_restored() {
        let (address, faults) = link().await;
        faults.set("mysql-cut", Setting::default());
        let mut stream = TcpStream::connect(address).await.unwrap();
        let asked = tokio::spawn(async move { ask(&mut stream).await });
        while faults.injected("mysql-cut") == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!asked.is_finished());
        faults.clear(None);
        assert_eq!(asked.await.unwrap().unwrap(), 2);
    }
}
