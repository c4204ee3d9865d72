//! The names of a lab's parts.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum PartName {
    Mysql,
    S3,
    Sqs,
    Relay,
    Control,
    Lambda,
    AppA,
    AppB,
    Ilb,
    WebA,
    WebB,
    Alb,
    Console,
}

impl PartName {
    pub const ALL: &[Self] = &[
        Self::Mysql,
        Self::S3,
        Self::Sqs,
        Self::Relay,
        Self::Control,
        Self::Lambda,
        Self::AppA,
        Self::AppB,
        Self::Ilb,
        Self::WebA,
        Self::WebB,
        Self::Alb,
        Self::Console,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::S3 => "s3",
            Self::Sqs => "sqs",
            Self::Relay => "relay",
            Self::Control => "control",
            Self::Lambda => "lambda",
            Self::AppA => "app-a",
            Self::AppB => "app-b",
            Self::Ilb => "ilb",
            Self::WebA => "web-a",
            Self::WebB => "web-b",
            Self::Alb => "alb",
            Self::Console => "console",
        }
    }

    /// Whether payments go through it on their way to S3: a tier, or a load balancer.
    pub fn is_on_the_path(self) -> bool {
        matches!(
            self,
            Self::AppA | Self::AppB | Self::Ilb | Self::WebA | Self::WebB | Self::Alb
        )
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_in_json_and_on_the_command_line() {
        for &name in PartName::ALL {
            let json = serde_json::to_value(name).unwrap();
            assert_eq!(json, name.as_str());
            assert_eq!(PartName::from_str(name.as_str(), false), Ok(name));
        }
    }
}
