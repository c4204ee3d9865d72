//! Configuration from environment variables. All are read before anything starts, so that one run reports
//! every mistake.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};
use std::str::FromStr;

/// A variable that a program reads: a line of its `--help`. Programs name theirs in groups, of which several share some.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    pub name: &'static str,
    /// Shown if it is not set: a default, `required`, or `optional`.
    pub default: &'static str,
    pub help: &'static str,
}

/// Read by every program.
const LOG_FILTER: Variable = Variable {
    name: "RUST_LOG",
    default: "info",
    help: "what is logged, e.g. info or app_tier=debug,info",
};

/// The environment while a program's configuration is read from it.
#[derive(Debug)]
pub struct Env {
    values: BTreeMap<String, String>,
    mistakes: Vec<String>,
}

/// Every mistake of one environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct EnvErrors(Vec<String>);

impl fmt::Display for EnvErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the configuration has {} mistake(s):", self.0.len())?;
        self.0
            .iter()
            .try_for_each(|mistake| writeln!(f, "  {mistake}"))?;
        f.write_str("  see --help for all variables")
    }
}

impl Env {
    /// The process's own environment. Values that are not UTF-8 are no configuration of ours and are left out.
    pub fn from_process() -> Self {
        std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect()
    }

    /// Reads lines `NAME=value`, as systemd's `EnvironmentFile` has them, without quoting. Other lines are comments.
    pub fn from_file(text: &str) -> Self {
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// A variable that may be absent. Empty counts as absent, as in systemd units.
    pub fn optional<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        let value = self.text(name)?;
        match value.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.mistake(format!("{name}={value}: {error}"));
                None
            }
        }
    }

    /// A variable with a default.
    pub fn or<T: FromStr<Err: Display>>(&mut self, name: &'static str, default: T) -> T {
        self.optional(name).unwrap_or(default)
    }

    /// `None` only after a mistake was noted; [`Env::finish`] then fails.
    pub fn required<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        if self.text(name).is_none() {
            self.mistake(format!("{name} is not set"));
            return None;
        }
        self.optional(name)
    }

    /// Like [`Env::optional`], for values that no message may repeat.
    pub fn secret(&mut self, name: &'static str) -> Option<crate::Secret> {
        self.text(name).map(crate::Secret::new)
    }

    /// How many mistakes were noted so far.
    pub fn mistakes(&self) -> usize {
        self.mistakes.len()
    }

    /// Notes a mistake, for [`Env::finish`] to report.
    pub fn mistake(&mut self, text: impl Into<String>) {
        self.mistakes.push(text.into());
    }

    /// Notes variables that look like ours and are not: a misspelt name would otherwise be a silent default.
    pub fn refuse_unknown(&mut self, prefixes: &[&str], known: &[&[Variable]]) {
        let is_unknown = |name: &str| {
            prefixes.iter().any(|prefix| name.starts_with(prefix))
                && known.iter().copied().flatten().all(|v| v.name != name)
        };
        let unknown: Vec<_> = self
            .values
            .keys()
            .filter(|name| is_unknown(name))
            .cloned()
            .collect();
        for name in unknown {
            self.mistake(format!("{name} is no variable of this program"));
        }
    }

    /// The configuration, if nothing was wrong. `build` returns `None` only if a required value is missing.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, EnvErrors> {
        if !self.mistakes.is_empty() {
            return Err(EnvErrors(self.mistakes));
        }
        build().ok_or_else(|| EnvErrors(vec!["a required value is missing".to_owned()]))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.values
            .get(name)
            .filter(|value| !value.is_empty())
            .cloned()
    }
}

impl FromIterator<(String, String)> for Env {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(values: I) -> Self {
        Self {
            values: values.into_iter().collect(),
            mistakes: Vec::new(),
        }
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Env {
    fn from(values: [(&str, &str); N]) -> Self {
        values
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect()
    }
}

/// The text of `--help`.
pub fn help(program: &str, about: &str, variables: &[&[Variable]]) -> String {
    let mut text = format!(
        "{program} {}\n{about}\n\nEnvironment variables:\n",
        env!("CARGO_PKG_VERSION")
    );
    for Variable {
        name,
        default,
        help,
    } in variables.iter().copied().flatten().chain([&LOG_FILTER])
    {
        // Writing to a String can't fail.
        let _ = writeln!(text, "  {name:<24} {help} [{default}]");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Variable] = &[Variable {
        name: "LOG_BUCKET",
        default: "required",
        help: "",
    }];

    #[test]
    fn every_mistake_is_reported_at_once() {
        let mut env = Env::from([
            ("LOG_PORT", "x"),
            ("LOG_BUCKETT", "b"),
            ("LISTEN_ADDR", "here"),
        ]);
        let bucket: Option<String> = env.required("LOG_BUCKET");
        let _: u16 = env.or("LOG_PORT", 1);
        let _: Option<std::net::SocketAddr> = env.optional("LISTEN_ADDR");
        env.refuse_unknown(
            &["LOG_"],
            &[
                KNOWN,
                &[Variable {
                    name: "LOG_PORT",
                    default: "",
                    help: "",
                }],
            ],
        );
        let text = env.finish(|| bucket).unwrap_err().to_string();
        for part in [
            "4 mistake(s)",
            "LOG_BUCKET is not set",
            "LOG_PORT=x",
            "LISTEN_ADDR=here",
            "LOG_BUCKETT is no",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn values_defaults_and_absence() {
        let mut env = Env::from([("A", "7"), ("EMPTY", "")]);
        assert_eq!(env.or("A", 1), 7);
        assert_eq!(env.or("B", 1), 1);
        assert_eq!(env.optional::<u8>("EMPTY"), None);
        assert_eq!(env.finish(|| Some(())), Ok(()));
    }
}
