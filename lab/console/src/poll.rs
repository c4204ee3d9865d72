//! Polls the parts once a second, and updates the watch.

mod counter;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{OptionFuture, join_all};
use lab_runner::fault::{FaultTarget, all};
use lab_runner::lab::{Absent, DEAD_LETTER_QUEUE, Lab, QUEUE};
use lab_runner::output::chain;
use lab_runner::ports::TIERS;
use lab_runner::state::settings::EventRoute;
use lab_runner::state::status::Status;
use time::OffsetDateTime;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use self::counter::Counter;
use crate::source::TIMEOUT;
use crate::source::function::{self, Function};
use crate::source::pulse::{self, Asked};
use crate::source::tier::Figures;
use crate::state::Console;
use crate::watch::Snapshot;

const EVERY: Duration = Duration::from_secs(1);

/// Longest time to count new rows, so that a slow database delays nothing else.
const COUNT_TIMEOUT: Duration = Duration::from_millis(700);

/// Polls once a second, until the task is ended.
pub async fn run(console: Arc<Console>) {
    let parts = pulse::parts(&console.lab).unwrap_or_else(|error| {
        tracing::error!(
            error = chain(error.as_ref()),
            "cannot ask the parts for their health"
        );
        Vec::new()
    });
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = Instant::now();
    let mut counter = None;
    loop {
        ticks.tick().await;
        // Time between polls, not between answers: a part that is down must not change the others' rates.
        let seconds = before.elapsed().as_secs_f64();
        before = Instant::now();
        if counter.is_none() {
            counter = console.watch.counted().map(Counter::after);
        }
        let look = Box::pin(look(seconds, &mut counter, &parts, &console));
        console.watch.take(look.await);
    }
}

/// Asks all parts at once, so that a poll takes no longer than one timeout.
async fn look(
    seconds: f64,
    counter: &mut Option<Counter>,
    parts: &[Asked],
    console: &Console,
) -> Snapshot {
    let Console {
        http, lab, queues, ..
    } = console;
    let at = OffsetDateTime::now_utc();
    let tiers = TIERS.map(|tier| async move {
        let figures = Figures::of(http, lab.admin_address(tier)).await;
        (tier, figures.ok())
    });
    let asked = parts.iter().map(|asked| async move {
        let answer = asked.ask(TIMEOUT, http).await;
        (asked.part, answer)
    });
    let answers = join_all(asked);
    let queued = OptionFuture::from(
        (lab.settings.via == EventRoute::Sqs).then(|| function::waiting(QUEUE, queues, lab)),
    );
    let counting = async { counter.as_mut()?.look(&console.rows).await };
    let (tiers, function, rows, dead_letters, queued, faults, answers) = tokio::join!(
        join_all(tiers),
        Function::of(http, lab),
        timeout(COUNT_TIMEOUT, counting),
        function::waiting(DEAD_LETTER_QUEUE, queues, lab),
        queued,
        join_all(FaultTarget::ALL.map(|target| faults_on(target, lab))),
        answers,
    );
    let status = Status::load(&lab.dir).ok().flatten();
    Snapshot {
        at,
        seconds,
        tiers,
        function: function.ok(),
        rows: rows.ok().flatten(),
        dead_letters: dead_letters.ok(),
        queued: queued.and_then(Result::ok),
        faults,
        parts: status.map(|status| status.parts),
        answers,
    }
}

/// Counts all rows once, in a task of its own: for a large table that takes a minute.
pub async fn count(console: Arc<Console>) {
    loop {
        if let Ok(all) = console.rows.count().await {
            console.watch.set_counted(all);
            return;
        }
        sleep(EVERY).await;
    }
}

/// Returns the faults of a target that are on; `None` if it does not answer.
async fn faults_on(target: FaultTarget, lab: &Lab) -> (FaultTarget, Option<Vec<String>>) {
    let listed = match timeout(TIMEOUT, all::list(target, lab)).await {
        Ok(Ok(listed)) => listed,
        Ok(Err(error)) if error.is::<Absent>() => Vec::new(),
        Ok(Err(_)) | Err(_) => return (target, None),
    };
    let on = listed
        .into_iter()
        .filter(|fault| matches!(fault.state, all::FaultState::On(_)))
        .map(|fault| format!("{}/{}", target.name(), fault.kind));
    (target, Some(on.collect()))
}
