//! A proxy before the server that loses the answer to the first COMMIT.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// `COM_QUERY` with the text COMMIT.
const COMMIT: &[u8] = b"\x03COMMIT";

pub struct Proxy {
    pub address: SocketAddr,
    has_cut: Arc<AtomicBool>,
}

impl Proxy {
    pub async fn before(server: (String, u16)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let has_cut = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&has_cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect((server.0.as_str(), server.1))
                    .await
                    .unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&flag)));
            }
        });
        Self { address, has_cut }
    }

    pub fn has_cut(&self) -> bool {
        self.has_cut.load(Ordering::SeqCst)
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, has_cut: Arc<AtomicBool>) {
    let (mut sent, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut sent) => match read {
                Ok(n) if n > 0 => {
                    server.write_all(&sent[..n]).await.unwrap();
                    if sent[..n].ends_with(COMMIT) && !has_cut.swap(true, Ordering::SeqCst) {
                        // The server's answer is read, so the commit is done, and goes no further.
                        assert_ne!(server.read(&mut answered).await.unwrap(), 0);
                        return;
                    }
                }
                _ => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(n) if n > 0 => client.write_all(&answered[..n]).await.unwrap(),
                _ => return,
            },
        }
    }
}
