//! What a failed call says to an operator, in one line.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use program::chain;

/// Returns the service's own code and message; if it gave none, what the SDK says with all causes.
///
/// The SDK's own display adds the answer as Rust shows it, which is kilobytes a line.
pub fn text<E, R>(error: &SdkError<E, R>) -> String
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => chain(error),
    }
}
