//! The look a second that keeps the watch up to date.

mod counter;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use lab::fault::{Target, all};
use lab::ports::TIERS;
use lab::state::status::Status;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use self::counter::Counter;
use crate::source::function::Function;
use crate::source::tier::Figures;
use crate::state::Console;

const EVERY: Duration = Duration::from_secs(1);

/// A database that takes longer to count new rows holds up nothing else.
const ROWS_PATIENCE: Duration = Duration::from_millis(700);

/// Looks once a second, until the task is ended.
pub async fn run(console: Arc<Console>) {
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
        let counting = async { counter.as_mut()?.look(&console.rows).await };
        let tiers = TIERS.map(|tier| Figures::of(&console.http, console.lab.admin_address(tier)));
        let (tiers, function, rows, faults) = tokio::join!(
            join_all(tiers),
            Function::of(&console.http, &console.lab),
            timeout(ROWS_PATIENCE, counting),
            faults_on(&console),
        );
        let parts = Status::load(&console.lab.dir)
            .ok()
            .flatten()
            .map(|status| status.parts);
        let tiers = TIERS.into_iter().zip(tiers.into_iter().map(Result::ok));
        let watch = &console.watch;
        watch.take(seconds, tiers, function.ok(), rows.ok().flatten());
        watch.note_parts(&parts.unwrap_or_default());
        watch.set_faults(faults);
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

/// Every fault that tells that it is on.
async fn faults_on(console: &Console) -> Vec<String> {
    let lists = join_all(Target::ALL.map(|target| all::list(target, &console.lab))).await;
    let is_on = |fault: &all::Listed| matches!(fault.state, all::State::On(_));
    lists
        .into_iter()
        .flatten()
        .flatten()
        .filter(is_on)
        .map(|fault| format!("{}/{}", fault.target.name(), fault.kind))
        .collect()
}
