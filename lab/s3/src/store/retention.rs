//! Object Lock: how long a version is kept.

use std::num::NonZeroU16;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Stamp;

/// Who may delete a version within its retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RetentionMode {
    /// Whoever has `s3:BypassGovernanceRetention`.
    Governance,
    /// Nobody.
    Compliance,
}

impl RetentionMode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

/// The retention that a bucket gives each new version.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultRetention {
    pub mode: RetentionMode,
    pub days: NonZeroU16,
}

impl DefaultRetention {
    /// Returns the retention of a version written at `stamp`.
    pub fn from(self, stamp: Stamp) -> Retention {
        Retention {
            mode: self.mode,
            until: stamp.after(Duration::from_hours(24 * u64::from(self.days.get()))),
        }
    }
}

/// The retention of one version.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retention {
    pub mode: RetentionMode,
    pub until: Stamp,
}

impl Retention {
    /// Whether the version must be kept, for a caller who may or may not `bypass` GOVERNANCE.
    pub fn holds(self, now: Stamp, bypass: bool) -> bool {
        now < self.until && !(bypass && self.mode == RetentionMode::Governance)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DefaultRetention, RetentionMode};
    use crate::clock::Clock;

    #[test]
    fn retention_ends_after_its_days_and_only_governance_is_bypassed() {
        let written = Clock::default().stamp();
        let days = std::num::NonZeroU16::MIN;
        for (mode, bypassed) in [
            (RetentionMode::Governance, true),
            (RetentionMode::Compliance, false),
        ] {
            let retention = DefaultRetention { mode, days }.from(written);
            let hours = |hours| written.after(Duration::from_hours(hours));
            assert!(retention.holds(hours(23), false), "{mode:?}");
            assert_eq!(retention.holds(hours(23), true), !bypassed, "{mode:?}");
            assert!(!retention.holds(hours(24), false), "{mode:?}");
        }
    }
}
