//! The configuration file, and what is refused in it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use server_kit::caller::AccessKeyIds;
use server_kit::config::{ConfigError, Mistakes, is_word};
use server_kit::role::CallerConfig;
use server_kit::secret::Secret;

/// The whole configuration of a server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the API listens: loopback, port 0 for any free one.
    pub listen: SocketAddr,
    /// Folder of the messages; made if absent.
    pub root: PathBuf,
    pub region: String,
    /// Twelve digits.
    pub account_id: String,
    /// Their bearers may do everything.
    pub access_key_ids: AccessKeyIds,
    /// Who may do what policies say.
    #[serde(default)]
    pub callers: Vec<CallerConfig>,
    /// What callers of `/_lab/faults` must show; without one, nobody may call it.
    pub control_token: Option<Secret>,
    /// Messages of queues that an earlier run had and this one has not stay on disk.
    pub queues: Vec<QueueConfig>,
}

/// One standard queue. Defaults are Amazon's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueConfig {
    pub name: String,
    /// How long a received message is hidden from others.
    #[serde(default = "defaults::visibility_timeout_seconds")]
    pub visibility_timeout_seconds: u64,
    /// A message older than this is gone.
    #[serde(default = "defaults::retention_seconds")]
    pub retention_seconds: u64,
    pub redrive: Option<RedriveConfig>,
    /// File of the queue's policy.
    pub policy: Option<PathBuf>,
}

/// What becomes of a message that nobody deletes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedriveConfig {
    /// Name of another queue of this configuration.
    pub dead_letter_queue: String,
    /// A message received this often goes there instead of being received once more.
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
    /// Reads a file; [`Config::check`] judges what it says.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        server_kit::config::load(path)
    }

    /// Every mistake at once, each with the name of the member that must change.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut mistakes = Mistakes::default();
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
    fn check(&self, names: &BTreeSet<&str>, mistakes: &mut Mistakes) {
        let name = &self.name;
        if !is_word(name) || name.len() > 80 {
            mistakes.add(format!(
                "queues: {name:?} is no name: 1 to 80 letters, digits, `-` and `_`"
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
