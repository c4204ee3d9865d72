//! Passwords and access keys of one lab: random, created once, kept with its data.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::LabDir;
use crate::{files, secret::Secret};

const PASSWORD_LENGTH: usize = 32;

/// An AWS access key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessKey {
    pub id: String,
    pub secret: Secret,
}

/// One key per holder, because on AWS each has a role of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessKeys {
    pub app_tier: AccessKey,
    pub lambda: AccessKey,
    /// Key with which S3 invokes the function.
    pub s3: AccessKey,
    /// Key of the person who runs the lab.
    pub operator: AccessKey,
}

/// Passwords of the database's users.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Passwords {
    pub root: Secret,
    pub migrator: Secret,
    pub ingest: Secret,
    pub reader: Secret,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Credentials {
    pub mysql: Passwords,
    pub aws: AccessKeys,
    /// Token that the parts require for switching faults.
    pub control: Secret,
}

impl Credentials {
    /// Loads those of this lab; creates them if it has none.
    pub fn keep(dir: &LabDir) -> Result<Self> {
        if let Some(kept) = files::read_json(&dir.credentials())? {
            return Ok(kept);
        }
        let made = Self::random();
        files::write_json(&dir.credentials(), &made)?;
        Ok(made)
    }

    /// Loads those of a lab that was started before.
    pub fn load(dir: &LabDir) -> Result<Self> {
        files::read_json(&dir.credentials())?.ok_or_else(|| dir.no_lab())
    }

    pub fn random() -> Self {
        let password = || Secret::random(PASSWORD_LENGTH);
        Self {
            mysql: Passwords {
                root: password(),
                migrator: password(),
                ingest: password(),
                reader: password(),
            },
            aws: AccessKeys {
                app_tier: AccessKey::random(),
                lambda: AccessKey::random(),
                s3: AccessKey::random(),
                operator: AccessKey::random(),
            },
            control: Secret::random(PASSWORD_LENGTH),
        }
    }
}

impl AccessKey {
    /// Has AWS's format, since tools check it.
    fn random() -> Self {
        let id = Secret::random(16).expose().to_ascii_uppercase();
        Self {
            id: format!("AKIA{id}"),
            secret: Secret::random(40),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_start_finds_the_same_ones() {
        let temp = tempfile::tempdir().unwrap();
        let dir = LabDir::at(temp.path()).unwrap();
        let first = Credentials::keep(&dir).unwrap();
        let second = Credentials::keep(&dir).unwrap();
        assert_eq!(first.mysql.reader, second.mysql.reader);
        assert_eq!(first.aws.operator.id, second.aws.operator.id);
    }

    #[test]
    fn no_two_holders_share_one() {
        let made = Credentials::random();
        assert_ne!(made.mysql.reader, made.mysql.ingest);
        assert_ne!(made.aws.app_tier.secret, made.aws.lambda.secret);
        assert_eq!(made.aws.operator.id.len(), 20);
    }
}
