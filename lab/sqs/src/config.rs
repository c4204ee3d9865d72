//! The configuration file and its validation.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use server_kit::caller::AccessKeyIds;
use server_kit::config::{ConfigError, ConfigErrors, is_word};
use server_kit::role::CallerConfig;
use server_kit::secret::Secret;

/// The whole configuration of a server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Loopback address to listen on; port 0 for any free port.
    pub listen: SocketAddr,
    /// Folder of the messages; created if absent.
    pub root: PathBuf,
    pub region: String,
    /// Twelve digits.
    pub account_id: String,
    /// Callers with one of these ids may do everything.
    pub access_key_ids: AccessKeyIds,
    /// Callers restricted by policies.
    #[serde(default)]
    pub callers: Vec<CallerConfig>,
    /// Bearer token for `/_lab/faults`; without one, that API is disabled.
    pub control_token: Option<Secret>,
    /// The queues. Messages of queues that are no longer configured stay on disk.
    pub queues: Vec<QueueConfig>,
}

/// One standard queue. Defaults are Amazon's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueConfig {
    pub name: String,
    /// How long a received message is hidden from other receivers.
    #[serde(default = "defaults::visibility_timeout_seconds")]
    pub visibility_timeout_seconds: u64,
    /// Messages older than this are deleted.
    #[serde(default = "defaults::retention_seconds")]
    pub retention_seconds: u64,
    pub redrive: Option<RedriveConfig>,
    /// File of the queue's policy.
    pub policy: Option<PathBuf>,
}

/// Dead-letter settings of a queue.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedriveConfig {
    /// Name of another queue of this configuration.
    pub dead_letter_queue: String,
    /// Number of receives after which a message moves to the dead-letter queue.
    pub max_receive_count: u32,
}

mod defaults {
    pub fn visibility_timeout_seconds() -> u64 {
        30
    }

    pub fn retention_seconds() -> u64 {
        345_600
    }
}

impl Config {
    /// Reads a file; [`Config::check`] validates it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        server_kit::config::load(path)
    }

    /// Returns every mistake at once, each with the name of the member that must change.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut mistakes = ConfigErrors::default();
        mistakes.of_server(
            self.listen,
            &self.region,
            &self.account_id,
            &self.access_key_ids,
            self.control_token.as_ref(),
        );
        let mut names = BTreeSet::new();
        for queue in &self.queues {
            if !names.insert(queue.name.as_str()) {
                mistakes.add(format!("queues: {:?} appears twice", queue.name));
            }
        }
        for queue in &self.queues {
            queue.check(&names, &mut mistakes);
        }
        mistakes.into_result()
    }
}

impl QueueConfig {
    fn check(&self, names: &BTreeSet<&str>, mistakes: &mut ConfigErrors) {
        let name = &self.name;
        if !is_word(name) || name.len() > 80 {
            mistakes.add(format!(
                "queues: {name:?} is not a queue name: use 1 to 80 letters, digits, `-` and `_`"
            ));
        }
        let member = |member: &str| format!("queues: {name}: {member}");
        let timeout = self.visibility_timeout_seconds;
        mistakes.within(
            &member("visibility_timeout_seconds"),
            timeout,
            0,
            MAX_VISIBILITY,
        );
        mistakes.within(
            &member("retention_seconds"),
            self.retention_seconds,
            60,
            1_209_600,
        );
        let Some(redrive) = &self.redrive else { return };
        let other = redrive.dead_letter_queue.as_str();
        if other == name || !names.contains(other) {
            mistakes.add(member(
                "redrive.dead_letter_queue: must be another queue of this configuration",
            ));
        }
        let count = redrive.max_receive_count.into();
        mistakes.within(&member("redrive.max_receive_count"), count, 1, 1000);
    }
}

/// Twelve hours, in seconds.
pub const MAX_VISIBILITY: u64 = 43_200;
