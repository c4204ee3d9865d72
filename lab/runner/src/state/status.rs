//! What the supervisor knows of the parts, in a file that others read.

use std::net::SocketAddr;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use super::{Error, LabDir};
use crate::{files, output, part_name::PartName, process::Identity};

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartState {
    Starting,
    Healthy,
    Unhealthy,
    Stopped,
}

impl PartState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Stopped => "stopped",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartStatus {
    pub part: PartName,
    pub pid: Option<i32>,
    pub addr: SocketAddr,
    pub state: PartState,
    /// What runs there, such as `mariadb 10.11.19`.
    pub about: String,
    /// With the pid, tells this process from a later one.
    pub start_time: Option<u64>,
    /// How often it died.
    pub deaths: u32,
    /// From start to the first good health check.
    pub ready_ms: Option<u64>,
    /// Why it is not healthy, or how it died last.
    pub detail: Option<String>,
}

impl PartStatus {
    /// A part that was not started yet.
    pub fn new(part: PartName, addr: SocketAddr, about: String) -> Self {
        Self {
            part,
            pid: None,
            addr,
            state: PartState::Stopped,
            about,
            start_time: None,
            deaths: 0,
            ready_ms: None,
            detail: None,
        }
    }

    pub fn identity(&self) -> Option<Identity> {
        let pid = self.pid?;
        Some(Identity {
            pid,
            start_time: self.start_time,
        })
    }

    /// What became of it since it was looked at before, for people.
    pub fn news_since(&self, before: &Self) -> Option<String> {
        if self.deaths > before.deaths {
            return Some(match self.pid {
                Some(pid) => format!("died; started again as pid {pid}"),
                None => self.detail.clone().unwrap_or_default(),
            });
        }
        if self.state == before.state {
            return None;
        }
        let state = self.state.as_str();
        Some(match &self.detail {
            Some(detail) => format!("{state}: {detail}"),
            None => state.to_owned(),
        })
    }

    /// As it is once nobody supervises: a process that still runs is nobody's.
    #[must_use]
    pub fn unsupervised(mut self) -> Self {
        if self.identity().is_some_and(Identity::is_alive) {
            self.state = PartState::Unhealthy;
            self.detail = Some("its supervisor is gone".to_owned());
        } else {
            self.state = PartState::Stopped;
            self.pid = None;
            self.start_time = None;
        }
        self
    }
}

/// How far the lab as a whole is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Starting,
    Running,
    Stopping,
    Stopped,
}

/// Why a start was given up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// Whose log to look at.
    pub part: Option<PartName>,
    pub reason: String,
}

impl Failure {
    pub fn of(part: Option<PartName>, error: &dyn std::error::Error) -> Self {
        Self {
            part,
            reason: output::chain(error),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    pub supervisor: Identity,
    pub phase: Phase,
    pub failure: Option<Failure>,
    pub parts: Vec<PartStatus>,
}

impl Status {
    /// As the supervisor wrote it last, corrected if it died since; nothing where there never was one.
    pub fn load(dir: &LabDir) -> Result<Option<Self>, Error> {
        let written: Option<Self> = files::read_json(&dir.status())?;
        let Some(mut status) = written else {
            return Ok(None);
        };
        if !dir.is_supervised()? {
            status.phase = Phase::Stopped;
            status.parts = status
                .parts
                .into_iter()
                .map(PartStatus::unsupervised)
                .collect();
        }
        Ok(Some(status))
    }

    /// Sends a signal to a part; `false` where it does not run.
    pub fn signal(dir: &LabDir, part: PartName, signal: Signal) -> Result<bool, Error> {
        let status = Self::load(dir)?.ok_or_else(|| dir.no_lab())?;
        let process = status.part(part).and_then(PartStatus::identity);
        Ok(process.is_some_and(|process| process.signal(signal)))
    }

    pub fn part(&self, name: PartName) -> Option<&PartStatus> {
        self.parts.iter().find(|status| status.part == name)
    }

    pub fn all_healthy(&self) -> bool {
        !self.parts.is_empty()
            && self
                .parts
                .iter()
                .all(|status| status.state == PartState::Healthy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(pid: Option<i32>) -> PartStatus {
        PartStatus {
            part: PartName::AppA,
            pid,
            addr: "127.0.0.1:3011".parse().unwrap(),
            state: PartState::Healthy,
            about: "app-tier".to_owned(),
            start_time: Some(1),
            deaths: 0,
            ready_ms: Some(40),
            detail: None,
        }
    }

    #[test]
    fn has_the_members_that_scripts_read() {
        let json = serde_json::to_value(sample(Some(42))).unwrap();
        assert_eq!(json["part"], "app-a");
        assert_eq!(json["pid"], 42);
        assert_eq!(json["addr"], "127.0.0.1:3011");
        assert_eq!(json["state"], "healthy");
    }

    #[test]
    fn without_a_supervisor_a_dead_part_is_stopped_not_healthy() {
        let status = sample(Some(i32::MAX)).unsupervised();
        assert_eq!(status.state, PartState::Stopped);
        assert_eq!(status.pid, None);
    }

    #[test]
    fn a_lab_without_parts_is_not_healthy() {
        let status = Status {
            supervisor: Identity::of(1),
            phase: Phase::Starting,
            failure: None,
            parts: Vec::new(),
        };
        assert!(!status.all_healthy());
    }
}
