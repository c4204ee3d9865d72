//! The saboteur: someone with all rights over bucket and database changes what is recorded, and `payctl verify` has to
//! name each of his acts, and nothing else (promise P11).
//!
//! - [`stage`]: payments through the real tiers, with runs that end, that are killed, and that start again.
//! - [`journal`]: what there is to sabotage.
//! - [`acts`]: which act comes next, drawn from the seed, and what has to be named for it.
//! - [`forge`]: what somebody writes who knows the formats.
//! - [`bucket`]: a copy of the bucket for each act.
//! - [`world`]: carries acts out, runs verify, and puts everything back.

mod act;
mod acts;
mod bucket;
mod forge;
mod journal;
mod stage;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use lab_runner::{known_client::KnownClient, lab::Lab, output};

use self::{acts::Saboteur, journal::Journal, world::World};

/// Acts between two checks that everything was put back.
const CHECK_EVERY: usize = 25;

/// Kinds of act that a journal may offer nothing for.
const IMPOSSIBLE_MAX: usize = 10;

#[derive(Clone, Debug)]
pub struct Options {
    pub acts: usize,
    /// Seed of the payments and of the acts.
    pub seed: u64,
    pub clients: Vec<KnownClient>,
}

/// What became of the acts.
#[derive(Debug, Default)]
pub struct Report {
    objects: usize,
    settled: usize,
    rows: usize,
    /// Acts that verify named, by kind.
    named: BTreeMap<&'static str, u64>,
    /// Acts behind which verify could not know everything, so that it exited with 2.
    unfinished: u64,
    /// Kinds that this journal offered nothing for.
    impossible: BTreeSet<&'static str>,
    /// Acts that were not named, or with something that nobody touched.
    wrong: Vec<String>,
    took: Duration,
}

/// Commits acts on a lab that is up, one after another.
pub async fn run(options: &Options, lab: &Lab) -> Result<Report> {
    let mut world = World::of(lab)?;
    stage::set(options, lab, &world).await?;
    let journal = world.keep(lab).await?;
    let mut report = Report::of(&journal);
    output::say(format_args!(
        "{} objects, {} of them settled, {} rows",
        report.objects, report.settled, report.rows
    ));
    let begun = Instant::now();
    expect_clean(&world).await?;
    let mut saboteur = Saboteur::new(options.seed, &journal);
    let mut done = 0;
    while done < options.acts {
        let (name, act) = saboteur.next();
        let Some(act) = act else {
            report.impossible.insert(name);
            ensure!(
                report.impossible.len() <= IMPOSSIBLE_MAX,
                "this journal offers too little: {:?}",
                report.impossible
            );
            continue;
        };
        world.apply(&act).await?;
        let verified = world.verify().await?;
        match act.judge(&verified) {
            Ok(()) => {
                *report.named.entry(name).or_default() += 1;
                report.unfinished += u64::from(verified.is_unfinished());
            }
            Err(wrong) => {
                let act = format!(
                    "seed {}, act {done}: {name}\n{wrong}{:#?}\n{}",
                    options.seed, act.steps, verified.printed
                );
                output::warn(&act);
                report.wrong.push(format!("act {done}: {name}: {wrong}"));
            }
        }
        world.restore(lab).await?;
        done += 1;
        if done.is_multiple_of(CHECK_EVERY) || done == options.acts {
            expect_clean(&world).await?;
        }
    }
    report.took = begun.elapsed();
    Ok(report)
}

async fn expect_clean(world: &World) -> Result<()> {
    let verified = world.verify().await?;
    ensure!(
        verified.is_clean(),
        "verify names something before an act, or after everything was put back: {}",
        verified.printed
    );
    Ok(())
}

impl Report {
    fn of(journal: &Journal) -> Self {
        let settled = journal.objects.iter().filter(|object| object.is_settled);
        Self {
            objects: journal.objects.len(),
            settled: settled.count(),
            rows: journal.rows.len(),
            ..Self::default()
        }
    }

    pub fn holds(&self) -> bool {
        self.wrong.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in &self.named {
            writeln!(f, "{count:>4}  {name}")?;
        }
        for name in &self.impossible {
            writeln!(f, "   -  {name}: nothing to do it to")?;
        }
        for wrong in &self.wrong {
            write!(f, "wrong verdict on {wrong}")?;
        }
        let named: u64 = self.named.values().sum();
        write!(
            f,
            "{named} acts of {} kinds were named ({} of them with something that is not known since), {} were not, in {:.0} s",
            self.named.len(),
            self.unfinished,
            self.wrong.len(),
            self.took.as_secs_f64()
        )
    }
}
