//! What a failed call says to an operator, in one line, and whether a right is what it lacks.

use aws_sdk_s3::config::http::HttpResponse;
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

/// Whether a right is missing. S3 answers 403 as well to a wrong clock, a key that is not there, a token that expired and
/// an object in an archive, and says so by another code.
pub fn is_denied<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let response = error.raw_response();
    response.is_some_and(|response| response.status().as_u16() == 403)
        && error.code().is_none_or(|code| code == "AccessDenied")
}
