//! Thousands of seeds hold every promise, and each reproduces exactly.

use sim::many::run_all;
use sim::{Fault, Options, Report, run};

const SEEDS: u64 = 10_000;

#[test]
fn p1_p2_p4_p6_p11_hold_in_thousands_of_seeds_with_every_fault_among_them() {
    let summary = run_all(0..SEEDS, None).unwrap();
    if let Some(Report {
        seed,
        verdict,
        left_out,
        proof,
        ..
    }) = summary.broken
    {
        panic!(
            "seed {seed} is broken; to see it: cargo run --release --bin sim -- --seed {seed}\n{verdict}\n{left_out:#?}{proof:#?}"
        );
    }
    assert_eq!(summary.runs, SEEDS);
    assert_eq!(
        summary.faults.missing(),
        [],
        "each fault occurs:\n{}",
        summary.faults
    );
    // What the promises are about occurs, too.
    assert!(summary.acknowledged > 10 * SEEDS && summary.rows > SEEDS);
    assert!(summary.conflict_rows > 0 && summary.second_yes > 0);
    assert!(summary.acts > SEEDS / 2, "{} acts", summary.acts);
}

#[test]
fn a_seed_comes_again_to_the_letter() {
    for seed in 0..40 {
        let trace = move || {
            let options = Options {
                seed,
                traced: true,
                defect: None,
            };
            run(options).unwrap().trace
        };
        // Another thread would have different randomness, if any were used.
        let again = std::thread::spawn(trace).join().unwrap();
        let first = trace();
        assert!(first.len() > 20, "seed {seed} has a history");
        assert_eq!(first, again, "seed {seed}");
    }
}

#[test]
fn seeds_differ_and_a_fault_is_counted_where_it_occurs() {
    let report = |seed| {
        let options = Options {
            seed,
            traced: true,
            defect: None,
        };
        run(options).unwrap()
    };
    let (one, other) = (report(1), report(2));
    assert_ne!(one.trace, other.trace);
    let lost = |report: &Report| {
        let line = |line: &&String| line.ends_with("fault EventLost");
        report.trace.iter().filter(line).count()
    };
    for report in [one, other] {
        assert_eq!(
            u64::try_from(lost(&report)).unwrap(),
            report.faults.of(Fault::EventLost)
        );
    }
}
