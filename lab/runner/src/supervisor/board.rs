//! The status of all parts: in memory, and in a file for other processes.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    files, output,
    part::{Part, PartName},
    process::Identity,
    state::status::{Failure, PartState, PartStatus, Phase, Status},
};

#[derive(Clone, Debug)]
pub struct Board {
    path: Arc<PathBuf>,
    status: Arc<watch::Sender<Status>>,
}

impl Board {
    pub(super) fn new(path: PathBuf, parts: &[Part]) -> Self {
        let pid = i32::try_from(std::process::id()).unwrap_or_default();
        let status = Status {
            supervisor: Identity::of(pid),
            phase: Phase::Starting,
            failure: None,
            parts: parts
                .iter()
                .map(|part| PartStatus::new(part.name, part.address, part.about.clone()))
                .collect(),
        };
        let board = Self {
            path: Arc::new(path),
            status: Arc::new(watch::Sender::new(status)),
        };
        board.change(|_| {});
        board
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    pub(super) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    pub(super) fn phase(&self, phase: Phase) {
        self.change(|status| status.phase = phase);
    }

    pub(super) fn failed(&self, failure: Failure) {
        self.change(|status| status.failure = Some(failure));
    }

    pub(super) fn started(&self, part: PartName, process: Option<Identity>) {
        self.change_part(part, |status| {
            status.pid = process.map(|process| process.pid);
            status.start_time = process.and_then(|process| process.start_time);
            status.state = PartState::Starting;
            status.ready_ms = None;
        });
    }

    /// Whether it has been healthy since its last start.
    pub(super) fn was_healthy(&self, part: PartName) -> bool {
        let status = self.status.borrow();
        status
            .part(part)
            .is_some_and(|status| status.ready_ms.is_some())
    }

    pub(super) fn healthy(&self, part: PartName, since_start: Duration) {
        self.change_part(part, |status| {
            if status.state == PartState::Starting {
                status.ready_ms = u64::try_from(since_start.as_millis()).ok();
            }
            status.state = PartState::Healthy;
            status.detail = None;
        });
    }

    /// Marks a part as unhealthy; one that has yet to become healthy stays `starting`.
    pub(super) fn unhealthy(&self, part: PartName, detail: &str) {
        self.change_part(part, |status| {
            if status.state == PartState::Healthy {
                status.state = PartState::Unhealthy;
            }
            status.detail = Some(detail.to_owned());
        });
    }

    pub(super) fn died(&self, part: PartName, detail: String) {
        output::warn(format_args!("{part} {detail}"));
        self.change_part(part, |status| {
            status.pid = None;
            status.start_time = None;
            status.state = PartState::Unhealthy;
            status.deaths += 1;
            status.detail = Some(detail);
        });
    }

    pub(super) fn stopped(&self, part: PartName) {
        self.change_part(part, |status| {
            status.pid = None;
            status.start_time = None;
            status.state = PartState::Stopped;
            status.detail = None;
        });
    }

    fn change_part(&self, part: PartName, change: impl FnOnce(&mut PartStatus)) {
        self.change(|status| {
            if let Some(status) = status.parts.iter_mut().find(|status| status.part == part) {
                change(status);
            }
        });
    }

    /// Writes the file under the channel's lock, so that it never goes back in time.
    fn change(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_modify(|status| {
            change(status);
            if let Err(error) = files::write_json(&self.path, status) {
                output::error(&error);
            }
        });
    }
}
