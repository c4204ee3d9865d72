//! Logs: JSON lines on stdout, which journald and CloudWatch take as they are.

use std::error::Error;
use std::fmt::Write as _;

use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging for this process. `filter` is the value of `RUST_LOG`: a level, and levels of single targets.
/// Directives of spans and fields are not understood: there are no spans here, and the engine of patterns behind them
/// is a twentieth of the function.
pub fn init(filter: &str) -> Result<(), String> {
    let filter: Targets = filter
        .parse()
        .map_err(|error| format!("RUST_LOG={filter}: {error}"))?;
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false);
    Registry::default()
        .with(lines)
        .with(filter)
        .try_init()
        .map_err(|error| format!("logging can't start: {error}"))
}

/// An error and all its causes, in one line. Only for logs: causes may come from drivers.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a String can't fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
