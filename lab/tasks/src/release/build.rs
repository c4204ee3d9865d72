//! Builds with the profile `dist`, so that the result depends neither on this machine nor on the date.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use lab_runner::{build::cargo, workspace::Workspace};

use super::{package::PROGRAMS, rust::Rust, target::BuildTarget};

/// Separator of flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\x1f";

/// Builds the programs and returns their folder. `epoch`: seconds since 1970, for whatever embeds a time.
pub async fn programs(
    workspace: &Workspace,
    rust: &Rust,
    target: BuildTarget,
    epoch: u64,
) -> Result<PathBuf> {
    let folder = workspace.root().join("target");
    let mut command = cargo(workspace);
    command.args(["build", "--locked", "--profile", "dist"]);
    command.args(["--target", target.triple(), "--target-dir"]);
    command.arg(&folder);
    for program in PROGRAMS {
        command.args(["--package", program]);
    }
    let prefixes = prefixes(workspace.root(), rust);
    for (name, value) in variables(target, &prefixes) {
        command.env(name, value);
    }
    command.env("SOURCE_DATE_EPOCH", epoch.to_string());
    let status = command.status().await.context("cannot run cargo")?;
    ensure!(status.success(), "the build for {target} failed: {status}");
    Ok(folder.join(target.triple()).join("dist"))
}

/// Folders of this machine, and their replacements in panic messages.
fn prefixes(workspace: &Path, rust: &Rust) -> [(PathBuf, &'static str); 3] {
    let home = env::home_dir().unwrap_or_default();
    let cargo_home = env::var_os("CARGO_HOME").map_or(home.join(".cargo"), PathBuf::from);
    [
        (workspace.to_owned(), "/src"),
        (cargo_home, "/cargo"),
        (rust.sysroot().to_owned(), "/rust"),
    ]
}

/// Environment variables for cargo and the build scripts of C code.
fn variables(target: BuildTarget, prefixes: &[(PathBuf, &'static str)]) -> [(String, String); 4] {
    let flags = |option: &str, separator: &str| {
        let flags: Vec<_> = prefixes
            .iter()
            .map(|(from, to)| format!("{option}={}={to}", from.display()))
            .collect();
        flags.join(separator)
    };
    let name = target.triple().replace('-', "_");
    let linker = format!("CARGO_TARGET_{}_LINKER", name.to_uppercase());
    [
        (
            "CARGO_ENCODED_RUSTFLAGS".to_owned(),
            flags("--remap-path-prefix", SEPARATOR),
        ),
        (linker, target.compiler().to_owned()),
        (format!("CC_{name}"), target.compiler().to_owned()),
        (format!("CFLAGS_{name}"), flags("-ffile-prefix-map", " ")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_folder_of_this_machine_gets_into_a_program() {
        let rust = Rust::at("/opt/rust");
        let prefixes = prefixes(Path::new("/home/me/payments"), &rust);
        let variables = variables(BuildTarget::Aarch64, &prefixes);
        let value = |name: &str| {
            let found = variables.iter().find(|(variable, _)| variable == name);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        for (name, flag) in [
            ("CARGO_ENCODED_RUSTFLAGS", "--remap-path-prefix"),
            ("CFLAGS_aarch64_unknown_linux_musl", "-ffile-prefix-map"),
        ] {
            for mapped in ["/home/me/payments=/src", "/opt/rust=/rust"] {
                let flag = format!("{flag}={mapped}");
                assert!(value(name).contains(&flag), "{variables:?}");
            }
        }
        let compiler = BuildTarget::Aarch64.compiler();
        let linker = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER";
        assert_eq!(value("CC_aarch64_unknown_linux_musl"), compiler);
        assert_eq!(value(linker), compiler);
    }
}
