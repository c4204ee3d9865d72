//! The wish that the work ends: Ctrl-C of the operator, or SIGTERM of the system.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Takes both signals over: from now on neither ends the process by itself.
    pub fn listen() -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            sender.send_replace(true);
            // Kept, or its end would look like the wish.
            sender.closed().await;
        });
        Ok(Self(receiver))
    }

    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    pub async fn asked(&mut self) {
        // Fails if the sender is gone, and the runtime with it.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}
