//! The function: its invocations, its environments, and its dead letters.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use lab_runner::lab::{DEAD_LETTER_QUEUE, QUEUE};
use lab_runner::state::settings::EventRoute;

use super::{Shell, page};
use crate::source::function::{self, Environment, Function, Run};
use crate::state::Console;
use crate::text;

/// Width of the longest invocation's bar, in pixels.
const BAR: u64 = 160;

#[derive(Template)]
#[template(path = "function.html")]
struct Page {
    shell: Shell,
    found: Result<Function, String>,
    letters: Result<u64, String>,
    dead_letter_queue: &'static str,
    /// Queued events in front of the function, if there is a queue.
    waiting: Option<u64>,
    trigger: &'static str,
    longest_ms: u64,
}

pub async fn show(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let (found, letters, waiting) = tokio::join!(
        Function::of(&console.http, &console.lab),
        function::waiting(DEAD_LETTER_QUEUE, &console.queues, &console.lab),
        function::waiting(QUEUE, &console.queues, &console.lab),
    );
    let via = console.lab.settings.via;
    let runs = found.as_ref().map_or(&[][..], |found| &found.recent);
    page(&Page {
        shell: Shell::of("Lambda", &uri, &console),
        longest_ms: runs.iter().map(|run| run.duration_ms).max().unwrap_or(0),
        found: found.map_err(|away| away.to_string()),
        letters: letters.map_err(|away| away.to_string()),
        dead_letter_queue: DEAD_LETTER_QUEUE,
        waiting: waiting.ok().filter(|_| via == EventRoute::Sqs),
        trigger: match via {
            EventRoute::Lambda => "S3 invokes it",
            EventRoute::Sqs => "S3 sends to SQS, Lambda polls",
        },
    })
}

impl Page {
    fn bar(&self, run: &Run) -> u64 {
        (run.duration_ms * BAR / self.longest_ms.max(1)).max(2)
    }
}

impl Function {
    fn billed(&self) -> String {
        text::duration(Duration::from_millis(self.counts.billed_ms))
    }

    /// Average billed duration of an invocation.
    fn billed_each(&self) -> String {
        let each = self.counts.billed_ms.checked_div(self.counts.invocations);
        text::duration(Duration::from_millis(each.unwrap_or(0)))
    }
}

impl Run {
    /// Time of its end, to the second.
    fn ended(&self) -> &str {
        clock(&self.ended_at)
    }

    fn took(&self) -> String {
        format!("{} ms", text::count(self.duration_ms))
    }
}

impl Environment {
    fn stream(&self) -> &str {
        // The name starts with the day; its end is what differs.
        self.log_stream
            .rsplit('/')
            .next()
            .unwrap_or(&self.log_stream)
    }

    fn entered(&self) -> &str {
        clock(&self.since)
    }
}

/// Returns `19:40:01` of an RFC 3339 time.
fn clock(moment: &str) -> &str {
    moment.get(11..19).unwrap_or(moment)
}
