//! The look a second that keeps the watch up to date.

mod counter;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{OptionFuture, join_all};
use lab_runner::fault::{Target, all};
use lab_runner::lab::{DEAD_LETTER_QUEUE, Lab, QUEUE};
use lab_runner::output::chain;
use lab_runner::ports::TIERS;
use lab_runner::state::settings::Via;
use lab_runner::state::status::Status;
use time::OffsetDateTime;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use self::counter::Counter;
use crate::source::PATIENCE;
use crate::source::function::{self, Function};
use crate::source::pulse::{self, Asked};
use crate::source::tier::Figures;
use crate::state::Console;
use crate::watch::Look;

const EVERY: Duration = Duration::from_secs(1);

/// A database that takes longer to count new rows holds up nothing else.
const ROWS_PATIENCE: Duration = Duration::from_millis(700);

/// Looks once a second, until the task is ended.
pub async fn run(console: Arc<Console>) {
    let parts = pulse::parts(&console.lab).unwrap_or_else(|error| {
        tracing::error!(
            error = chain(&error),
            "the parts can't be asked for their health"
        );
        Vec::new()
    });
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = Instant::now();
    let mut counter = None;
    loop {
        ticks.tick().await;
        // Of the question, not of the last answer: a part that is away keeps the others' figures as they are.
        let seconds = before.elapsed().as_secs_f64();
        before = Instant::now();
        if counter.is_none() {
            counter = console.watch.counted().map(Counter::after);
        }
        let look = Box::pin(look(seconds, &mut counter, &parts, &console));
        console.watch.take(look.await);
    }
}

/// Asks all parts at once: a look takes as long as the patience with one.
async fn look(
    seconds: f64,
    counter: &mut Option<Counter>,
    parts: &[Asked],
    console: &Console,
) -> Look {
    let Console {
        http, lab, queues, ..
    } = console;
    let at = OffsetDateTime::now_utc();
    let tiers = TIERS.map(|tier| async move {
        let figures = Figures::of(http, lab.admin_address(tier)).await;
        (tier, figures.ok())
    });
    let asked = parts.iter().map(|asked| async move {
        let answer = asked.ask(PATIENCE, http).await;
        (asked.part, answer)
    });
    let answers = join_all(asked);
    let queued = OptionFuture::from(
        (lab.settings.via == Via::Sqs).then(|| function::waiting(QUEUE, queues, lab)),
    );
    let counting = async { counter.as_mut()?.look(&console.rows).await };
    let (tiers, function, rows, dead_letters, queued, faults, answers) = tokio::join!(
        join_all(tiers),
        Function::of(http, lab),
        timeout(ROWS_PATIENCE, counting),
        function::waiting(DEAD_LETTER_QUEUE, queues, lab),
        queued,
        join_all(Target::ALL.map(|target| faults_on(target, lab))),
        answers,
    );
    let status = Status::load(&lab.dir).ok().flatten();
    Look {
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

/// Counts all rows once, by itself: of a large table that takes a minute.
pub async fn count(console: Arc<Console>) {
    loop {
        if let Ok(all) = console.rows.count().await {
            console.watch.set_counted(all);
            return;
        }
        sleep(EVERY).await;
    }
}

/// The faults of a target that tell that they are on; nothing where it does not answer.
async fn faults_on(target: Target, lab: &Lab) -> (Target, Option<Vec<String>>) {
    let listed = match timeout(PATIENCE, all::list(target, lab)).await {
        Ok(Ok(listed)) => listed,
        Ok(Err(error)) if error.is_absence() => Vec::new(),
        Ok(Err(_)) | Err(_) => return (target, None),
    };
    let on = listed
        .into_iter()
        .filter(|fault| matches!(fault.state, all::State::On(_)))
        .map(|fault| format!("{}/{}", target.name(), fault.kind));
    (target, Some(on.collect()))
}
