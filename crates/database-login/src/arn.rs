//! The name of a secret.

use std::fmt;
use std::str::FromStr;

/// `arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretArn {
    text: String,
    region: String,
}

/// The text is not the ARN of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have the form arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME")]
pub struct NotASecretArn;

impl SecretArn {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the secret is kept, which need not be where the program runs.
    pub fn region(&self) -> &str {
        &self.region
    }
}

impl FromStr for SecretArn {
    type Err = NotASecretArn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.splitn(7, ':').collect();
        match parts.as_slice() {
            ["arn", _, "secretsmanager", region, _, "secret", name]
                if !region.is_empty() && !name.is_empty() =>
            {
                Ok(Self {
                    text: text.to_owned(),
                    region: (*region).to_owned(),
                })
            }
            _ => Err(NotASecretArn),
        }
    }
}

impl fmt::Display for SecretArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_in_the_arn_and_nothing_else_is_an_arn() {
        let arn = "arn:aws-cn:secretsmanager:cn-north-1:1:secret:a:b";
        let read: SecretArn = arn.parse().unwrap();
        assert_eq!((read.region(), read.as_str()), ("cn-north-1", arn));
        for wrong in [
            "",
            "payments/ingest",
            "arn:aws:secretsmanager::1:secret:a",
            "arn:aws:secretsmanager:us-west-2:1:secret:",
            "arn:aws:rds:us-west-2:1:db:payments",
        ] {
            assert_eq!(wrong.parse::<SecretArn>(), Err(NotASecretArn), "{wrong}");
        }
    }
}
