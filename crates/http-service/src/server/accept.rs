//! Takes connections from the listener, within a bound.
//!
//! At the bound nobody is kept out for long: a connection without a whole request gives way to the next one. Those with
//! one are bounded by the deadlines of the layers, so that a load balancer's health check always gets through.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::cores::Cores;
use super::idle::Idle;

/// Pause after the system could not give a file descriptor, so that the accept loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Acceptor {
    pub(super) listener: TcpListener,
    /// One for each connection that may still come.
    pub(super) slots: Arc<Semaphore>,
    pub(super) idle: Idle,
    /// Accepted, and without a slot yet. Kept here, so that it is not lost if the drain begins at that moment.
    pub(super) newcomer: Option<TcpStream>,
}

impl Acceptor {
    /// Never returns; the caller drops it.
    pub(super) async fn deal_to(&mut self, cores: &Cores) {
        loop {
            if self.newcomer.is_none() {
                self.newcomer = self.accept().await;
            }
            let Some(slot) = self.slot().await else {
                return;
            };
            if let Some(stream) = self.newcomer.take() {
                // Made here, so that they are in the order of their arrival.
                cores.serve(stream, slot, self.idle.seat());
            }
        }
    }

    async fn accept(&self) -> Option<TcpStream> {
        match self.listener.accept().await {
            Ok((stream, _)) => return Some(stream),
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be accepted");
                self.idle.give_way();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        None
    }

    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        let slots = Arc::clone(&self.slots);
        if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
            return Some(slot);
        }
        self.idle.give_way();
        // The semaphore is never closed.
        let slot = slots.acquire_owned().await.ok();
        self.idle.given_way();
        slot
    }
}

/// The client was gone before it was accepted. Other errors tell that this system has no file descriptor or memory.
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}
