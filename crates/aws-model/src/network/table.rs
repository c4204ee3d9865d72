//! Who reaches whom: one row per tier, one column per tier that listens.

use std::fmt;

use crate::network::{
    model::{Flow, Network, Tier},
    value::Name,
};

/// Which tier reaches which.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Table {
    /// Such as `web:3000`; S3 has no port there.
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

/// What one tier reaches.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    pub from: Name,
    /// One for each column.
    pub cells: Vec<Cell>,
}

/// What is between two tiers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cell {
    /// Nobody asks: they are nodes of one thing.
    Same,
    No,
    Yes,
    /// As a user of the database.
    As(Name),
    /// Allowed with these actions, on keys that start so.
    Actions(Vec<Name>, Name),
    /// Some hosts reach it and some do not.
    Some,
}

impl Network {
    /// What the rules make of it.
    pub fn table(&self) -> Table {
        self.table_by(|from, to, port| {
            let hosts = from
                .hosts
                .iter()
                .flat_map(|from| to.hosts.iter().map(move |to| (from, to)));
            let reached = hosts
                .filter(|(from, to)| from.name != to.name)
                .map(|(from, to)| self.judge(from, to, port).reaches());
            self.cell(from, to, reached)
        })
    }

    /// What must be: the flows, and nothing else.
    pub fn wanted(&self) -> Table {
        self.table_by(|from, to, _| {
            let flow = self.flow(from, to);
            flow.map_or(Cell::No, Cell::of)
        })
    }

    /// The cell for what was found of pairs of hosts; what is allowed depends on the flow.
    pub fn cell(&self, from: &Tier, to: &Tier, reached: impl IntoIterator<Item = bool>) -> Cell {
        let (mut some, mut all) = (false, true);
        for reached in reached {
            some |= reached;
            all &= reached;
        }
        match (some, all) {
            (true, true) => self.flow(from, to).map_or(Cell::Yes, Cell::of),
            (true, false) => Cell::Some,
            (false, _) => Cell::No,
        }
    }

    /// Fills the table, but for the cells that nobody asks about.
    pub fn table_by(&self, mut cell: impl FnMut(&Tier, &Tier, u16) -> Cell) -> Table {
        let columns = self
            .tiers
            .iter()
            .filter_map(|tier| Some((tier, tier.port?)));
        let columns: Vec<_> = columns.collect();
        // S3 answers; it never asks.
        let rows = self
            .tiers
            .iter()
            .filter(|tier| tier.group.is_some() || tier.port.is_none());
        let rows = rows.map(|from| {
            let cells = columns.iter().map(|&(to, port)| {
                if from.is_managed && from.name == to.name {
                    Cell::Same
                } else {
                    cell(from, to, port)
                }
            });
            Row {
                cells: cells.collect(),
                from: from.name.clone(),
            }
        });
        Table {
            rows: rows.collect(),
            columns: columns
                .iter()
                .map(|(tier, port)| head(tier, *port))
                .collect(),
        }
    }

    /// Returns the flow that is meant from one tier to another.
    pub fn flow(&self, from: &Tier, to: &Tier) -> Option<&Flow> {
        self.flows
            .iter()
            .find(|flow| flow.from == from.name && flow.to == to.name)
    }
}

fn head(tier: &Tier, port: u16) -> String {
    let label = tier.label.as_ref().unwrap_or(&tier.name);
    if tier.group.is_some() {
        format!("{label}:{port}")
    } else {
        label.to_string()
    }
}

impl Cell {
    fn of(flow: &Flow) -> Self {
        match (&flow.user, &flow.prefix) {
            (Some(user), _) => Self::As(user.clone()),
            (None, Some(prefix)) => Self::Actions(flow.actions.clone(), prefix.clone()),
            (None, None) => Self::Yes,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => Ok(()),
            Self::No => f.pad("no"),
            Self::Yes => f.pad("yes"),
            Self::As(user) => f.pad(&format!("yes ({user})")),
            Self::Actions(actions, prefix) => {
                let actions: Vec<_> = actions.iter().map(Name::as_str).collect();
                f.pad(&format!("{} `{prefix}*`", actions.join(", ")))
            }
            Self::Some => f.pad("some"),
        }
    }
}

/// As Markdown.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, r"| from \ to | {} |", self.columns.join(" | "))?;
        writeln!(f, "|{}", " --- |".repeat(self.columns.len() + 1))?;
        for row in &self.rows {
            write!(f, "| {} |", row.from)?;
            for cell in &row.cells {
                match cell {
                    Cell::Same => write!(f, " |")?,
                    cell => write!(f, " {cell} |")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
