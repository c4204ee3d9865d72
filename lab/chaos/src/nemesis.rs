//! Carries the plan out, and counts the injected faults.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;
use aws_model::network::Zone;
use lab_runner::{
    fault::{FaultTarget, Switches, database::DatabaseFault},
    lab::{Absent, Lab},
    output,
    part::PartName,
    state::status::Status,
};
use nix::sys::signal::Signal;
use server_kit::fault::Setting;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep, sleep_until},
};

use super::{
    Episode,
    crowd::Crowd,
    plan::{self, Action, Plan},
    poison,
};

/// How often the parts are asked for their counts, which they lose when they die.
const COUNT_EVERY: Duration = Duration::from_millis(500);

/// Attempts at clearing the faults at the end: a part that was just killed may not answer yet.
const CLEAR_TRIES: u32 = 60;

/// Counts of each kind of fault: how often it was started, and how often it was injected.
pub type Injected = BTreeMap<String, InjectionCounts>;

#[derive(Clone, Copy, Debug, Default)]
pub struct InjectionCounts {
    pub episodes: u64,
    pub injections: u64,
}

#[derive(Debug)]
pub struct Nemesis {
    lab: Lab,
    board: Arc<Board>,
    plan: JoinHandle<JoinSet<()>>,
    counting: JoinHandle<()>,
    switches: Vec<(FaultTarget, Switches)>,
}

#[derive(Debug, Default)]
struct Board {
    injected: Mutex<Injected>,
    /// Faults that are on now.
    on: Mutex<Vec<String>>,
}

