//! `cargo lab dist`: builds what is shipped, under `target/dist`.

use std::{env, fs, path::Path, process::ExitCode, time::Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::Args;
use lab_runner::{install, output, workspace::Workspace};
use tokio::process::Command;

use crate::release::{
    Commit, Product, build,
    package::{check_size, earlier, products, sums_beside},
    rust::Rust,
    sbom,
    target::{BuildTarget, MissingTool},
};

#[derive(Debug, Args)]
pub struct Dist {
    /// Target to build for; may be repeated [default: all that this machine can build for]
    #[arg(long, value_enum, value_name = "TRIPLE")]
    pub target: Vec<BuildTarget>,
    /// Install missing build tools
    #[arg(long)]
    pub install: bool,
}

/// Builds for the given targets; without any, for all that this machine can build for.
pub async fn run(args: &Dist, workspace: &Workspace) -> Result<ExitCode> {
    let root = workspace.root();
    let commit = Commit {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        epoch: epoch(root).await?,
    };
    let rust = Rust::find(workspace).await?;
    let wanted = if args.target.is_empty() {
        &BuildTarget::ALL
    } else {
        args.target.as_slice()
    };
    let targets = buildable(wanted, args.install, &rust)?;
    let mut shipped = Vec::new();
    for &target in &targets {
        let started = Instant::now();
        let programs = build::programs(workspace, &rust, target, commit.epoch);
        let programs = programs.await?;
        shipped.extend(products(root, &programs, target, &commit)?);
        output::done("built", target, started.elapsed());
    }
    check_size(&shipped)?;
    shipped.push(sbom::product(root, &targets, &commit)?);
    let folder = root.join("target/dist");
    shipped.push(sums_beside(earlier(&folder, &shipped), &shipped));
    write(&folder, &shipped)?;
    tell(&folder, &shipped);
    match args.target.iter().find(|target| !targets.contains(target)) {
        Some(missing) => bail!("cannot build for {missing} on this machine"),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Returns the targets that can be built for here. What is missing for the others is installed or reported.
fn buildable(wanted: &[BuildTarget], may_install: bool, rust: &Rust) -> Result<Vec<BuildTarget>> {
    for tool in wanted.iter().flat_map(|target| target.missing_tools(rust)) {
        let command = tool.command();
        if may_install {
            output::say(format_args!("installing: {command}"));
            install::run(&command)?;
        } else {
            output::warn(not_installed(tool, &command));
        }
    }
    let targets = wanted.iter().copied();
    let targets: Vec<_> = targets
        .filter(|target| target.missing_tools(rust).is_empty())
        .collect();
    ensure!(
        !targets.is_empty(),
        "none of the targets can be built on this machine"
    );
    Ok(targets)
}

fn not_installed(tool: MissingTool, command: &str) -> String {
    format!(
        "{tool} is not installed; install it with\n\n    {command}\n\nor let the lab do so: cargo lab dist --install\n"
    )
}

/// Returns the time of the last commit, or `SOURCE_DATE_EPOCH`.
async fn epoch(root: &Path) -> Result<u64> {
    if let Ok(text) = env::var("SOURCE_DATE_EPOCH") {
        let seconds = text.parse();
        return seconds.map_err(|_| {
            anyhow!("SOURCE_DATE_EPOCH={text} is not a number of seconds since 1970")
        });
    }
    let mut git = Command::new("git");
    git.current_dir(root).args(["log", "-1", "--format=%ct"]);
    let output = git.output().await.ok();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.and_then(|text| text.trim().parse().ok()).context(
        "cannot tell the time of the last commit; run this in a git work tree, or set SOURCE_DATE_EPOCH to seconds \
         since 1970",
    )
}

fn write(folder: &Path, products: &[Product]) -> Result<()> {
    let failed = |path: &Path| format!("cannot write {}", path.display());
    fs::create_dir_all(folder).with_context(|| failed(folder))?;
    for product in products {
        let path = folder.join(&product.name);
        fs::write(&path, &product.content).with_context(|| failed(&path))?;
    }
    Ok(())
}

fn tell(folder: &Path, products: &[Product]) {
    output::say(format_args!("{}:", folder.display()));
    for product in products {
        let bytes = product.content.len();
        output::say(format_args!("  {:<36} {bytes:>9} bytes", product.name));
    }
}
