//! What came of a question: the steps of the way, each with the rule that decided.

use std::fmt;

use crate::network::model::{Acl, AclEntry, Direction, Group, GroupRule, Host, Route, RouteTable};

/// Who decides, in the order of the way. A group sees what it let through once: its answers have no step.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Layer {
    /// Whether there is a way between two networks at all.
    Gateway,
    Group,
    Acl,
    Route,
}

/// What decided.
#[derive(Clone, Copy, Debug)]
pub enum Rule<'a> {
    /// `None` if no rule of the group matches.
    Group(&'a Group, Direction, Option<&'a GroupRule>),
    /// `None` if no entry matches: the ACL's last, which is `*`.
    Acl(&'a Acl, Direction, Option<&'a AclEntry>),
    /// `None` if the table has no route.
    Route(&'a RouteTable, Option<&'a Route>),
    /// The route that every table has.
    Local(&'a RouteTable),
    /// The internet knows addresses of public hosts alone.
    NoPublicAddress(&'a Host),
    /// Both are outside: what is between them is not the VPC's. S3 lets the internet in by nobody's leave.
    Elsewhere,
}

/// One decision on the way.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    pub layer: Layer,
    pub rule: Rule<'a>,
    pub lets: bool,
    /// Whether it is on the way back.
    pub is_answer: bool,
}

/// Whether one host may reach a port of another.
#[derive(Clone, Debug)]
pub struct Verdict<'a> {
    pub from: &'a Host,
    pub to: &'a Host,
    pub port: u16,
    /// Every step, also those behind one that blocks.
    pub steps: Vec<Step<'a>>,
}

impl<'a> Verdict<'a> {
    /// Whether every step lets it through.
    pub fn reaches(&self) -> bool {
        self.steps.iter().all(|step| step.lets)
    }

    /// The steps that block it, in the order of the way.
    pub fn blocks(&self) -> impl Iterator<Item = &Step<'a>> {
        self.steps.iter().filter(|step| !step.lets)
    }
}

/// One line: the answer, and the rule that lets it in or the first that blocks it.
impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to, port) = (&self.from.name, &self.to.name, self.port);
        if let Some(block) = self.blocks().next() {
            return write!(f, "{from} does not reach {to}:{port}: {block}");
        }
        // The last that was asked on the way there knows most of it.
        let decided = self.steps.iter().rfind(|step| step.layer == Layer::Group);
        write!(f, "{from} reaches {to}:{port}")?;
        decided.map_or(Ok(()), |step| write!(f, ": {step}"))
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let back = if self.is_answer {
            " (the way back)"
        } else {
            ""
        };
        write!(f, "{}{back}", self.rule)
    }
}

impl fmt::Display for Rule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(group, direction, Some(rule)) => {
                write!(
                    f,
                    "{} {direction} allows {}",
                    group.name,
                    Described(*direction, rule)
                )
            }
            Self::Group(group, direction, None) => {
                write!(f, "{} {direction} has no rule for it", group.name)
            }
            Self::Acl(acl, direction, Some(entry)) => write!(
                f,
                "ACL {} {direction} {}: {} {} {} {} {}",
                acl.name,
                entry.number,
                entry.action,
                entry.protocol,
                entry.ports,
                word(*direction),
                entry.cidr
            ),
            Self::Acl(acl, direction, None) => {
                write!(f, "ACL {} {direction} *: deny all", acl.name)
            }
            Self::Route(table, Some(route)) => {
                write!(f, "{}: {} via {}", table.name, route.to, route.via)
            }
            Self::Route(table, None) => write!(f, "{} has no route to it", table.name),
            Self::Local(table) => write!(f, "{}: local", table.name),
            Self::NoPublicAddress(host) => write!(f, "{} has no public address", host.name),
            Self::Elsewhere => f.write_str("the bucket blocks all public access"),
        }
    }
}

struct Described<'a>(Direction, &'a GroupRule);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(direction, rule) = self;
        write!(
            f,
            "{} {} {} {}",
            rule.protocol,
            rule.ports,
            word(*direction),
            rule.peer
        )
    }
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "from",
        Direction::Outbound => "to",
    }
}
