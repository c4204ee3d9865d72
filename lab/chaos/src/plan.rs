//! Which fault comes when: drawn from the seed, before anything runs.

use std::{collections::BTreeSet, fmt, time::Duration};

use anyhow::{Result, bail};
use aws_model::network::Zone;
use lab_runner::{
    fault::{FaultTarget, database::DatabaseFault},
    part::PartName,
    ports::LINKED,
    vpc::hosts_of,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

use super::{Options, crowd::Crowd};

/// Time from the start of one fault to that of the next, in milliseconds.
const GAP_MS: std::ops::Range<u64> = 500..3_500;

/// Duration of a fault, in milliseconds.
const LENGTH_MS: std::ops::Range<u64> = 1_000..6_000;

/// The tiers, and what they need. The load balancers are killed too: on AWS each is one of many, here it is the only
/// one.
const KILLED: [PartName; 9] = [
    PartName::WebA,
    PartName::WebB,
    PartName::AppA,
    PartName::AppB,
    PartName::Alb,
    PartName::Ilb,
    PartName::S3,
    PartName::Lambda,
    PartName::Mysql,
];

const TIERS: [PartName; 4] = [
    PartName::WebA,
    PartName::WebB,
    PartName::AppA,
    PartName::AppB,
];

/// A switch of a part: the fault's name, its rate, and its time in milliseconds.
type Switch = (FaultTarget, &'static str, f64, Option<u64>);

const SWITCHES: [Switch; 22] = [
    (FaultTarget::S3, "latency", 0.5, Some(400)),
    (FaultTarget::S3, "slow-down", 0.5, None),
    (FaultTarget::S3, "error-after-store", 0.3, None),
    (FaultTarget::S3, "answer-lost", 0.3, None),
    (FaultTarget::S3, "hang", 0.5, Some(10_000)),
    (FaultTarget::S3, "access-denied", 0.5, None),
    (FaultTarget::S3, "expired-token", 0.5, None),
    (FaultTarget::S3, "conflict", 0.3, None),
    (FaultTarget::S3, "bad-digest", 0.3, None),
    (FaultTarget::S3, "corrupt-get", 0.3, None),
    (FaultTarget::S3, "truncated-get", 0.3, None),
    (FaultTarget::S3, "not-yet-readable", 0.3, None),
    (FaultTarget::S3, "event-duplicate", 0.5, None),
    (FaultTarget::S3, "event-reorder", 0.8, Some(2_000)),
    (FaultTarget::S3, "event-delay", 0.5, Some(5_000)),
    (FaultTarget::S3, "event-drop", 0.5, None),
    (FaultTarget::Lambda, "throttle", 0.8, None),
    (FaultTarget::Lambda, "kill", 0.5, Some(50)),
    (FaultTarget::Lambda, "timeout", 0.5, Some(20)),
    (FaultTarget::Lambda, "answer-lost", 0.3, None),
    (FaultTarget::Lambda, "duplicate", 0.5, None),
    (FaultTarget::Lambda, "slow", 0.5, Some(1_000)),
];

/// Not a fault of AWS but a promise broken on purpose, to show that the verdict detects it. Only on request.
const SABOTAGE: [Switch; 1] = [(FaultTarget::S3, "forget", 0.5, None)];

/// Instead of a name: no faults at all, so that they can be switched by hand.
const NONE: &str = "none";

/// Faults of a link: the end of the name, the rate, and the time in milliseconds.
const LINK_SWITCHES: [(&str, f64, Option<u64>); 3] = [
    ("latency", 0.3, Some(200)),
    ("reset", 0.05, None),
    ("cut", 1.0, None),
];

/// What is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Switch {
        target: FaultTarget,
        name: String,
        rate: f64,
        ms: Option<u64>,
    },
    Database(DatabaseFault),
    /// SIGKILL.
    Kill(PartName),
    /// SIGTERM: it drains, exits, and is started again.
    Restart(PartName),
    /// SIGSTOP, and SIGCONT at the end.
    Pause(PartName),
    /// Cuts off a zone of the VPC.
    Zone(Zone),
    /// Cuts off a node of the internal load balancer: one of the addresses of its name is dead.
    Node(&'static str),
    /// Many clients at one server.
    Crowd(Crowd, PartName),
    /// Objects that cannot be ingested, ahead of objects whose events are lost.
    Poison,
}

/// A fault and its time.
#[derive(Clone, Debug)]
pub struct Episode {
    /// Time since the start of the run.
    pub at: Duration,
    pub length: Duration,
    pub action: Action,
}

#[derive(Debug)]
pub struct Plan(pub Vec<Episode>);

impl Action {
    /// Returns its kind, independent of the part.
    pub fn kind(&self) -> String {
        match self {
            Self::Switch { target, name, .. } => kind(*target, name),
            Self::Database(fault) => format!("mysql/{}", fault.name()),
            Self::Kill(_) => "kill".to_owned(),
            Self::Restart(_) => "restart".to_owned(),
            Self::Pause(_) => "pause".to_owned(),
            Self::Zone(_) => FaultTarget::Zone.name().to_owned(),
            Self::Node(_) => "node".to_owned(),
            Self::Crowd(..) | Self::Poison => self.to_string(),
        }
    }

    /// Whether payments must still be accepted during it, as P5 promises: it affects only what is behind the journal,
    /// or is a crowd larger than honest clients form.
    fn spares_payments(&self) -> bool {
        match self {
            Self::Switch { target, name, .. } => match target {
                FaultTarget::Lambda => true,
                FaultTarget::S3 => name.starts_with("event-"),
                FaultTarget::Relay => name.starts_with(PartName::Mysql.as_str()),
                FaultTarget::Mysql | FaultTarget::Zone => false,
            },
            Self::Kill(part) => matches!(part, PartName::Lambda | PartName::Mysql),
            Self::Database(_) | Self::Crowd(..) | Self::Poison => true,
            Self::Restart(_) | Self::Pause(_) | Self::Zone(_) | Self::Node(_) => false,
        }
    }
}

/// A link's fault counts as one kind on every link.
pub fn kind(target: FaultTarget, name: &str) -> String {
    let of_link = |part: &PartName| name.strip_prefix(part.as_str())?.strip_prefix('-');
    let name = match target {
        FaultTarget::Relay => LINKED.iter().find_map(of_link).unwrap_or(name),
        FaultTarget::S3 | FaultTarget::Lambda | FaultTarget::Mysql | FaultTarget::Zone => name,
    };
    format!("{}/{name}", target.name())
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch { target, name, .. } => write!(f, "{}/{name}", target.name()),
            Self::Database(fault) => write!(f, "mysql/{}", fault.name()),
            Self::Kill(part) => write!(f, "kill/{part}"),
            Self::Restart(part) => write!(f, "restart/{part}"),
            Self::Pause(part) => write!(f, "pause/{part}"),
            Self::Zone(zone) => write!(f, "zone/{zone}"),
            Self::Node(node) => write!(f, "node/{node}"),
            Self::Crowd(crowd, _) => write!(f, "clients/{}", crowd.name()),
            Self::Poison => f.write_str("journal/poison"),
        }
    }
}

