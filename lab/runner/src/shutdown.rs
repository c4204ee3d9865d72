//! When to stop: a signal, or the end of the process that owns the lab.

use std::{io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};

use crate::process::Identity;

const POLL: Duration = Duration::from_millis(500);

/// Why to stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ShutdownCause {
    /// Ctrl-C or a closed terminal: other processes in the foreground received it too.
    Terminal,
    Terminate,
    OwnerGone,
}

/// Listens from its creation, so that no signal is lost.
#[derive(Debug)]
pub struct Shutdown {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    owner: Option<Identity>,
}

impl Shutdown {
    pub fn listen(owner: Option<Identity>) -> Result<Self, io::Error> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            owner,
        })
    }

    /// Returns when it is time to stop.
    pub async fn wait(&mut self) -> ShutdownCause {
        tokio::select! {
            _ = self.terminate.recv() => ShutdownCause::Terminate,
            _ = self.interrupt.recv() => ShutdownCause::Terminal,
            _ = self.hang_up.recv() => ShutdownCause::Terminal,
            () = gone(self.owner) => ShutdownCause::OwnerGone,
        }
    }
}

async fn gone(owner: Option<Identity>) {
    let Some(owner) = owner else {
        return std::future::pending().await;
    };
    while owner.is_alive() {
        sleep(POLL).await;
    }
}
