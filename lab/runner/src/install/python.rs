//! Python packages that the lab uses, each list in a virtual environment of its own.
//!
//! An environment is created once, and again when its list changes. Commands and tests that need the same one wait for
//! the first of them.

use std::{
    borrow::Cow,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};

use super::{Need, find, install, program, remove_dir, run_shown};

/// Pinned requirements, in pip's format.
#[derive(Clone, Debug)]
pub struct Packages {
    /// Name of the environment's folder.
    pub name: Cow<'static, str>,
    /// One `name==version` per line.
    pub list: Cow<'static, str>,
    /// Whether to install dependencies too, instead of only the packages' own files.
    pub whole: bool,
}

/// The AWS CLI and moto, which simulates AWS: programs `aws` and `moto_server`.
pub const AWS: Packages = Packages {
    name: Cow::Borrowed("moto"),
    list: Cow::Borrowed(include_str!("../../python/aws.txt")),
    whole: true,
};

/// AWS's Runtime Interface Emulator, which is part of SAM's command line package: see [`emulator`].
pub const EMULATOR: Packages = Packages {
    name: Cow::Borrowed("rie"),
    list: Cow::Borrowed(include_str!("../../python/rie.txt")),
    whole: false,
};

/// A virtual environment with its packages.
#[derive(Clone, Debug)]
pub struct Venv(PathBuf);

impl Venv {
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// Returns the path of a program from one of the packages, or of `python`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }
}

/// Creates the environment under `tools`, if it does not exist yet.
pub fn venv(tools: &Path, packages: &Packages) -> Result<Venv> {
    let dir = tools.join(&*packages.name);
    let failed = || format!("cannot use {}", dir.display());
    fs::create_dir_all(tools).with_context(failed)?;
    let lock = File::create(dir.with_extension("lock")).with_context(failed)?;
    lock.lock().with_context(failed)?;
    let installed = dir.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|list| list == packages.list) {
        return Ok(Venv(dir));
    }
    let python = python()?;
    remove_dir(&dir).with_context(failed)?;
    run_shown(Command::new(python).args(["-m", "venv"]).arg(&dir))?;
    let wanted = dir.join("requirements.txt");
    fs::write(&wanted, &*packages.list).with_context(failed)?;
    let venv = Venv(dir.clone());
    let mut pip = Command::new(venv.program("python"));
    pip.args(["-m", "pip", "install", "--quiet"]);
    pip.arg("--disable-pip-version-check");
    if !packages.whole {
        pip.arg("--no-deps");
    }
    run_shown(pip.arg("-r").arg(&wanted))?;
    fs::rename(wanted, installed).with_context(failed)?;
    Ok(venv)
}

/// Returns AWS's Runtime Interface Emulator for this machine's architecture.
pub fn emulator(tools: &Path) -> Result<PathBuf> {
    let venv = venv(tools, &EMULATOR)?;
    let arch = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    let libraries = venv.dir().join("lib");
    let failed = || format!("cannot use {}", libraries.display());
    // lib/python3.x, whichever version.
    for version in fs::read_dir(&libraries).with_context(failed)? {
        let packages = version.with_context(failed)?.path().join("site-packages");
        let program = packages.join(format!("samcli/local/rapid/aws-lambda-rie-{arch}"));
        if program.is_file() {
            executable(&program).with_context(failed)?;
            return Ok(program);
        }
    }
    Err(io::Error::from(io::ErrorKind::NotFound)).with_context(failed)
}

/// Makes a program executable, because pip does not keep the mode of package data.
fn executable(program: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))
}

/// Returns a Python that can create environments: on Debian that needs a separate package.
fn python() -> Result<PathBuf> {
    let python = program("python3")?;
    let mut probe = Command::new(&python);
    probe.args(["-c", "import ensurepip, venv"]);
    let able = probe.stderr(Stdio::null()).status();
    if !able.is_ok_and(|status| status.success()) && find("apt-get").is_some() {
        install(&[Need::Program("python3-venv")], false)?;
    }
    Ok(python)
}
