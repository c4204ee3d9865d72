//! The packages, made from release binaries: the build for musl is too slow for every run.

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
};

use lab_tasks::release::{
    Commit, Product,
    package::{earlier, products, sums, sums_beside},
    sbom,
    target::BuildTarget,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::root;

const EPOCH: u64 = 1_795_000_000;

fn commit() -> Commit {
    Commit {
        version: "1.2.3".to_owned(),
        epoch: EPOCH,
    }
}

fn packed() -> Vec<Product> {
    let programs = Path::new(env!("CARGO_BIN_EXE_lab-tasks")).parent().unwrap();
    products(root(), programs, BuildTarget::X86_64, &commit()).unwrap()
}

fn product<'a>(products: &'a [Product], name: &str) -> &'a [u8] {
    let names: Vec<_> = products.iter().map(|product| &product.name).collect();
    let product = products.iter().find(|product| product.name == name);
    let product = product.unwrap_or_else(|| panic!("no {name} in {names:?}"));
    &product.content
}

/// Returns mode by path, of an archive whose entries all have the commit's time and belong to root.
fn listed(archive: &[u8]) -> Vec<(String, u32)> {
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let entries = tar.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!(header.mtime().unwrap(), EPOCH);
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        let path = entry.path().unwrap().display().to_string();
        (path, header.mode().unwrap())
    });
    entries.collect()
}

#[test]
fn a_tier_comes_with_its_licence_unit_and_environment_and_the_same_bytes_each_time() {
    let products = packed();
    for program in ["web-tier", "app-tier", "payctl"] {
        let folder = format!("{program}-1.2.3-x86_64");
        let listed = listed(product(&products, &format!("{folder}.tar.gz")));
        let mut expected = vec![(format!("{folder}/LICENSE"), 0o644)];
        expected.push((format!("{folder}/{program}"), 0o755));
        if program != "payctl" {
            expected.push((format!("{folder}/{program}.env.example"), 0o644));
            expected.push((format!("{folder}/{program}.service"), 0o644));
        }
        assert_eq!(listed, expected);
    }
    assert!(products == packed(), "the second packing differs");
}

#[test]
fn the_function_is_one_executable_named_bootstrap() {
    let products = packed();
    let zipped = product(&products, "bootstrap-x86_64.zip");
    let mut zip = zip::ZipArchive::new(Cursor::new(zipped)).unwrap();
    assert_eq!(zip.len(), 1);
    let mut file = zip.by_index(0).unwrap();
    assert_eq!(file.name().unwrap(), "bootstrap");
    assert_eq!(file.unix_mode().unwrap() & 0o777, 0o755);
    let mut program = Vec::new();
    file.read_to_end(&mut program).unwrap();
    let built = Path::new(env!("CARGO_BIN_EXE_lab-tasks")).with_file_name("lambda-ingest");
    assert!(program == fs::read(built).unwrap(), "another program");
}

#[test]
fn the_sums_are_those_that_sha256sum_checks() {
    let mut products = packed();
    products.push(sums(&products));
    let folder = TempDir::new().unwrap();
    for product in &products {
        fs::write(folder.path().join(&product.name), &product.content).unwrap();
    }
    let check = || {
        let mut command = Command::new("sha256sum");
        command.args(["--check", "--strict", "SHA256SUMS"]);
        command.current_dir(folder.path()).output().unwrap()
    };
    let output = check();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{lines}");
    assert_eq!(lines.lines().count(), products.len() - 1);
    fs::write(folder.path().join(&products[0].name), "changed").unwrap();
    assert!(!check().status.success());
}

#[test]
fn the_sums_of_one_target_keep_those_of_another_that_is_still_there() {
    let folder = TempDir::new().unwrap();
    let product = |name: &str| Product {
        name: name.to_owned(),
        content: name.into(),
    };
    let write = |product: &Product| fs::write(folder.path().join(&product.name), &product.content);
    let first = [
        product("a-x86_64"),
        product("b-x86_64"),
        product("c-x86_64"),
    ];
    let listed = sums(&first);
    for product in first.iter().chain([&listed]) {
        write(product).unwrap();
    }
    fs::write(folder.path().join("b-x86_64"), "changed").unwrap();
    fs::remove_file(folder.path().join("c-x86_64")).unwrap();
    let second = [product("a-aarch64")];
    let both = sums_beside(earlier(folder.path(), &second), &second);
    let text = String::from_utf8(both.content).unwrap();
    let names: Vec<_> = text
        .lines()
        .map(|line| line.split_once("  ").unwrap().1)
        .collect();
    assert_eq!(names, ["a-aarch64", "a-x86_64"]);
}

