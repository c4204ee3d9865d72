//! One connection to the load balancer.
//!
//! It has no task of its own: the request that uses it drives it. That spares two wake-ups and a change of thread a
//! request, which are a third of what a client's pool with a task per connection costs.

use std::convert::Infallible;
use std::error::Error;
use std::future::{poll_fn, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tower::{Service as _, service_fn};

use super::addresses::Addresses;
use super::tls::Tls;

/// Longest time for all addresses together, each in its turn, and as long for a TLS handshake: within one network a connection takes
/// a millisecond.
pub(super) const CONNECT: Duration = Duration::from_secs(1);

/// Largest answer that the app tier gives, to a batch, with room to spare.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("no connection")]
    Connect(#[source] Box<dyn Error + Send + Sync>),
    /// The connection was closed before any of the request was sent.
    #[error("the connection was closed")]
    NotSent(#[source] hyper::Error),
    #[error("no answer")]
    NoAnswer(#[source] hyper::Error),
    #[error("the answer broke off, or is longer than {ANSWER_BYTES_MAX} bytes")]
    Body(#[source] Box<dyn Error + Send + Sync>),
}

impl CallError {
    pub fn nothing_was_sent(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::NotSent(_))
    }
}

/// An error carries the request, if nothing of it was sent.
pub(super) type Outcome = Result<Response<Bytes>, (CallError, Option<Request<Full<Bytes>>>)>;

/// Where the load balancer is, and how it is spoken to.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) addresses: Addresses,
    pub(super) tls: Option<Tls>,
}

/// The connection's own half. In a box each: a request moves its connection several times.
#[derive(Debug)]
enum Driver {
    Plain(Box<Connection<TokioIo<TcpStream>, Full<Bytes>>>),
    Tls(Box<Connection<TokioIo<TlsStream<TcpStream>>, Full<Bytes>>>),
}

#[derive(Debug)]
pub(super) struct Link {
    sender: SendRequest<Full<Bytes>>,
    /// Gone once it ended: what waits for it is then told.
    connection: Option<Driver>,
}

impl Link {
    pub(super) async fn open(peer: &Peer) -> Result<Self, CallError> {
        let stream = connect(&peer.addresses).await.map_err(CallError::Connect)?;
        let (sender, connection) = match &peer.tls {
            None => {
                let (sender, connection) = speak_http(stream).await?;
                (sender, Driver::Plain(Box::new(connection)))
            }
            Some(tls) => {
                let stream = tls.handshake(stream).await;
                let stream = stream.map_err(|error| CallError::Connect(error.into()))?;
                let (sender, connection) = speak_http(stream).await?;
                (sender, Driver::Tls(Box::new(connection)))
            }
        };
        Ok(Self {
            sender,
            connection: Some(connection),
        })
    }

    pub(super) async fn call(&mut self, request: Request<Full<Bytes>>) -> Outcome {
        let Self { sender, connection } = self;
        let answer = drive(connection, sender.try_send_request(request)).await;
        let (head, body) = answer
            .map_err(|mut error| match error.take_message() {
                Some(unsent) => (CallError::NotSent(error.into_error()), Some(unsent)),
                None => (CallError::NoAnswer(error.into_error()), None),
            })?
            .into_parts();
        let body = drive(connection, Limited::new(body, ANSWER_BYTES_MAX).collect()).await;
        let body = body.map_err(|error| (CallError::Body(error), None))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    /// Whether another request may be sent; looks whether the other side closed it.
    pub(super) fn is_open(&mut self) -> bool {
        run(
            &mut self.connection,
            &mut Context::from_waker(Waker::noop()),
        );
        self.connection.is_some() && self.sender.is_ready()
    }
}

impl Driver {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        match self {
            Self::Plain(connection) => Pin::new(connection).poll(context),
            Self::Tls(connection) => Pin::new(connection).poll(context),
        }
    }
}

type Halves<S> = (
    SendRequest<Full<Bytes>>,
    Connection<TokioIo<S>, Full<Bytes>>,
);

async fn speak_http<S>(stream: S) -> Result<Halves<S>, CallError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    http1::handshake(TokioIo::new(stream))
        .await
        .map_err(CallError::NotSent)
}

/// Connects to the first address that takes a connection.
async fn connect(addresses: &Addresses) -> Result<TcpStream, Box<dyn Error + Send + Sync>> {
    let in_turn = addresses.in_turn().await?;
    let listed = in_turn.clone().into_iter();
    let resolver = service_fn(move |_: Name| ready(Ok::<_, Infallible>(listed.clone())));
    let mut connector = HttpConnector::new_with_resolver(resolver);
    connector.set_connect_timeout(Some(CONNECT));
    // A request is a single small write: waiting to fill a segment only adds delay.
    connector.set_nodelay(true);
    // The name is looked up already: any will do.
    let any = Uri::from_static("http://app-tier/");
    let stream = connector.call(any).await?.into_inner();
    if let Ok(to) = stream.peer_addr() {
        addresses.connected(&in_turn, to).await;
    }
    Ok(stream)
}

/// Runs `exchange` to its end, and the connection with it. The exchange waits for the connection alone and is asked
/// right after it, so it needs no waker.
async fn drive<F: Future>(connection: &mut Option<Driver>, exchange: F) -> F::Output {
    let mut exchange = pin!(exchange);
    poll_fn(|context| {
        // Twice: a body asks the connection for more as it is read.
        for _ in 0..2 {
            run(connection, context);
            let mut nobody = Context::from_waker(Waker::noop());
            if let Poll::Ready(output) = exchange.as_mut().poll(&mut nobody) {
                return Poll::Ready(output);
            }
        }
        Poll::Pending
    })
    .await
}

/// As far as it comes now. How it ended shows in the exchange, as an error or as the end of the body.
fn run(connection: &mut Option<Driver>, context: &mut Context<'_>) {
    if let Some(open) = connection
        && open.poll(context).is_ready()
    {
        *connection = None;
    }
}
