//! The sweep at 100 objects a second: its runs end in time, and cost only what is new.

use std::time::Duration;

use sim::backlog::{Options, runs};

/// LIST requests for the objects of five minutes and the overlap, plus one empty page.
const NEW: usize = (300 + 120) / 10 + 2;

/// Calls for keys that are not sorted by time: there are none.
const REST: usize = 2;

const HOUR: usize = 360;

#[test]
fn p2_a_lost_event_among_a_hundred_objects_a_second_is_made_good_within_two_runs() {
    let runs = runs(Options {
        hours_before: 0,
        per_second: 100,
        runs: 30,
    })
    .unwrap();
    for (nth, run) in runs.iter().enumerate() {
        assert!(
            run.went_well && run.took < Duration::from_mins(1),
            "{nth}: {run:?}"
        );
        assert_eq!(run.lost, 0, "{nth}: {run:?}");
    }
    // Every hour is listed once more. Two have closed in this time.
    let lists: usize = runs.iter().map(|run| run.lists).sum();
    assert!(lists <= runs.len() * (NEW + REST + 1) + 2 * HOUR, "{lists}");
    let quiet = runs.iter().filter(|run| run.lists <= NEW + REST).count();
    assert!(quiet >= 24, "{quiet}");
}

#[test]
fn p2_a_days_backlog_is_swept_in_runs_that_end_in_time() {
    let runs = runs(Options {
        hours_before: 24,
        per_second: 100,
        runs: 80,
    })
    .unwrap();
    for (nth, run) in runs.iter().enumerate() {
        assert!(
            run.went_well && run.took < Duration::from_mins(1),
            "{nth}: {run:?}"
        );
        // New objects do not wait for the backlog, once the open hours are done.
        assert!(nth < 3 || run.lost == 0, "{nth}: {run:?}");
    }
    let lists: usize = runs.iter().map(|run| run.lists).sum();
    assert!(
        lists <= runs.len() * (NEW + REST + 1) + 32 * HOUR,
        "{lists}"
    );
    // The backlog is done: runs are as short as before.
    assert!(runs.last().unwrap().lists <= NEW + REST, "{runs:?}");
}
