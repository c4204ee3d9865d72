//! Kept-alive connections to the internal load balancer.
//!
//! A connection has no task of its own: the request that uses it drives it. That spares two wake-ups and a change of
//! thread a request, which are a third of what a client's pool with a task per connection costs.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};

const CONNECT: Duration = Duration::from_secs(1);

/// Idle connections are given up before the load balancer gives them up (ALB: 60 s), which would break a POST
/// that is just being sent.
const IDLE: Duration = Duration::from_secs(30);

const IDLE_MAX: usize = 1024;

/// Largest answer that the app tier gives, with room to spare.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug)]
pub struct Pool {
    /// `host:port`
    address: String,
    idle: Arc<Idle>,
}

#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("no connection")]
    Connect(#[source] io::Error),
    /// The connection was closed before any of the request was sent.
    #[error("the connection was closed")]
    NotSent(#[source] hyper::Error),
    #[error("no answer")]
    NoAnswer(#[source] hyper::Error),
    #[error("the answer broke off, or is longer than {ANSWER_BYTES_MAX} bytes")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl CallError {
    pub fn nothing_was_sent(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::NotSent(_))
    }
}

impl Pool {
    pub fn new(address: String) -> Self {
        let idle = Arc::new(Idle::default());
        tokio::spawn(give_up(Arc::downgrade(&idle)));
        Self { address, idle }
    }

    /// Sends a request and reads the whole answer. Dropped meanwhile, it closes the connection.
    pub async fn call(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, CallError> {
        while let Some(link) = self.idle.take() {
            match self.call_over(link, request).await {
                // It was closed as the request was about to be sent. The next may be, too.
                Err((CallError::NotSent(_), Some(unsent))) => request = unsent,
                outcome => return outcome.map_err(|(error, _)| error),
            }
        }
        let link = Link::open(&self.address).await?;
        let outcome = self.call_over(link, request).await;
        outcome.map_err(|(error, _)| error)
    }

    async fn call_over(&self, mut link: Link, request: Request<Full<Bytes>>) -> Outcome {
        let answer = link.call(request).await?;
        if link.is_open() {
            self.idle.keep(link);
        }
        Ok(answer)
    }
}

/// With an error comes the request, where nothing of it was sent.
type Outcome = Result<Response<Bytes>, (CallError, Option<Request<Full<Bytes>>>)>;

type Tcp = Connection<TokioIo<TcpStream>, Full<Bytes>>;

#[derive(Debug)]
struct Link {
    sender: SendRequest<Full<Bytes>>,
    /// Gone once it ended: what waits for it is then told.
    connection: Option<Tcp>,
}

impl Link {
    async fn open(address: &str) -> Result<Self, CallError> {
        let stream = match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(stream) => stream.map_err(CallError::Connect)?,
            Err(late) => return Err(CallError::Connect(late.into())),
        };
        // A request is a single small write: waiting to fill a segment only adds delay.
        let _ = stream.set_nodelay(true);
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(CallError::NotSent)?;
        Ok(Self {
            sender,
            connection: Some(connection),
        })
    }

    async fn call(&mut self, request: Request<Full<Bytes>>) -> Outcome {
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
    fn is_open(&mut self) -> bool {
        run(
            &mut self.connection,
            &mut Context::from_waker(Waker::noop()),
        );
        self.connection.is_some() && self.sender.is_ready()
    }
}

/// Runs `exchange` to its end, and the connection with it. The exchange waits for the connection alone and is asked
/// right after it, so it needs no waker.
async fn drive<F: Future>(connection: &mut Option<Tcp>, exchange: F) -> F::Output {
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
fn run(connection: &mut Option<Tcp>, context: &mut Context<'_>) {
    if let Some(open) = connection
        && Pin::new(open).poll(context).is_ready()
    {
        *connection = None;
    }
}

/// Connections without a request, that which was used last behind.
#[derive(Debug, Default)]
struct Idle(Mutex<VecDeque<(Instant, Link)>>);

impl Idle {
    /// The one that was used last, so that those that are not needed grow old.
    fn take(&self) -> Option<Link> {
        loop {
            let (since, mut link) = self.links().pop_back()?;
            if since.elapsed() < IDLE && link.is_open() {
                return Some(link);
            }
        }
    }

    fn keep(&self, link: Link) {
        let mut links = self.links();
        if links.len() < IDLE_MAX {
            links.push_back((Instant::now(), link));
        }
    }

    fn drop_old(&self) {
        let mut links = self.links();
        let old = links.partition_point(|(since, _)| since.elapsed() >= IDLE);
        links.drain(..old);
    }

    fn links(&self) -> MutexGuard<'_, VecDeque<(Instant, Link)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes connections that nobody needs any more.
async fn give_up(idle: Weak<Idle>) {
    let mut ticks = interval(IDLE / 3);
    loop {
        ticks.tick().await;
        match idle.upgrade() {
            Some(idle) => idle.drop_old(),
            None => return,
        }
    }
}
