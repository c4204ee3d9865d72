//! The configuration file and its validation.

mod queues;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use server_kit::caller::AccessKeyIds;
use server_kit::config::{ConfigError, ConfigErrors, is_word};
use server_kit::role::CallerConfig;
use server_kit::secret::Secret;

use crate::variables::Variables;
pub use queues::{EventSourceConfig, QueueConfig};

/// The whole configuration of a host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Loopback address of the Lambda API; port 0 for any free port.
    pub listen: SocketAddr,
    /// Folder of the queue, dead letters, log and process records; created if absent.
    pub state: PathBuf,
    pub region: String,
    /// Twelve digits.
    pub account_id: String,
    /// Callers with one of these ids may do everything.
    pub access_key_ids: AccessKeyIds,
    /// Callers restricted by policies: services and roles that invoke the function.
    #[serde(default)]
    pub callers: Vec<CallerConfig>,
    /// Bearer token for `/_lab/faults`; without one, that API is disabled.
    pub control_token: Option<Secret>,
    pub function: FunctionConfig,
    #[serde(default)]
    pub asynchronous: AsynchronousConfig,
    pub schedule: Option<ScheduleConfig>,
    /// Queue whose messages invoke the function.
    pub event_source: Option<EventSourceConfig>,
    /// Dead-letter queue of asynchronous events; without one, dead letters stay in `state/dead-letters`.
    pub dead_letter_queue: Option<QueueConfig>,
}

/// The one function that the host serves. Defaults are Lambda's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionConfig {
    pub name: String,
    /// Program that speaks the Runtime API; `bootstrap` on AWS.
    pub binary: PathBuf,
    #[serde(default)]
    pub environment: Variables,
    #[serde(default = "defaults::timeout_seconds")]
    pub timeout_seconds: u64,
    /// Reported to the function and in its log, and enforced, in MB.
    #[serde(default = "defaults::memory_mb")]
    pub memory_mb: u32,
    /// Reserved concurrency: the most environments at any time.
    #[serde(default = "defaults::concurrency")]
    pub concurrency: u32,
    /// Time after which an idle environment is ended, in seconds.
    #[serde(default = "defaults::idle_seconds")]
    pub idle_seconds: u64,
    /// File of the function's resource policy.
    pub resource_policy: Option<PathBuf>,
}

/// Retries of asynchronous events that fail. Defaults are Lambda's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AsynchronousConfig {
    pub max_retries: u32,
    /// Delay before the first retry, the second and so on; the last one repeats.
    pub retry_delays_seconds: Vec<u64>,
    /// Events older than this are not retried.
    pub max_age_seconds: u64,
}

/// Invokes the function on a schedule, as an EventBridge rule does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConfig {
    pub every_seconds: u64,
    /// Payload to send verbatim; by default an EventBridge `Scheduled Event`.
    pub payload: Option<Value>,
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
        self.function.check(&mut mistakes);
        self.asynchronous.check(&mut mistakes);
        if let Some(schedule) = &self.schedule {
            mistakes.within("schedule.every_seconds", schedule.every_seconds, 1, 86_400);
        }
        if let Some(source) = &self.event_source {
            source.check(&mut mistakes);
        }
        if let Some(queue) = &self.dead_letter_queue {
            queue.check("dead_letter_queue", &mut mistakes);
        }
        mistakes.into_result()
    }
}

impl FunctionConfig {
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    pub fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }

    fn check(&self, mistakes: &mut ConfigErrors) {
        mistakes.unless(
            is_word(&self.name) && self.name.len() <= 64,
            "function.name: 1 to 64 letters, digits, `-` and `_`",
        );
        if !self.binary.is_file() {
            mistakes.add(format!(
                "function.binary: no file {}",
                self.binary.display()
            ));
        }
        for name in self.environment.names() {
            if is_reserved(name) {
                mistakes.add(format!(
                    "function.environment: {name} is reserved: Lambda sets it"
                ));
            } else if !is_word(name) {
                mistakes.add(format!(
                    "function.environment: {name:?} is not a valid variable name"
                ));
            }
        }
        mistakes.within("function.timeout_seconds", self.timeout_seconds, 1, 900);
        mistakes.within("function.memory_mb", self.memory_mb.into(), 128, 10_240);
        mistakes.within("function.concurrency", self.concurrency.into(), 1, 100);
        mistakes.within("function.idle_seconds", self.idle_seconds, 1, 86_400);
    }
}

impl AsynchronousConfig {
    pub fn max_age(&self) -> Duration {
        Duration::from_secs(self.max_age_seconds)
    }

    /// Returns the delay after failed attempt number `attempts`; `None` if it was the last.
    pub fn delay_after(&self, attempts: u32) -> Option<Duration> {
        if attempts > self.max_retries {
            return None;
        }
        let index = usize::try_from(attempts)
            .unwrap_or(usize::MAX)
            .saturating_sub(1);
        let delay = self
            .retry_delays_seconds
            .get(index)
            .or(self.retry_delays_seconds.last());
        Some(Duration::from_secs(delay.copied().unwrap_or_default()))
    }

    fn check(&self, mistakes: &mut ConfigErrors) {
        mistakes.within("asynchronous.max_retries", self.max_retries.into(), 0, 2);
        mistakes.within(
            "asynchronous.max_age_seconds",
            self.max_age_seconds,
            1,
            21_600,
        );
        mistakes.unless(
            self.max_retries == 0 || !self.retry_delays_seconds.is_empty(),
            "asynchronous.retry_delays_seconds: at least one delay, or set max_retries to 0",
        );
        for delay in &self.retry_delays_seconds {
            mistakes.within("asynchronous.retry_delays_seconds", *delay, 0, 21_600);
        }
    }
}

impl Default for AsynchronousConfig {
    fn default() -> Self {
        Self {
            max_retries: 2,
            retry_delays_seconds: vec![60, 120],
            max_age_seconds: 21_600,
        }
    }
}

mod defaults {
    pub fn timeout_seconds() -> u64 {
        3
    }

    pub fn memory_mb() -> u32 {
        128
    }

    pub fn concurrency() -> u32 {
        10
    }

    pub fn idle_seconds() -> u64 {
        300
    }
}

/// Variables that Lambda reserves. Credentials are not among them: on AWS they come from the role, here from the
/// configuration.
fn is_reserved(name: &str) -> bool {
    const NAMES: [&str; 6] = [
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "TZ",
    ];
    name.starts_with("AWS_LAMBDA_") || NAMES.contains(&name)
}
