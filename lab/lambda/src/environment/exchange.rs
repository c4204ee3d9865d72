//! The protocol state between the host and one function process: whose turn it is, and for which request.
//!
//! States and refusals are those of Lambda's Runtime API: one response counts per request, and a poll during an
//! invocation gets the same event again.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

/// An event to hand to the function.
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
    /// A response over the limit; its bytes were discarded.
    TooLarge,
}

/// Why a call of the function was refused.
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
    /// The process is initializing.
    Started,
    InitFailed(Bytes),
    /// It polls for work.
    Ready,
    /// It is working. The answer takes the sender, which also ends this phase.
    Running(Arc<Delivery>, Option<oneshot::Sender<Answer>>),
    /// It has answered and not polled yet.
    Answered(Uuid),
}

/// State shared by the host and one Runtime API listener.
#[derive(Debug)]
pub struct Exchange(watch::Sender<Phase>);

impl Exchange {
    pub fn new() -> Self {
        Self(watch::Sender::new(Phase::Started))
    }

    /// Waits for the function's first poll; `Err` holds its report of a failed init.
    pub async fn ready(&self) -> Result<(), Bytes> {
        let mut phases = self.0.subscribe();
        let settled = phases
            .wait_for(|phase| matches!(phase, Phase::Ready | Phase::InitFailed(_)))
            .await;
        match settled.as_deref() {
            Ok(Phase::InitFailed(report)) => Err(report.clone()),
            // The sender is `self`, so the wait cannot fail.
            _ => Ok(()),
        }
    }

    /// Hands an event to the function. The receiver fails only if a later event replaces this one.
    pub fn deliver(&self, delivery: Delivery) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        self.0
            .send_replace(Phase::Running(Arc::new(delivery), Some(reply)));
        answer
    }

    /// Answers the function's poll: waits for an event as long as it takes.
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

    /// Takes the function's answer. `to` names the state that it asks for.
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
            // A host that gave up has dropped its end.
            drop(reply.take().map(|reply| reply.send(answer)));
            *phase = Phase::Answered(delivery.request_id);
            true
        });
        result
    }

    /// Takes the function's report that its init failed.
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
