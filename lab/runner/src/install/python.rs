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

use super::{Error, Need, find, install, program, remove_dir, run_shown};

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
pub fn venv(tools: &Path, packages: &Packages) -> Result<Venv, Error> {
    let dir = tools.join(&*packages.name);
    let failed = |source| Error::Folder {
        path: dir.clone(),
        source,
    };
    fs::create_dir_all(tools).map_err(failed)?;
    let lock = File::create(dir.with_extension("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let installed = dir.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|list| list == packages.list) {
        return Ok(Venv(dir));
    }
    let python = python()?;
    remove_dir(&dir).map_err(failed)?;
    run_shown(Command::new(python).args(["-m", "venv"]).arg(&dir))?;
    let wanted = dir.join("requirements.txt");
    fs::write(&wanted, &*packages.list).map_err(failed)?;
    let venv = Venv(dir.clone());
    let mut pip = Command::new(venv.program("python"));
    pip.args(["-m", "pip", "install", "--quiet"]);
    pip.arg("--disable-pip-version-check");
    if !packages.whole {
        pip.arg("--no-deps");
    }
    run_shown(pip.arg("-r").arg(&wanted))?;
    fs::rename(wanted, installed).map_err(failed)?;
    Ok(venv)
}

/// Returns AWS's Runtime Interface Emulator for this machine's architecture.
pub fn emulator(tools: &Path) -> Result<PathBuf, Error> {
    let venv = venv(tools, &EMULATOR)?;
    let arch = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    let libraries = venv.dir().join("lib");
    let lacking = |source| Error::Folder {
        path: libraries.clone(),
        source,
    };
    // lib/python3.x, whichever version.
    for version in fs::read_dir(&libraries).map_err(lacking)? {
        let packages = version.map_err(lacking)?.path().join("site-packages");
        let program = packages.join(format!("samcli/local/rapid/aws-lambda-rie-{arch}"));
        if program.is_file() {
            executable(&program).map_err(lacking)?;
            return Ok(program);
        }
    }
    Err(lacking(io::ErrorKind::NotFound.into()))
}

/// Makes a program executable, because pip does not keep the mode of package data.
fn executable(program: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))
}

/// Returns a Python that can create environments: on Debian that needs a separate package.
fn python() -> Result<PathBuf, Error> {
    let python = program("python3")?;
    let mut probe = Command::new(&python);
    probe.args(["-c", "import ensurepip, venv"]);
    let able = probe.stderr(Stdio::null()).status();
    if !able.is_ok_and(|status| status.success()) && find("apt-get").is_some() {
        install(&[Need::Program("python3-venv")], false)?;
    }
    Ok(python)
}