impl Nemesis {
    pub fn start(Plan(episodes): Plan, lab: &Lab) -> Result<Self> {
        let board = Arc::new(Board::default());
        let mut switches = Vec::new();
        for target in FaultTarget::ALL {
            match target.switches(lab) {
                Ok(of_target) => switches.extend(of_target.map(|found| (target, found))),
                Err(error) if error.is::<Absent>() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self {
            plan: tokio::spawn(carry_out(episodes, lab.clone(), Arc::clone(&board))),
            counting: tokio::spawn(count(switches.clone(), Arc::clone(&board))),
            lab: lab.clone(),
            board,
            switches,
        })
    }

    /// Returns the faults that are on, and the number of injections so far.
    pub fn now(&self) -> (Vec<String>, u64) {
        let on = lock(&self.board.on).clone();
        let injected = lock(&self.board.injected);
        (on, injected.values().map(|counts| counts.injections).sum())
    }

    /// Ends every fault, restores everything, and returns the counts.
    pub async fn end(self) -> Injected {
        if let Ok(mut episodes) = self.plan.await {
            while episodes.join_next().await.is_some() {}
        }
        // Longer than one round of counting, which may be in progress.
        sleep(COUNT_EVERY * 2).await;
        self.counting.abort();
        for fault in DatabaseFault::ALL {
            retried(|| fault.end(&self.lab)).await;
        }
        let vpc = self.lab.vpc.as_ref();
        heal(
            &self.lab,
            vpc.map(|vpc| vpc.network.zones()).unwrap_or_default(),
        );
        for (_, switches) in &self.switches {
            retried(|| switches.clear(None)).await;
        }
        std::mem::take(&mut lock(&self.board.injected))
    }
}

async fn retried<T, F>(work: impl Fn() -> F)
where
    F: Future<Output = Result<T>>,
{
    for _ in 0..CLEAR_TRIES {
        match work().await {
            Ok(_) => return,
            Err(error) if error.is::<Absent>() => return,
            Err(_) => sleep(COUNT_EVERY).await,
        }
    }
    output::warn("a fault could not be ended; see cargo lab fault");
}

async fn carry_out(episodes: Vec<Episode>, lab: Lab, board: Arc<Board>) -> JoinSet<()> {
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for episode in episodes {
        sleep_until(begun + episode.at).await;
        let (lab, board) = (lab.clone(), Arc::clone(&board));
        running.spawn(async move { live(&episode, &lab, &board).await });
    }
    running
}

/// Runs one fault from its start to its end.
async fn live(episode: &Episode, lab: &Lab, board: &Board) {
    let Episode { length, action, .. } = episode;
    let name = action.to_string();
    lock(&board.on).push(name.clone());
    let begun = begin(action, *length, lab).await;
    if begun {
        let mut injected = lock(&board.injected);
        let counts = injected.entry(action.kind()).or_default();
        counts.episodes += 1;
        // A switch's injections are counted by the part.
        counts.injections += u64::from(!matches!(action, Action::Switch { .. }));
    }
    sleep(*length).await;
    end(action, lab).await;
    let mut on = lock(&board.on);
    if let Some(at) = on.iter().position(|other| *other == name) {
        on.swap_remove(at);
    }
}

/// Returns whether it could be started: a part that is being restarted cannot be killed.
async fn begin(action: &Action, length: Duration, lab: &Lab) -> bool {
    match action {
        Action::Switch {
            target,
            name,
            rate,
            ms,
        } => {
            let setting = Setting {
                rate: *rate,
                ms: *ms,
                count: None,
                for_ms: u64::try_from(length.as_millis()).ok(),
            };
            match target.switches(lab) {
                Ok(Some(switches)) => switches.set(name, &setting).await.is_ok(),
                _ => false,
            }
        }
        Action::Database(fault) => fault.begin(lab, Some(length)).await.is_ok(),
        Action::Kill(part) => signal(lab, *part, Signal::SIGKILL),
        Action::Restart(part) => signal(lab, *part, Signal::SIGTERM),
        Action::Pause(part) => signal(lab, *part, Signal::SIGSTOP),
        Action::Zone(zone) => lab.vpc.as_ref().is_some_and(|vpc| vpc.cut(*zone).is_ok()),
        Action::Node(node) => lab
            .vpc
            .as_ref()
            .is_some_and(|vpc| vpc.cut_host(node).is_ok()),
        Action::Crowd(crowd, part) => {
            let is_ready = match crowd {
                Crowd::Polls => DatabaseFault::Freeze.begin(lab, Some(length)).await.is_ok(),
                Crowd::Burst | Crowd::HalfSent => true,
            };
            if is_ready {
                let (crowd, part, lab) = (*crowd, *part, lab.clone());
                tokio::spawn(async move { crowd.visit(part, &lab, length).await });
            }
            is_ready
        }
        // The poison object's own event is dropped, too: only the sweep meets it.
        Action::Poison => {
            let drop_events = Setting {
                for_ms: u64::try_from(length.as_millis()).ok(),
                ..Setting::default()
            };
            let dropped = match FaultTarget::S3.switches(lab) {
                Ok(Some(switches)) => switches.set("event-drop", &drop_events).await.is_ok(),
                _ => false,
            };
            dropped && poison::put(lab).await
        }
    }
}

async fn end(action: &Action, lab: &Lab) {
    match action {
        // It ends by itself.
        Action::Switch { .. }
        | Action::Kill(_)
        | Action::Restart(_)
        | Action::Poison
        | Action::Crowd(Crowd::Burst | Crowd::HalfSent, _) => {}
        Action::Crowd(Crowd::Polls, _) => retried(|| DatabaseFault::Freeze.end(lab)).await,
        Action::Database(fault) => retried(|| fault.end(lab)).await,
        Action::Pause(part) => {
            signal(lab, *part, Signal::SIGCONT);
        }
        Action::Zone(zone) => heal(lab, [*zone]),
        Action::Node(node) => {
            if let Some(Err(error)) = lab.vpc.as_ref().map(|vpc| vpc.heal_host(node)) {
                output::error(error.as_ref());
            }
        }
    }
}

fn heal(lab: &Lab, zones: impl IntoIterator<Item = Zone>) {
    for zone in zones {
        if let Some(Err(error)) = lab.vpc.as_ref().map(|vpc| vpc.heal(zone)) {
            output::error(error.as_ref());
        }
    }
}

fn signal(lab: &Lab, part: PartName, signal: Signal) -> bool {
    Status::signal(&lab.dir, part, signal).unwrap_or(false)
}

/// Adds up the counts of parts, which start again at zero after every kill.
async fn count(switches: Vec<(FaultTarget, Switches)>, board: Arc<Board>) {
    let mut last: BTreeMap<(FaultTarget, String), u64> = BTreeMap::new();
    loop {
        for (target, switches) in &switches {
            // A part that does not answer is asked again in a moment.
            for fault in switches.list().await.unwrap_or_default() {
                let kind = plan::kind(*target, &fault.kind);
                let before = last
                    .insert((*target, fault.kind), fault.injected)
                    .unwrap_or_default();
                let more = fault.injected.checked_sub(before).unwrap_or(fault.injected);
                if more > 0 {
                    lock(&board.injected).entry(kind).or_default().injections += more;
                }
            }
        }
        sleep(COUNT_EVERY).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
