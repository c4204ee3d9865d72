//! Kept-alive connections to the internal load balancer, those of one core.

use std::collections::VecDeque;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::{Instant, interval, timeout};

use super::link::{CONNECT, CallError, Link, Outcome, Peer};

/// Idle connections are given up before the load balancer gives them up (ALB: 60 s), which would break a POST
/// that is just being sent.
const IDLE: Duration = Duration::from_secs(30);

const IDLE_MAX: usize = 1024;

/// Connections that are opened at one time, so that a burst of requests is no storm of connections: most of those that
/// wait get one that became idle meanwhile.
const OPENING_MAX: usize = 64;

#[derive(Debug)]
pub struct Pool {
    peer: Arc<Peer>,
    idle: Arc<Idle>,
    opening: Arc<Semaphore>,
}

impl Pool {
    pub fn new(peer: Arc<Peer>) -> Self {
        let idle = Arc::new(Idle::default());
        tokio::spawn(give_up(Arc::downgrade(&idle)));
        Self {
            peer,
            idle,
            opening: Arc::new(Semaphore::new(OPENING_MAX)),
        }
    }

    /// Sends a request and reads the whole answer. Dropped meanwhile, it closes the connection.
    pub async fn call(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, CallError> {
        loop {
            let (link, is_new) = self.link().await?;
            match self.call_over(link, request).await {
                // It was closed as the request was about to be sent. The next may be, too.
                Err((CallError::NotSent(_), Some(unsent))) if !is_new => request = unsent,
                outcome => return outcome.map_err(|(error, _)| error),
            }
        }
    }

    async fn call_over(&self, mut link: Link, request: Request<Full<Bytes>>) -> Outcome {
        let answer = link.call(request).await?;
        if link.is_open() {
            self.idle.keep(link);
        }
        Ok(answer)
    }

    /// A connection that is idle, or becomes so while another is opened; and whether it is new.
    async fn link(&self) -> Result<(Link, bool), CallError> {
        let mut opening = pin!(self.open());
        loop {
            if let Some(link) = self.idle.take() {
                return Ok((link, false));
            }
            tokio::select! {
                biased;
                opened = opening.as_mut() => return Ok((opened?, true)),
                () = self.idle.added.notified() => {}
            }
        }
    }

    async fn open(&self) -> Result<Link, CallError> {
        let turn = timeout(CONNECT, Arc::clone(&self.opening).acquire_owned()).await;
        // The semaphore is never closed.
        let turn = turn.map_err(|late| CallError::Connect(io::Error::from(late).into()))?;
        let (peer, idle) = (Arc::clone(&self.peer), Arc::clone(&self.idle));
        let (opened, link) = oneshot::channel();
        // In a task of its own: once begun it is of use, if not to this request.
        tokio::spawn(async move {
            let link = Link::open(&peer).await;
            drop(turn);
            if let Err(Ok(link)) = opened.send(link) {
                idle.keep(link);
            }
        });
        link.await
            .unwrap_or_else(|gone| Err(CallError::Connect(gone.into())))
    }
}

/// Idle connections, the most recently used last.
#[derive(Debug, Default)]
struct Idle {
    links: Mutex<VecDeque<(Instant, Link)>>,
    /// Tells one that waits.
    added: Notify,
}

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
            self.added.notify_one();
        }
    }

    fn drop_old(&self) {
        let mut links = self.links();
        let old = links.partition_point(|(since, _)| since.elapsed() >= IDLE);
        links.drain(..old);
    }

    fn links(&self) -> MutexGuard<'_, VecDeque<(Instant, Link)>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
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
