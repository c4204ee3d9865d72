//! Concurrency slots: the permission to run one invocation.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::environment::Environment;
use crate::function::{Function, Stopped};
use crate::invocation::{Invocation, Run};

/// Where an invocation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Caller,
    /// A queue, which delivers at least once, so events may be duplicated.
    Queue,
}

/// Permission to run one invocation now.
#[derive(Debug)]
pub struct ConcurrencySlot {
    pub function: Arc<Function>,
    pub permit: OwnedSemaphorePermit,
    pub source: Source,
}

impl ConcurrencySlot {
    /// Runs the invocation to completion, even if the caller goes away. The result arrives when the function polls
    /// again, so that the caller's next call finds its environment free.
    pub async fn run(self, invocation: Invocation) -> Result<Run, Stopped> {
        let (reply, run) = oneshot::channel();
        tokio::spawn(async move {
            if let Some(run) = self.execute(&invocation).await {
                // The caller may be gone.
                reply.send(run).ok();
            }
        });
        run.await.map_err(|_| Stopped)
    }

    async fn execute(self, invocation: &Invocation) -> Option<Run> {
        let Self {
            function,
            permit,
            source,
        } = self;
        let mut stopped = function.stopped();
        let mut slot = function.take_idle();
        let mut result = None;
        let reusable = tokio::select! {
            reusable = function.drive(&mut slot, invocation, source, &mut result) => reusable,
            _ = stopped.wait_for(|stopped| *stopped) => false,
        };
        if reusable {
            function.keep(slot);
        } else {
            end(slot).await;
        }
        drop(permit);
        result
    }
}

pub async fn end(environment: Option<Environment>) {
    if let Some(environment) = environment {
        environment.end().await;
    }
}
