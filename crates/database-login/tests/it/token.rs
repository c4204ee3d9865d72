//! Who gets to see an IAM token: it is the whole password, in clear.

use std::sync::{Arc, Mutex};

use database_login::config::LoginTarget;
use database_login::token::TokenAccess;
use payment_store::{CaBundle, Error, Pool, TlsFault};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::certificates::{Ca, HOST};
use crate::secrets_manager::{ACCESS_KEY_ID, sdk};
use crate::server::TestServer;

/// Passes on one connection, and keeps what the client sent.
struct Wire {
    port: u16,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Wire {
    async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&sent);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                pass(client, server, &kept).await;
            }
        });
        Self { port, sent }
    }

    fn sent(&self) -> Vec<u8> {
        self.sent.lock().unwrap().clone()
    }
}

async fn pass(client: TcpStream, server: TcpStream, kept: &Mutex<Vec<u8>>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut buffer = [0; 4096];
        loop {
            let read = from_client.read(&mut buffer).await.unwrap_or(0);
            kept.lock().unwrap().extend_from_slice(&buffer[..read]);
            if read == 0 || to_server.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    let down = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! { () = up => {}, _ = down => {} }
}

#[tokio::test]
async fn a_token_is_shown_to_no_one_but_a_server_that_is_verified() {
    let mut server = TestServer::new().await;
    let folder = server.folder().to_owned();
    let ca = Ca::new();
    let ca_bundle = CaBundle::read(&ca.bundle(&folder)).unwrap();
    let log_in = async |wire: &Wire| {
        let target = LoginTarget {
            host: Some(HOST.to_owned()),
            port: Some(wire.port),
            schema: None,
            ca_bundle: Some(ca_bundle.clone()),
        };
        let sdk = sdk(([127, 0, 0, 1], 1).into(), ACCESS_KEY_ID);
        let access = TokenAccess::new(sdk.into(), &target, "ingest").unwrap();
        Error::from(Pool::new(Arc::new(access), 1).acquire().await.unwrap_err())
    };

    server.serve(None).await;
    let wire = Wire::to(server.port()).await;
    let error = log_in(&wire).await;
    let (why, sent) = (TlsFault::NoTls, wire.sent());
    assert!(
        matches!(error, Error::Untrusted { why: said, .. } if said == why),
        "{error:?}"
    );
    assert!(sent.is_empty(), "{sent:?}");

    server.serve(Some(&Ca::new().sign_well(&folder))).await;
    let wire = Wire::to(server.port()).await;
    let error = log_in(&wire).await;
    let why = TlsFault::UnknownCa;
    assert!(
        matches!(error, Error::Untrusted { why: said, .. } if said == why),
        "{error:?}"
    );
    assert!(!shows_a_user(&wire.sent()));

    // Verified, and the server knows no such user: the log-in was sent, and nobody on the way could read it.
    server.serve(Some(&ca.sign_well(&folder))).await;
    let wire = Wire::to(server.port()).await;
    let error = log_in(&wire).await;
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
    assert!(!shows_a_user(&wire.sent()));
}

/// The token names the user, and so does the log-in.
fn shows_a_user(sent: &[u8]) -> bool {
    sent.windows(6).any(|window| window == b"ingest")
}
