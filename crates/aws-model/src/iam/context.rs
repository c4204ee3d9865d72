//! The condition keys of a request.

use super::evaluate::Principal;

/// A condition key that the lab knows. Names are compared without regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(&'static str);

impl Key {
    pub const ENCRYPTION: Self = Self("s3:x-amz-server-side-encryption");
    pub const KMS_KEY_ID: Self = Self("s3:x-amz-server-side-encryption-aws-kms-key-id");
    pub const ACL: Self = Self("s3:x-amz-acl");
    pub const IF_NONE_MATCH: Self = Self("s3:if-none-match");
    pub const PREFIX: Self = Self("s3:prefix");
    pub const DELIMITER: Self = Self("s3:delimiter");
    pub const SECURE_TRANSPORT: Self = Self("aws:SecureTransport");
    pub const PRINCIPAL_ARN: Self = Self("aws:PrincipalArn");
    pub const PRINCIPAL_ACCOUNT: Self = Self("aws:PrincipalAccount");
    /// The resource on whose behalf a service calls; absent if a role calls.
    pub const SOURCE_ARN: Self = Self("aws:SourceArn");
    /// As [`Self::SOURCE_ARN`].
    pub const SOURCE_ACCOUNT: Self = Self("aws:SourceAccount");

    const ALL: [Self; 11] = [
        Self::ENCRYPTION,
        Self::KMS_KEY_ID,
        Self::ACL,
        Self::IF_NONE_MATCH,
        Self::PREFIX,
        Self::DELIMITER,
        Self::SECURE_TRANSPORT,
        Self::PRINCIPAL_ARN,
        Self::PRINCIPAL_ACCOUNT,
        Self::SOURCE_ARN,
        Self::SOURCE_ACCOUNT,
    ];

    /// Returns the key of this name, if the lab knows it.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|key| key.0.eq_ignore_ascii_case(name))
    }
}

/// The values that a request has for condition keys; a key without a value is absent.
#[derive(Clone, Debug, Default)]
pub struct Context(Vec<(Key, String)>);

impl Context {
    /// Sets `key`, or leaves it absent if there is no value.
    pub fn set(&mut self, key: Key, value: Option<impl Into<String>>) {
        self.0.retain(|(known, _)| *known != key);
        if let Some(value) = value {
            self.0.push((key, value.into()));
        }
    }

    /// The keys that say who asks.
    pub fn set_principal(&mut self, principal: &Principal) {
        if let Principal::Role { arn, account } = principal {
            self.set(Key::PRINCIPAL_ARN, Some(arn));
            self.set(Key::PRINCIPAL_ACCOUNT, Some(account));
        }
    }

    /// Returns the request's value of a key.
    pub fn get(&self, key: Key) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| value.as_str())
    }
}
