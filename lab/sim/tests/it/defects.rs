//! Promises broken on purpose are detected, within few seeds.

use sim::Defect;
use sim::many::run_all;
use verdict::BreachKind;

/// Each defect is found within this many seeds.
const SEEDS: u64 = 300;

fn found(defect: Defect) -> Vec<BreachKind> {
    let broken = run_all(0..SEEDS, Some(defect)).unwrap().broken;
    let report = broken.unwrap_or_else(|| panic!("{defect:?} is not found in {SEEDS} seeds"));
    let mut kinds: Vec<_> = report.verdict.broken.iter().map(|b| b.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

#[test]
fn p1_an_accepted_payment_missing_from_the_log_is_found() {
    let kinds = found(Defect::YesWithoutStoring);
    let fits = |kind| matches!(kind, BreachKind::Lost | BreachKind::ConflictMissing);
    assert!(!kinds.is_empty() && kinds.into_iter().all(fits));
}

#[test]
fn p2_a_table_without_its_unique_key_is_found() {
    assert!(found(Defect::NoUniqueKey).contains(&BreachKind::Doubled));
}

#[test]
fn p2_an_object_that_is_marked_as_taken_without_its_rows_is_found() {
    let kinds = found(Defect::TakenWithoutRows);
    let fits = |kind| matches!(kind, BreachKind::Lost | BreachKind::ConflictMissing);
    assert!(kinds.into_iter().all(fits));
}

#[test]
fn p10_an_id_that_one_client_takes_from_another_is_found() {
    // Beside others in one object, such a line may be a row and a conflict.
    let kinds = found(Defect::ClientIgnored);
    let fits = |kind| {
        matches!(
            kind,
            BreachKind::Lost | BreachKind::Doubled | BreachKind::ConflictMissing
        )
    };
    assert!(kinds.into_iter().all(fits));
}

#[test]
fn p4_a_conflict_that_passes_for_a_repeat_is_found() {
    // If neither payment was accepted, the line that is not recorded shows it.
    let kinds = found(Defect::AnyContentIsTheSame);
    assert!(
        kinds
            .into_iter()
            .all(|kind| kind == BreachKind::ConflictMissing)
    );
}
