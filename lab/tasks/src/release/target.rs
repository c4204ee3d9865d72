//! The processors that programs are built for.
//!
//! Programs are linked statically with musl, so that one file runs on any Linux, whatever its C library.

use std::{fmt, path::PathBuf};

use clap::ValueEnum;
use lab_runner::install;

use super::rust::Rust;

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum BuildTarget {
    #[value(name = "x86_64-unknown-linux-musl", alias = "x86_64")]
    X86_64,
    #[value(name = "aarch64-unknown-linux-musl", alias = "aarch64")]
    Aarch64,
}

/// Something that is not installed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MissingTool {
    /// Rust's standard library for the target.
    Std(BuildTarget),
    /// A C compiler, which also links.
    Compiler(BuildTarget),
}

impl BuildTarget {
    pub const ALL: [Self; 2] = [Self::X86_64, Self::Aarch64];

    /// Target triple.
    pub fn triple(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-musl",
            Self::Aarch64 => "aarch64-unknown-linux-musl",
        }
    }

    /// Name of the architecture in file names.
    pub fn arch(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// The C compiler: the machine's own if it has this architecture. It may be made for glibc: the C code is
    /// freestanding, and Rust brings musl itself.
    pub fn compiler(self) -> &'static str {
        match self {
            _ if self.is_of_this_machine() => "cc",
            Self::X86_64 => "x86_64-linux-gnu-gcc",
            Self::Aarch64 => "aarch64-linux-gnu-gcc",
        }
    }

    fn is_of_this_machine(self) -> bool {
        self.arch() == std::env::consts::ARCH
    }

    /// Returns what is missing to build for this target.
    pub fn missing_tools(self, rust: &Rust) -> Vec<MissingTool> {
        let std = (!rust.has_std(self.triple())).then_some(MissingTool::Std(self));
        let compiler: Option<PathBuf> = install::find(self.compiler());
        let compiler = compiler.is_none().then_some(MissingTool::Compiler(self));
        [std, compiler].into_iter().flatten().collect()
    }
}

impl fmt::Display for BuildTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.triple())
    }
}

impl MissingTool {
    /// The command that installs it, as a person would type it.
    pub fn command(self) -> String {
        match self {
            Self::Std(target) => format!("rustup target add {target}"),
            Self::Compiler(target) if target.is_of_this_machine() => {
                "apt-get install -y gcc libc6-dev".to_owned()
            }
            Self::Compiler(BuildTarget::X86_64) => {
                "apt-get install -y gcc-x86-64-linux-gnu libc6-dev-amd64-cross".to_owned()
            }
            Self::Compiler(BuildTarget::Aarch64) => {
                "apt-get install -y gcc-aarch64-linux-gnu libc6-dev-arm64-cross".to_owned()
            }
        }
    }
}

impl fmt::Display for MissingTool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Std(target) => write!(formatter, "Rust's standard library for {target}"),
            Self::Compiler(target) => write!(formatter, "{}", target.compiler()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_tool_names_the_command_that_installs_it() {
        for target in BuildTarget::ALL {
            let std = MissingTool::Std(target);
            assert!(std.to_string().contains(target.triple()));
            assert_eq!(std.command(), format!("rustup target add {target}"));
            let compiler = MissingTool::Compiler(target);
            assert_eq!(compiler.to_string(), target.compiler());
            assert!(compiler.command().starts_with("apt-get install -y gcc"));
        }
    }
}
