//! Logs: JSON lines on stdout, which journald and CloudWatch take as they are.

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
