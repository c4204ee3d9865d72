//! Holds an account on AWS against the notes, and the pipeline against what it should do from here.
//!
//! [`account`] is what the `aws` command said, asked once and never again: each check is a pure function over it, and
//! has a file by its area. [`here`] is what this machine sees. A check adds a [`finding::Finding`] for each fault, or nothing.
//! What could not be looked at is a note, not a fault and not a clean bill.
//!
//! To add a check: a line in its area's `check`, and the call that it needs in [`account::Call`].

pub mod account;
mod alarms;
pub mod aws;
mod balancers;
mod bucket;
mod database;
mod finding;
mod function;
mod guards;
pub mod here;
mod iam;
mod instances;
mod json;
mod names;
mod network;
mod queues;

use serde::Serialize;
use time::OffsetDateTime;

pub use self::{account::Account, finding::Findings, names::Names};

/// A part of the account, or this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// The part of network that page 1 makes: VPC, subnets, routes, S3's endpoint
    Routing,
    Network,
    Balancers,
    /// Those that serve, and whether load balancers find them healthy
    Instances,
    Bucket,
    /// With its triggers and queues
    Function,
    Database,
    Iam,
    Alarms,
    /// Logs, trails, limits and replacement: advice
    Guards,
    /// What this machine can reach.
    Here,
}

impl Area {
    /// Each once: routing is in network.
    pub const ALL: [Self; 10] = [
        Self::Network,
        Self::Balancers,
        Self::Instances,
        Self::Bucket,
        Self::Function,
        Self::Database,
        Self::Iam,
        Self::Alarms,
        Self::Guards,
        Self::Here,
    ];
}

/// All that is wrong with an account in these areas, and what could not be looked at.
pub fn examine(account: &Account, names: &Names, areas: &[Area]) -> Findings {
    let mut findings = Findings::default();
    for area in areas {
        match area {
            Area::Routing => {
                network::routing(account, names, &mut findings);
            }
            Area::Network => network::check(account, names, &mut findings),
            Area::Balancers => balancers::check(account, names, &mut findings),
            Area::Instances => instances::check(account, names, &mut findings),
            Area::Alarms => alarms::check(account, names, &mut findings),
            Area::Guards => guards::check(account, names, OffsetDateTime::now_utc(), &mut findings),
            Area::Bucket => bucket::check(account, names, &mut findings),
            Area::Function => {
                bucket::notification(account, names, &mut findings);
                function::check(account, names, &mut findings);
                queues::check(account, names, &mut findings);
            }
            Area::Database => database::check(account, names, &mut findings),
            Area::Iam => iam::check(account, names, &mut findings),
            Area::Here => {}
        }
    }
    if account.known(&account::Call::Vpcs).is_some() && network::vpc(account).is_none() {
        let name = &names.network.vpc.name;
        findings.note(format!(
            "could not look at what is in the VPC: there is none named {name}"
        ));
    }
    for refusal in account.unseen() {
        findings.note(refusal);
    }
    findings
}