#[test]
fn the_sbom_lists_all_that_is_linked_with_checksums_and_nothing_of_the_tests() {
    let sbom = || sbom::product(root(), &[BuildTarget::X86_64], &commit()).unwrap();
    let product = sbom();
    assert_eq!(product.name, "payment-pipeline-1.2.3.cdx.json");
    let bom: Value = serde_json::from_slice(&product.content).unwrap();
    assert_eq!(bom["metadata"]["timestamp"], "2026-11-18T11:06:40Z");
    let components: BTreeMap<_, _> = bom["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|component| (component["name"].as_str().unwrap(), component))
        .collect();
    for program in ["web-tier", "app-tier", "lambda-ingest", "payctl"] {
        assert_eq!(components[program]["type"], "application");
    }
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for library in ["sqlx", "ring", "axum", "aws-sdk-s3"] {
        let component = components[library];
        let checksum = component["hashes"][0]["content"].as_str().unwrap();
        assert!(lock.contains(checksum), "{component}");
        let purl = component["purl"].as_str().unwrap();
        assert!(purl.starts_with(&format!("pkg:cargo/{library}@")));
        assert!(component["licenses"][0]["expression"].is_string());
    }
    for of_tests in ["proptest", "s3s", "rcgen", "lab"] {
        assert!(!components.contains_key(of_tests), "{of_tests}");
    }
    let edges = bom["dependencies"].as_array().unwrap();
    assert_eq!(edges.len(), bom["components"].as_array().unwrap().len());
    let of_web = edges
        .iter()
        .find(|edge| edge["ref"].as_str().unwrap().contains("/web-tier@"));
    let on = of_web.unwrap()["dependsOn"].to_string();
    assert!(on.contains("pkg:cargo/http-service@"), "{on}");
    assert!(product == sbom(), "the second SBOM differs");
}

/// systemd kills what does not end in time: the drain, requests in flight, and the flush.
#[test]
fn a_unit_waits_for_longer_than_a_tier_drains() {
    for tier in ["web-tier", "app-tier"] {
        let path = root().join(format!("deploy-notes/systemd/{tier}.service"));
        let unit = fs::read_to_string(path).unwrap();
        let value = |name: &str| {
            let line = unit.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("{tier}: no {name}"))
                .to_owned()
        };
        let stop: u64 = value("TimeoutStopSec=").parse().unwrap();
        let drain: u64 = http_service::server::Listen::DRAIN.default.parse().unwrap();
        assert!(stop >= drain + 30, "{tier}: {stop} s");
        assert_eq!(value("ExecStart="), format!("/usr/local/bin/{tier}"));
        assert_eq!(
            value("EnvironmentFile="),
            format!("/etc/fintech/{tier}.env")
        );
        assert_eq!(value("DynamicUser="), "yes");
        assert_eq!(value("CapabilityBoundingSet="), "");
        assert_eq!(value("LogRateLimitIntervalSec="), "0", "a line a request");
    }
}

/// A fake rustc has no standard library at all.
#[test]
fn an_unusable_target_is_reported_with_the_command_that_installs_it() {
    let sysroot = TempDir::new().unwrap();
    let rustc = sysroot.path().join("rustc");
    let script = format!("#!/bin/sh\necho {}\n", sysroot.path().display());
    fs::write(&rustc, script).unwrap();
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_lab-tasks"))
        .args(["dist", "--target", "x86_64-unknown-linux-musl"])
        .env("RUSTC", rustc)
        .env("SOURCE_DATE_EPOCH", EPOCH.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    let fix = "\n    rustup target add x86_64-unknown-linux-musl\n";
    assert!(said.contains(fix), "{said}");
    assert!(
        said.contains("none of the targets can be built on this machine"),
        "{said}"
    );
}