impl Plan {
    /// Whether no payment may be answered with 5xx.
    pub fn spares_payments(&self) -> bool {
        let Self(episodes) = self;
        let is_spared = |episode: &Episode| episode.action.spares_payments();
        !episodes.is_empty() && episodes.iter().all(is_spared)
    }

    /// Draws every fault once, in an order given by the seed; then again, until the time is over.
    pub fn draw(options: &Options) -> Result<Self> {
        let mut groups = chosen(&options.only, &options.zones)?;
        if groups.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let mut rng = StdRng::seed_from_u64(options.seed);
        let mut episodes = Vec::new();
        let mut at = Duration::ZERO;
        loop {
            groups.shuffle(&mut rng);
            for group in &groups {
                at += Duration::from_millis(rng.random_range(GAP_MS));
                if at >= options.length {
                    return Ok(Self(episodes));
                }
                let length = Duration::from_millis(rng.random_range(LENGTH_MS));
                episodes.push(Episode {
                    at,
                    length: length.min(options.length.saturating_sub(at)),
                    action: group[rng.random_range(0..group.len())].clone(),
                });
            }
        }
    }
}

/// Returns the faults with these names, or all that AWS can have, grouped by kind.
fn chosen(only: &[String], zones: &[Zone]) -> Result<Vec<Vec<Action>>> {
    match only {
        [] => return Ok(catalogue(zones)),
        [none] if none == NONE => return Ok(Vec::new()),
        _ => {}
    }
    let mut groups = catalogue(zones);
    groups.extend(SABOTAGE.map(|switch| vec![of_part(switch)]));
    let is_known = |name: &str| {
        groups
            .iter()
            .flatten()
            .any(|known| known.to_string() == name)
    };
    if let Some(unknown) = only.iter().find(|name| !is_known(name)) {
        let known: BTreeSet<_> = groups.iter().flatten().map(ToString::to_string).collect();
        let known: Vec<_> = known.into_iter().collect();
        bail!(
            "unknown fault {unknown}; known faults: {}",
            known.join(", ")
        );
    }
    for group in &mut groups {
        group.retain(|action| only.contains(&action.to_string()));
    }
    groups.retain(|group| !group.is_empty());
    Ok(groups)
}

fn of_part((target, name, rate, ms): Switch) -> Action {
    Action::Switch {
        target,
        name: name.to_owned(),
        rate,
        ms,
    }
}

