//! The configuration file, and what is refused in it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::secret::{AccessKeyIds, ControlToken};

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
    pub access_key_ids: AccessKeyIds,
    /// What callers of `/_lab/faults` must show; without one, nobody may call it.
    pub control_token: Option<ControlToken>,
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

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the configuration {} is not as it should be", path.display())]
    Parse {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("the configuration has mistakes:\n  {}", .0.join("\n  "))]
    Mistakes(Vec<String>),
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
        let text = fs::read(path).map_err(|source| ConfigError::Read {
            path: path.into(),
            source,
        })?;
        serde_json::from_slice(&text).map_err(|source| ConfigError::Parse {
            path: path.into(),
            source,
        })
    }

    /// Every mistake at once, each with the name of the member that must change.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut mistakes = Mistakes::default();
        mistakes.unless(
            self.listen.ip().is_loopback(),
            "listen: must be a loopback address",
        );
        mistakes.unless(
            is_word(&self.region),
            "region: letters, digits and `-`, such as us-west-2",
        );
        let account = &self.account_id;
        mistakes.unless(
            account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()),
            "account_id: must be twelve digits",
        );
        mistakes.unless(
            self.access_key_ids.are_usable(),
            "access_key_ids: at least one, each 16 to 128 letters and digits",
        );
        mistakes.unless(
            self.control_token
                .as_ref()
                .is_none_or(|token| !token.is_empty()),
            "control_token: empty; leave it out where nobody is to inject faults",
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
            member("visibility_timeout_seconds"),
            timeout,
            0,
            MAX_VISIBILITY,
        );
        mistakes.within(
            member("retention_seconds"),
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
        mistakes.within(member("redrive.max_receive_count"), count, 1, 1000);
    }
}

/// Twelve hours, in seconds.
pub const MAX_VISIBILITY: u64 = 43_200;

fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.bytes().all(plain)
}

#[derive(Default)]
struct Mistakes(Vec<String>);

impl Mistakes {
    fn add(&mut self, mistake: String) {
        self.0.push(mistake);
    }

    fn unless(&mut self, fine: bool, mistake: &str) {
        if !fine {
            self.add(mistake.into());
        }
    }

    fn within(&mut self, name: String, value: u64, low: u64, high: u64) {
        if !(low..=high).contains(&value) {
            self.add(name + &format!(": {value} is not within {low} to {high}"));
        }
    }

    fn into_result(self) -> Result<(), ConfigError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Mistakes(self.0))
        }
    }
}
