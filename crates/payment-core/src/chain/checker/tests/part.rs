//! A part of the journal for the checker, with what its caller knows of the rest.

use super::*;

pub fn check_span(journal: &Journal, span: Span) -> Summary {
    let mut checker = Checker::new(model::PREFIX, span, None);
    let mut certain = Vec::new();
    for last in last_before(journal, span) {
        checker.note_before(&last);
    }
    let numbers = numbers_before(journal, span);
    for (key, body) in journal {
        let seen = Sighting::of(key, body);
        if let Some(header) = seen.header().filter(|_| !is_before(key, span)) {
            let unconfirmed = header.unconfirmed.iter();
            let unconfirmed = unconfirmed.map(|link| (link.seq, Some(link.key)));
            for (seq, named) in std::iter::once((header.seq, None)).chain(unconfirmed) {
                let same = numbers.get(&(header.run, seq)).into_iter().flatten();
                let is_other = |before: &&Sighting| {
                    let unique = before.key.own_batch().map(|(unique, _)| unique);
                    named.is_none() || unique != named
                };
                same.filter(is_other)
                    .for_each(|before| checker.note_before(before));
            }
        }
        checker.see(seen);
        certain.append(&mut checker.take());
    }
    let mut summary = checker.finish();
    summary.faults.append(&mut certain);
    for fault in &mut summary.faults {
        ask(journal, fault);
    }
    let is_fault = |fault: &Fault| !matches!(fault.what, What::Unseen { .. });
    summary.faults.retain(is_fault);
    summary
}

/// The object of each run with its highest number before the span.
fn last_before(journal: &Journal, span: Span) -> impl Iterator<Item = Sighting> {
    let mut last = BTreeMap::new();
    for (key, body) in journal {
        let seen = Sighting::of(key, body);
        if let Some(header) = seen.header().filter(|_| is_before(key, span)) {
            let of_run = last.entry(header.run).or_insert((header.seq, seen.clone()));
            if of_run.0 <= header.seq {
                *of_run = (header.seq, seen);
            }
        }
    }
    last.into_values().map(|(_, seen)| seen)
}

fn is_before(key: &ObjectKey, span: Span) -> bool {
    let at = key.batch_time();
    span.read.from.is_some_and(|from| at < Some(from))
}

/// The objects before the span by their numbers, as the ledger has them.
fn numbers_before(journal: &Journal, span: Span) -> BTreeMap<(RunId, u64), Vec<Sighting>> {
    let mut numbers: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (key, body) in journal.iter().filter(|(key, _)| is_before(key, span)) {
        let seen = Sighting::of(key, body);
        if let Some(header) = seen.header() {
            let number = (header.run, header.seq);
            numbers.entry(number).or_default().push(seen.clone());
        }
    }
    numbers
}

/// What the journal says of an object outside the span that is named in it.
fn ask(journal: &Journal, fault: &mut Fault) {
    let What::Unseen {
        by,
        expected,
        is_confirmed,
    } = fault.what.clone()
    else {
        return;
    };
    match journal.get(&fault.object) {
        None if !is_confirmed => {}
        None => fault.what = What::Missing { by, expected },
        Some(body) if ObjectHash::of(body) != expected => {
            fault.what = What::Changed { by, expected };
        }
        Some(_) => {}
    }
}

/// The parts of the journal before and behind a moment.
pub fn parts(cut: i64) -> [Span; 2] {
    let cut = Some(at(START + cut));
    let part = |from, to| Span::around(Window { from, to });
    [part(None, cut), part(cut, None)]
}

/// The objects that are named in one of two parts.
pub fn accused_in_parts(journal: &Journal, cut: i64) -> BTreeSet<ObjectKey> {
    accused_in(journal, parts(cut).into_iter())
}

/// The objects that are named in one of the first hours.
pub fn accused_in_hours(journal: &Journal, hours: i64) -> BTreeSet<ObjectKey> {
    let begin = |hour| Some(at(START + hour * 3_600_000));
    let hours = (0..hours).map(|hour| {
        Span::around(Window {
            from: begin(hour),
            to: begin(hour + 1),
        })
    });
    accused_in(journal, hours)
}

fn accused_in(journal: &Journal, spans: impl Iterator<Item = Span>) -> BTreeSet<ObjectKey> {
    let faults = spans.flat_map(|span| check_span(journal, span).faults);
    let known = faults.filter(|fault| !fault.what.is_unknown());
    known.map(|fault| fault.object).collect()
}