/// Returns all faults, grouped by kind: those of links and crowds for a lab with a relay, those of zones and nodes for
/// one with a VPC.
fn catalogue(zones: &[Zone]) -> Vec<Vec<Action>> {
    if !zones.is_empty() {
        let mut groups = without_links();
        groups.push(zones.iter().copied().map(Action::Zone).collect());
        let nodes = hosts_of(PartName::Ilb).iter().copied();
        groups.push(nodes.map(Action::Node).collect());
        return groups;
    }
    let of_links = LINK_SWITCHES.iter().map(|&(name, rate, ms)| {
        let on = |part| Action::Switch {
            target: FaultTarget::Relay,
            name: format!("{part}-{name}"),
            rate,
            ms,
        };
        LINKED.into_iter().map(on).collect()
    });
    let of_database = [("mysql-commit-lost", 0.5), ("mysql-failover", 1.0)]
        .map(|(name, rate)| vec![of_part((FaultTarget::Relay, name, rate, None))]);
    // The doors into a VPC are narrower than a tier.
    let of_clients = [Crowd::Burst, Crowd::HalfSent, Crowd::Polls]
        .map(|crowd| TIERS.map(|part| Action::Crowd(crowd, part)).to_vec());
    without_links()
        .into_iter()
        .chain(of_links)
        .chain(of_database)
        .chain(of_clients)
        .collect()
}

fn without_links() -> Vec<Vec<Action>> {
    let of_parts = SWITCHES.map(|switch| vec![of_part(switch)]);
    let database = DatabaseFault::ALL.map(|fault| vec![Action::Database(fault)]);
    of_parts
        .into_iter()
        .chain(database)
        .chain([
            KILLED.map(Action::Kill).to_vec(),
            TIERS.map(Action::Restart).to_vec(),
            TIERS.map(Action::Pause).to_vec(),
            vec![Action::Poison],
        ])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(seed: u64, only: &[&str]) -> Options {
        Options {
            length: Duration::from_mins(5),
            rate: 1,
            seed,
            clients: Vec::new(),
            only: only.iter().map(|&name| name.to_owned()).collect(),
            zones: Vec::new(),
            patience: Duration::ZERO,
            history: "history".into(),
        }
    }

    #[test]
    fn a_seed_gives_the_same_plan_again_and_every_kind_is_in_it() {
        let plan = |seed| format!("{:?}", Plan::draw(&options(seed, &[])).unwrap());
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));

        let Plan(episodes) = Plan::draw(&options(7, &[])).unwrap();
        let kinds: BTreeSet<_> = episodes.iter().map(|e| e.action.kind()).collect();
        let all: BTreeSet<_> = catalogue(&[]).iter().flatten().map(Action::kind).collect();
        assert_eq!(kinds, all);
        assert!(all.len() >= 38, "{all:?}");
    }

    #[test]
    fn p5_only_faults_behind_the_journal_excuse_no_5xx() {
        let spares = |only: &[&str]| Plan::draw(&options(1, only)).unwrap().spares_payments();
        let behind = ["mysql/freeze", "relay/mysql-failover", "lambda/kill"];
        assert!(spares(&behind));
        assert!(spares(&[
            "clients/burst",
            "clients/half-sent",
            "clients/polls"
        ]));
        assert!(spares(&["journal/poison", "s3/event-drop", "kill/mysql"]));
        for felt in ["s3/slow-down", "kill/app-a", "relay/ilb-latency"] {
            assert!(!spares(&[&behind[..], &[felt]].concat()), "{felt}");
        }
        assert!(!spares(&["none"]));
    }

    /// A fault that is in only one of them would pass for covered, or stay unknown.
    #[test]
    fn the_table_of_faults_and_the_catalogue_name_the_same() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/RELIABILITY.md");
        let table = std::fs::read_to_string(path).unwrap();
        let mut named = BTreeSet::new();
        for row in table.lines().filter(|line| line.starts_with("| ")) {
            let made_by = row.split('|').nth(3).unwrap_or_default();
            for means in made_by.split(';').map(str::trim) {
                let kinds = means
                    .strip_prefix("chaos: ")
                    .or_else(|| means.strip_prefix("chaos --vpc: "));
                let kinds = kinds.into_iter().flat_map(|kinds| kinds.split(", "));
                named.extend(kinds.map(str::to_owned));
            }
        }
        let zones = ["a".parse().unwrap()];
        let groups = [catalogue(&[]), catalogue(&zones)].concat();
        let kinds: BTreeSet<_> = groups.iter().flatten().map(Action::kind).collect();
        let unknown: Vec<_> = named.difference(&kinds).collect();
        let missing: Vec<_> = kinds.difference(&named).collect();
        assert_eq!((unknown, missing), (vec![], vec![]));
    }

    #[test]
    fn only_what_is_asked_for_is_planned() {
        let Plan(episodes) = Plan::draw(&options(1, &["s3/hang", "kill/app-a"])).unwrap();
        let names: BTreeSet<_> = episodes.iter().map(|e| e.action.to_string()).collect();
        assert_eq!(
            names,
            BTreeSet::from(["s3/hang", "kill/app-a"].map(str::to_owned))
        );
        assert!(Plan::draw(&options(1, &["s3/none"])).is_err());
        assert!(Plan::draw(&options(1, &["s3/forget"])).is_ok());
    }
}
