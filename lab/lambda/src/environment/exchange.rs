//! What the host and one function process agree on: whose turn it is, and about which request.
//!
//! States and refusals are those of Lambda's own runtime interface: a response counts once, for the request
//! that runs, and a poll during a run gets the same event again.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

/// An event on its way to the function.
#[derive(Debug)]
pub struct Delivery {
    pub request_id: Uuid,
    pub payload: Bytes,
    /// Milliseconds since 1970.
    pub deadline_ms: i128,
    pub function_arn: String,
    pub trace_id: String,
}

/// What the function posted for a request.
#[derive(Debug)]
pub enum Answer {
    Response(Bytes),
    Error(Bytes),
    /// A response over the limit; its bytes were not kept.
    TooLarge,
}

/// Why a call of the function is refused.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("Invalid request ID")]
    InvalidRequestId,
    #[error(
        "State transition from {from} to {to} failed for runtime. Error: State transition is not allowed"
    )]
    InvalidTransition {
        from: &'static str,
        to: &'static str,
    },
}

#[derive(Debug)]
enum Phase {
    /// The process runs its init.
    Started,
    InitFailed(Bytes),
    /// It polls, or has polled, for work.
    Ready,
    /// It has work. The sender is taken by the answer, which also ends the phase.
    Running(Arc<Delivery>, Option<oneshot::Sender<Answer>>),
    /// It answered and has not polled yet.
    Answered(Uuid),
}

/// Shared by the host and the listener of one Runtime API.
#[derive(Debug)]
pub struct Exchange(watch::Sender<Phase>);

impl Exchange {
    pub fn new() -> Self {
        Self(watch::Sender::new(Phase::Started))
    }

    /// The host waits for a poll; `Err` has the function's own report of a failed init.
    pub async fn ready(&self) -> Result<(), Bytes> {
        let mut phases = self.0.subscribe();
        let settled = phases
            .wait_for(|phase| matches!(phase, Phase::Ready | Phase::InitFailed(_)))
            .await;
        match settled.as_deref() {
            Ok(Phase::InitFailed(report)) => Err(report.clone()),
            // The sender is `self`, so the wait itself can't fail.
            _ => Ok(()),
        }
    }

    /// The host hands over an event. The receiver fails only if a later event takes this one's place.
    pub fn deliver(&self, delivery: Delivery) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        self.0
            .send_replace(Phase::Running(Arc::new(delivery), Some(reply)));
        answer
    }

    /// The function polls: waits for an event as long as it takes.
    pub async fn next(&self) -> Result<Arc<Delivery>, Refusal> {
        let mut refused = None;
        self.0.send_if_modified(|phase| {
            match phase {
                Phase::Started | Phase::Answered(_) => *phase = Phase::Ready,
                Phase::Ready | Phase::Running(..) => return false,
                Phase::InitFailed(_) => refused = Some(phase.refuse("Ready")),
            }
            true
        });
        if let Some(refusal) = refused {
            return Err(refusal);
        }
        let mut phases = self.0.subscribe();
        let running = phases
            .wait_for(|phase| matches!(phase, Phase::Running(..)))
            .await;
        match running.as_deref() {
            Ok(Phase::Running(delivery, _)) => Ok(Arc::clone(delivery)),
            _ => Err(Refusal::InvalidRequestId),
        }
    }

    /// The function answers. `to` names the state that it asks for.
    pub fn answer(
        &self,
        request_id: &str,
        answer: Answer,
        to: &'static str,
    ) -> Result<(), Refusal> {
        let mut result = Ok(());
        self.0.send_if_modified(|phase| {
            if !phase.is_about(request_id) {
                result = Err(Refusal::InvalidRequestId);
                return false;
            }
            let Phase::Running(delivery, reply) = phase else {
                result = Err(phase.refuse(to));
                return false;
            };
            // A host that gave up waiting has dropped its end.
            drop(reply.take().map(|reply| reply.send(answer)));
            *phase = Phase::Answered(delivery.request_id);
            true
        });
        result
    }

    /// The function reports that its init failed.
    pub fn init_failed(&self, report: Bytes) -> Result<(), Refusal> {
        let mut result = Ok(());
        self.0.send_if_modified(|phase| {
            if !matches!(phase, Phase::Started) {
                result = Err(phase.refuse("InitError"));
                return false;
            }
            *phase = Phase::InitFailed(report);
            true
        });
        result
    }
}

impl Phase {
    fn is_about(&self, request_id: &str) -> bool {
        let current = match self {
            Self::Running(delivery, _) => delivery.request_id,
            Self::Answered(request_id) => *request_id,
            Self::Started | Self::InitFailed(_) | Self::Ready => return false,
        };
        current.to_string() == request_id
    }

    fn refuse(&self, to: &'static str) -> Refusal {
        let from = match self {
            Self::Started => "Started",
            Self::InitFailed(_) => "InitError",
            Self::Ready => "Ready",
            Self::Running(..) => "Running",
            Self::Answered(_) => "ResponseSent",
        };
        Refusal::InvalidTransition { from, to }
    }
}
