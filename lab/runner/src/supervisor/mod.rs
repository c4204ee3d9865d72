//! Keeps the parts running: starts them in order, restarts those that die, stops all.

mod backoff;
mod board;
mod keeper;
mod log;

use std::time::Duration;

use tokio::time::timeout;

pub use self::board::Board;
use self::keeper::Keeper;
use crate::{
    files, output,
    part::{Part, PartName, STOP},
    state::{
        LabDir,
        status::{Failure, PartState, Phase, Status},
    },
};

/// A part that is not healthy this long after its start has failed.
const START_DEADLINE: Duration = Duration::from_mins(1);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Files(#[from] files::Error),
    #[error("{part} {detail}")]
    Died { part: PartName, detail: String },
    #[error("{part} is not healthy after {} s: {detail}", START_DEADLINE.as_secs())]
    Late { part: PartName, detail: String },
}

impl Error {
    /// Returns the part that failed.
    pub fn part(&self) -> Option<PartName> {
        match self {
            Self::Files(_) => None,
            Self::Died { part, .. } | Self::Late { part, .. } => Some(*part),
        }
    }
}

#[derive(Debug)]
pub struct Supervisor {
    dir: LabDir,
    board: Board,
    keepers: Vec<Keeper>,
}

impl Supervisor {
    pub fn new(dir: LabDir, parts: &[Part]) -> Self {
        Self {
            board: Board::new(dir.status(), parts),
            dir,
            keepers: Vec::new(),
        }
    }

    /// Starts parts, and waits until all of them are healthy.
    pub async fn start(&mut self, parts: Vec<Part>) -> Result<(), Error> {
        let names: Vec<PartName> = parts.iter().map(|part| part.name).collect();
        for part in parts {
            for file in &part.files {
                file.write()?;
            }
            let log = self.dir.log(part.name);
            let hold = self.dir.hold(part.name);
            let keeper = Keeper::start(part, log, hold, self.board.clone());
            self.keepers.push(keeper);
        }
        let mut board = self.board.subscribe();
        let settled = board.wait_for(|status| outcome(status, &names).is_some());
        let Ok(status) = timeout(START_DEADLINE, settled).await else {
            return Err(late(&self.board.status(), &names));
        };
        // The sender lives in self, so the channel is open.
        status
            .ok()
            .and_then(|status| outcome(&status, &names))
            .unwrap_or(Ok(()))
    }

    pub fn running(&self) {
        self.board.phase(Phase::Running);
    }

    /// Records why the start was given up.
    pub fn failed(&self, failure: Failure) {
        output::warn(&failure.reason);
        self.board.failed(failure);
    }

    /// Stops everything that was started.
    pub async fn stop(&mut self) {
        self.board.phase(Phase::Stopping);
        for group in STOP {
            let (now, later): (Vec<_>, Vec<_>) = self
                .keepers
                .drain(..)
                .partition(|keeper| group.contains(&keeper.part()));
            self.keepers = later;
            let ending: Vec<_> = now.into_iter().map(Keeper::stop).collect();
            for task in ending {
                if let Err(error) = task.await {
                    output::error(&error);
                }
            }
        }
        self.board.phase(Phase::Stopped);
    }
}

/// Returns `None` while some are still starting; an error as soon as one died.
fn outcome(status: &Status, names: &[PartName]) -> Option<Result<(), Error>> {
    let mut all_healthy = true;
    for part in names.iter().filter_map(|&name| status.part(name)) {
        if part.deaths > 0 {
            return Some(Err(Error::Died {
                part: part.part,
                detail: part.detail.clone().unwrap_or_default(),
            }));
        }
        all_healthy &= part.state == PartState::Healthy;
    }
    all_healthy.then_some(Ok(()))
}

fn late(status: &Status, names: &[PartName]) -> Error {
    let late = names
        .iter()
        .filter_map(|&name| status.part(name))
        .find(|part| part.state != PartState::Healthy);
    Error::Late {
        part: late.map_or(PartName::Mysql, |part| part.part),
        detail: late
            .and_then(|part| part.detail.clone())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
