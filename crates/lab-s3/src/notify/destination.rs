//! Where events go.

use std::sync::Arc;

use bytes::Bytes;

use super::lambda::{InvokeError, LambdaApi};

#[derive(Clone, Debug)]
pub enum Destination {
    /// A function, invoked asynchronously.
    Lambda {
        arn: String,
        function: String,
        api: Arc<LambdaApi>,
    },
}

impl Destination {
    /// `None` where `arn` is not `arn:aws:lambda:<region>:<account>:function:<name>`.
    pub fn function_name(arn: &str) -> Option<&str> {
        let parts: Vec<_> = arn.split(':').collect();
        match parts[..] {
            ["arn", "aws", "lambda", _, _, "function", name] => Some(name),
            _ => None,
        }
    }

    pub fn arn(&self) -> &str {
        let Self::Lambda { arn, .. } = self;
        arn
    }

    /// Returns once the destination has taken the event.
    pub async fn deliver(&self, event: Bytes) -> Result<(), InvokeError> {
        let Self::Lambda { function, api, .. } = self;
        api.invoke(function, event).await
    }
}
