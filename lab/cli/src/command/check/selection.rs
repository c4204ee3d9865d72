//! Which tests run, under nextest where it is installed, else under cargo's own runner.

use lab_runner::{install, output, vpc};

/// Packages that MySQL's differences can break.
const OF_THE_DATABASE: [&str; 3] = ["payment-store", "lambda-ingest", "database-login"];

/// Tests of one payment through every part.
const END_TO_END: &str = "round_trip::";

/// Arguments for all tests, or for those that were asked for.
pub(super) fn all(filters: &[String]) -> Vec<String> {
    let impossible = vpc::is_possible().err();
    if let Some(reason) = &impossible {
        output::warn(format_args!("! the tests of the VPC are not run: {reason}"));
    }
    let mut arguments = if has_nextest() {
        nextest(impossible.map(|_| "not (package(lab) and test(/^vpc::/))"))
    } else {
        let skip = impossible.map_or("", |_| "--skip vpc::");
        words(&format!("test --release --workspace -- {skip}"))
    };
    arguments.extend_from_slice(filters);
    arguments
}

/// Arguments for the tests that MySQL's differences can break.
pub(super) fn of_the_database() -> Vec<String> {
    if has_nextest() {
        let packages = OF_THE_DATABASE.map(|name| format!("package({name})"));
        let end_to_end = format!("(package(lab) and test(/^{END_TO_END}/))");
        return nextest(Some(&format!("{} or {end_to_end}", packages.join(" or "))));
    }
    let packages = OF_THE_DATABASE.map(|name| format!("-p {name}"));
    words(&format!("test --release {}", packages.join(" ")))
}

fn has_nextest() -> bool {
    install::find("cargo-nextest").is_some()
}

/// The whole workspace, whatever is filtered: a choice of packages would choose other features, and compile anew.
fn nextest(filter: Option<&str>) -> Vec<String> {
    let mut arguments = words("nextest run --release --workspace");
    if let Some(filter) = filter {
        arguments.extend(["-E".to_owned(), filter.to_owned()]);
    }
    arguments
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}
