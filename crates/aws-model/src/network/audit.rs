//! Rules that let in more than they should, even if another rule still stops it: the next mistake would not be stopped.

use std::fmt;

use crate::network::{
    model::{Direction, Flow, Host, Network, Tier},
    value::Name,
    verdict::{Layer, Rule, Step, Verdict},
};

/// One thing that is not as it must be.
#[derive(Clone, Debug)]
pub enum Finding<'a> {
    /// A connection that must not come about does, or one that must does not.
    Reach { verdict: Verdict<'a>, wanted: bool },
    /// The ACL alone lets the internet in.
    Acl {
        from: &'a Host,
        to: &'a Host,
        port: u16,
        step: Step<'a>,
    },
    /// The group of one side lets it through; something else stops it still.
    Group {
        from: &'a Host,
        to: &'a Host,
        port: u16,
        step: Step<'a>,
    },
}

impl Network {
    /// Holds every pair of hosts against the flows, then each rule that lets in what is not wanted by itself: the groups of
    /// both sides must stop all of it, ACLs all that comes from outside.
    pub fn audit(&self) -> Vec<Finding<'_>> {
        let mut findings = Vec::new();
        for from in &self.tiers {
            for (to, port) in self
                .tiers
                .iter()
                .filter_map(|tier| Some((tier, tier.port?)))
            {
                if !(from.is_managed && from.name == to.name) {
                    self.audit_tiers(from, to, port, &mut findings);
                }
            }
        }
        findings
    }

    fn audit_tiers<'a>(
        &'a self,
        from: &'a Tier,
        to: &'a Tier,
        port: u16,
        findings: &mut Vec<Finding<'a>>,
    ) {
        // What AWS runs outside never asks.
        if from.is_managed && from.group.is_none() {
            return;
        }
        let wanted = self.flow(from, to).is_some();
        for from in &from.hosts {
            for to in to.hosts.iter().filter(|to| to.name != from.name) {
                let verdict = self.judge(from, to, port);
                if verdict.reaches() != wanted {
                    findings.push(Finding::Reach { verdict, wanted });
                } else if !wanted {
                    findings.extend(self.layers(&verdict));
                }
            }
        }
    }
}

impl Network {
    /// What lets a way in that another rule blocks: each side's group by itself, and from outside the ACL.
    fn layers<'a>(&'a self, verdict: &Verdict<'a>) -> Vec<Finding<'a>> {
        let (from, to, port) = (verdict.from, verdict.to, verdict.port);
        let there = || verdict.steps.iter().filter(|step| !step.is_answer);
        if to.is_outside() {
            return Vec::new();
        }
        let open_groups = there().filter(|step| {
            step.layer == Layer::Group && step.lets && !self.is_for_everyone(step, to)
        });
        let mut findings: Vec<_> = open_groups
            .map(|&step| Finding::Group {
                from,
                to,
                port,
                step,
            })
            .collect();
        let acl = there().rfind(|step| step.layer == Layer::Acl);
        if let Some(&step) = acl.filter(|step| from.is_outside() && step.lets) {
            findings.push(Finding::Acl {
                from,
                to,
                port,
                step,
            });
        }
        findings
    }

    /// A rule for all the world, on a host that the world is to reach: not for its neighbours' sake.
    fn is_for_everyone(&self, step: &Step<'_>, to: &Host) -> bool {
        let Rule::Group(_, Direction::Inbound, Some(rule)) = step.rule else {
            return false;
        };
        let is_outside = |name: &Name| {
            let tier = self.tier(name);
            tier.is_some_and(|tier| tier.group.is_none())
        };
        let wanted = |flow: &Flow| flow.to == to.tier && is_outside(&flow.from);
        rule.peer.is_everyone() && self.flows.iter().any(wanted)
    }
}

impl Finding<'_> {
    /// The rule to look at, if one lets in too much.
    pub fn rule(&self) -> String {
        match self {
            Self::Reach { verdict, .. } => verdict.to_string(),
            Self::Acl { step, .. } | Self::Group { step, .. } => step.to_string(),
        }
    }
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reach {
                verdict,
                wanted: true,
            } => write!(f, "must be reached, but {verdict}"),
            Self::Reach {
                verdict,
                wanted: false,
            } => write!(f, "must not be, but {verdict}"),
            Self::Acl {
                from,
                to,
                port,
                step,
            } => {
                write!(
                    f,
                    "{from} is let in to {to}:{port} by an ACL: {step}",
                    from = from.name,
                    to = to.name
                )
            }
            Self::Group {
                from,
                to,
                port,
                step,
            } => {
                write!(
                    f,
                    "{from} is let through to {to}:{port} by a group: {step}",
                    from = from.name,
                    to = to.name
                )
            }
        }
    }
}
