//! The report of a run: a table for the terminal, JSON for programs, a page for people.

mod chart;
mod page;
mod table;

use std::{fs, path::Path, time::SystemTime};

use lab_runner::files;
use serde::Serialize;

pub use self::{chart::Curve, table::Table};
use super::{Pace, finding::Finding};

#[derive(Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    /// Seconds since 1970.
    pub began: u64,
    pub rounds: u32,
    pub seconds: u64,
    pub findings: Vec<Finding>,
    pub tables: Vec<Table>,
    pub curves: Vec<Curve>,
}

/// The machine of the run.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub kernel: String,
}

impl Report {
    pub fn begin(pace: Pace) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            machine: Machine::this(),
            began: now.map_or(0, |now| now.as_secs()),
            rounds: pace.rounds,
            seconds: pace.length.as_secs(),
            findings: Vec::new(),
            tables: Vec::new(),
            curves: Vec::new(),
        }
    }

    pub fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    pub fn curve(&mut self, curve: Curve) {
        self.curves.push(curve);
    }

    /// Returns the findings with their targets.
    pub fn targets(&self) -> Table {
        let mut table = Table::new("Targets", &["what", "target", "today", "met", "measured"]);
        for finding in &self.findings {
            let figures: Vec<_> = finding.figures.iter().map(ToString::to_string).collect();
            let met = match finding.met {
                Some(true) => "yes",
                Some(false) => "no",
                None => "not measured",
            };
            table.row([
                finding.what.clone(),
                finding.target.clone(),
                finding.today.clone(),
                met.to_owned(),
                figures.join("; "),
            ]);
        }
        table
    }

    /// Writes `bench.json` and `bench.html` into this directory.
    pub fn write(&self, dir: &Path) -> Result<(), files::Error> {
        files::write_json(&dir.join("bench.json"), self)?;
        files::write(&dir.join("bench.html"), &page::render(self))
    }
}

impl Machine {
    fn this() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let after = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split(':').nth(1));
            value.unwrap_or("unknown").trim().to_owned()
        };
        let memory = after(&read("/proc/meminfo"), "MemTotal");
        let kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
        Self {
            processor: after(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: kib.div_ceil(1 << 20),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}
