//! Selects the tests to run: with nextest if it is installed, otherwise with cargo's own runner.

use lab_runner::{install, output, vpc};

use crate::cli;

/// Packages that differences of MySQL can break.
const OF_THE_DATABASE: [&str; 3] = ["payment-store", "lambda-ingest", "database-login"];

/// Tests of one payment through every part.
const END_TO_END: &str = "round_trip::";

/// Whether the tests run programs of the pipeline and the lab. Cargo builds no programs of other packages for a test.
pub(super) fn needs_programs(args: &cli::Test) -> bool {
    let packages = &args.packages;
    packages.is_empty() || packages.iter().any(|name| name.starts_with("lab"))
}

/// Arguments for the requested tests. Long ones are skipped unless requested: `.config/nextest.toml` lists them.
pub(super) fn of(args: &cli::Test) -> Vec<String> {
    let impossible = vpc::is_possible().err();
    if let Some(reason) = &impossible {
        output::warn(format_args!("! the tests of the VPC are not run: {reason}"));
    }
    let mut arguments = if has_nextest() {
        by_nextest(args, impossible.is_some())
    } else {
        by_cargo(args, impossible.is_some())
    };
    arguments.extend_from_slice(&args.filters);
    arguments
}

fn by_nextest(args: &cli::Test, without_vpc: bool) -> Vec<String> {
    let mut arguments = words("nextest run --release");
    arguments.extend(packages(&args.packages));
    if args.full || !args.filters.is_empty() || !args.packages.is_empty() {
        arguments.push("--ignore-default-filter".to_owned());
    }
    if without_vpc {
        let filter = "not (package(lab) and test(/^vpc::/))";
        arguments.extend(["-E", filter].map(str::to_owned));
    }
    arguments
}

fn by_cargo(args: &cli::Test, without_vpc: bool) -> Vec<String> {
    let mut arguments = words("test --release");
    arguments.extend(packages(&args.packages));
    arguments.push("--".to_owned());
    if without_vpc {
        arguments.extend(words("--skip vpc::"));
    }
    arguments
}

fn packages(names: &[String]) -> Vec<String> {
    if names.is_empty() {
        return words("--workspace");
    }
    let package = |name: &String| ["-p".to_owned(), name.clone()];
    names.iter().flat_map(package).collect()
}

/// Arguments for the tests that differences of MySQL can break.
pub(super) fn of_the_database() -> Vec<String> {
    if has_nextest() {
        let packages = OF_THE_DATABASE.map(|name| format!("package({name})"));
        let end_to_end = format!("(package(lab) and test(/^{END_TO_END}/))");
        let filter = format!("{} or {end_to_end}", packages.join(" or "));
        // The whole workspace, whatever the filter: with fewer packages cargo chooses other features and compiles
        // again.
        let mut arguments = words("nextest run --release --workspace --ignore-default-filter -E");
        arguments.push(filter);
        return arguments;
    }
    let packages = OF_THE_DATABASE.map(|name| format!("-p {name}"));
    words(&format!("test --release {}", packages.join(" ")))
}

fn has_nextest() -> bool {
    install::find("cargo-nextest").is_some()
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}
