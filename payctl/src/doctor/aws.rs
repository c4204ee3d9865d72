//! The `aws` command as a child: what it prints, or why not.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// One call, retries of the command's own included.
const CALL_TIME_MAX: Duration = Duration::from_secs(45);

/// Calls at a time: each is a Python that starts.
const AT_ONCE: usize = 4;

/// Longest failure message of a command that a note shows.
const REASON_SHOWN_MAX: usize = 300;

/// What one call told.
#[derive(Clone, Debug)]
pub enum AwsAnswer {
    Found(Value),
    /// AWS says that there is no such thing.
    NotFound,
    /// Denied, unknown to the server, or too slow; with the reason.
    Unavailable(String),
}

#[derive(Clone, Debug)]
pub struct Aws {
    program: String,
    at_once: Arc<Semaphore>,
}

#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    #[error(
        "the command aws can't be run; install the AWS CLI (https://aws.amazon.com/cli/), or put it on PATH"
    )]
    Missing(#[source] std::io::Error),
    #[error(
        "the AWS CLI has no credentials that work: {0}; see `aws configure`, or the instance's role"
    )]
    Credentials(String),
    #[error("the AWS CLI knows no region; set AWS_REGION, e.g. us-west-2")]
    NoRegion,
}

impl Aws {
    pub fn new() -> Self {
        Self {
            program: "aws".to_owned(),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// The account, which shows that the command and its credentials work.
    pub async fn account(&self) -> Result<String, AwsError> {
        match self.run(&["sts", "get-caller-identity"]).await {
            Err(error) => Err(AwsError::Missing(error)),
            Ok(AwsAnswer::Found(identity)) => {
                Ok(super::json::text(&identity, "Account").to_owned())
            }
            Ok(AwsAnswer::NotFound) => Err(AwsError::Credentials("no such identity".to_owned())),
            Ok(AwsAnswer::Unavailable(reason)) if reason.contains("region") => {
                Err(AwsError::NoRegion)
            }
            Ok(AwsAnswer::Unavailable(reason)) => Err(AwsError::Credentials(reason)),
        }
    }

    pub async fn look(&self, arguments: &[&str]) -> AwsAnswer {
        match self.run(arguments).await {
            Ok(look) => look,
            Err(error) => AwsAnswer::Unavailable(error.to_string()),
        }
    }

    async fn run(&self, arguments: &[&str]) -> std::io::Result<AwsAnswer> {
        let _place = self.at_once.acquire().await;
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .args(["--output", "json"])
            .args(["--cli-connect-timeout", "5", "--cli-read-timeout", "20"])
            .env("AWS_PAGER", "")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        // Version 1 of the command knows the older name alone.
        if let Some(region) = std::env::var_os("AWS_REGION") {
            command.env("AWS_DEFAULT_REGION", region);
        }
        match timeout(CALL_TIME_MAX, command.output()).await {
            Err(_) => Ok(AwsAnswer::Unavailable(format!(
                "no answer within {} s",
                CALL_TIME_MAX.as_secs()
            ))),
            Ok(output) => {
                let output = output?;
                Ok(if output.status.success() {
                    seen(&output.stdout)
                } else {
                    refused(&String::from_utf8_lossy(&output.stderr))
                })
            }
        }
    }
}

/// Nothing printed is an answer as well: of a bucket that never had versions, for instance.
fn seen(printed: &[u8]) -> AwsAnswer {
    if printed.trim_ascii().is_empty() {
        return AwsAnswer::Found(Value::Null);
    }
    match serde_json::from_slice(printed) {
        Ok(value) => AwsAnswer::Found(value),
        Err(_) => AwsAnswer::Unavailable("the command aws printed no JSON".to_owned()),
    }
}

/// `An error occurred (CODE) when calling the … operation: …`
fn refused(printed: &str) -> AwsAnswer {
    let code = printed
        .split_once("An error occurred (")
        .and_then(|(_, rest)| rest.split_once(')'))
        .map(|(code, _)| code);
    let says_absent = |code: &str| {
        ["NoSuch", "NotFound", "NonExistent", "DoesNotExist"]
            .iter()
            .any(|word| code.contains(word))
            || code == "404"
    };
    if code.is_some_and(says_absent) {
        return AwsAnswer::NotFound;
    }
    let words: Vec<_> = printed.split_whitespace().collect();
    let reason: String = words.join(" ").chars().take(REASON_SHOWN_MAX).collect();
    AwsAnswer::Unavailable(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_thing_is_told_from_a_call_that_is_denied() {
        for code in [
            "NoSuchBucketPolicy",
            "ResourceNotFoundException",
            "DBInstanceNotFound",
            "AWS.SimpleQueueService.NonExistentQueue",
            "404",
        ] {
            let text = format!("\nAn error occurred ({code}) when calling the X operation: no\n");
            assert!(matches!(refused(&text), AwsAnswer::NotFound), "{code}");
        }
        let text =
            "An error occurred (AccessDenied) when calling the X operation: User is not authorized";
        let AwsAnswer::Unavailable(reason) = refused(text) else {
            panic!("seen")
        };
        assert!(reason.contains("not authorized"), "{reason}");
    }

    #[test]
    fn nothing_printed_is_an_answer_and_nonsense_is_none() {
        assert!(matches!(seen(b"\n"), AwsAnswer::Found(Value::Null)));
        assert!(matches!(seen(b"{}"), AwsAnswer::Found(_)));
        assert!(matches!(seen(b"usage:"), AwsAnswer::Unavailable(_)));
    }
}
