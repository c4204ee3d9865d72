//! Single journals, each with one thing in it.

use super::*;

/// What is seen begins behind the end.
#[test]
fn p11_what_follows_an_end_before_the_range_is_named() {
    let (run, node) = (RunId::new(model::uuid(START, 1)).unwrap(), Node::new(1));
    let header = |seq, end| Header {
        run,
        node,
        seq,
        clock: at(START),
        confirmed: Vec::new(),
        unconfirmed: Vec::new(),
        end,
    };
    let sighting = |header: &Header, hours: i64| {
        let key = key(START + hours * 3_600_000, u128::from(header.seq), node);
        Sighting::of(&key, header.to_line().as_bytes())
    };
    let hour = Window {
        from: Some(at(START + 3_600_000)),
        to: None,
    };
    let mut checker = Checker::new(model::PREFIX, Span::around(hour), None);
    checker.note_before(&sighting(&header(7, true), 0));
    checker.see(sighting(&header(8, false), 1));
    let summary = checker.finish();
    let end = sighting(&header(7, true), 0).key;
    let after = What::Inserted(Inserted::AfterEnd(end));
    assert_eq!(summary.open, []);
    let what = summary.faults.into_iter().map(|fault| fault.what);
    assert_eq!(what.collect::<Vec<_>>(), [after]);
    // The end itself is what somebody forged, under a number that the run has later.
    let mut checker = Checker::new(model::PREFIX, Span::around(hour), None);
    let end = sighting(&header(7, true), 0);
    checker.note_before(&end);
    let (seventh, key) = (sighting(&header(7, false), 1), end.key);
    let mut eighth = header(8, false);
    eighth.clock = at(START + 3_600_000);
    eighth.confirmed = vec![Link {
        seq: 7,
        key: seventh.key.own_batch().unwrap().0,
        sha256: seventh.sha256().unwrap(),
    }];
    checker.see(seventh);
    checker.see(sighting(&eighth, 1));
    let named = checker.finish().faults.into_iter();
    let named: Vec<_> = named.map(|fault| fault.object).collect();
    assert_eq!(named, [key]);
}

/// A name is no more than a name: whoever takes that of a run says nothing of the run.
#[test]
fn p11_another_run_of_the_same_node_hides_nothing_of_the_first() {
    let mut chain = chain_of(4, |seq| (START + i64::try_from(seq).unwrap(), seq.into()));
    let (gone, _) = chain.remove(2);
    let (run, node) = (RunId::new(model::uuid(START, 2)).unwrap(), Node::new(1));
    let mut checker = Checker::new(model::PREFIX, Span::default(), None);
    for (key, body) in &chain {
        checker.see(Sighting::of(key, body));
    }
    let forged = Header {
        run,
        node,
        seq: 0,
        clock: at(START + 9),
        confirmed: Vec::new(),
        unconfirmed: Vec::new(),
        end: false,
    };
    let key = key(START + 9, 9, node);
    checker.see(Sighting::of(&key, forged.to_line().as_bytes()));
    let faults = checker.finish().faults.into_iter();
    let known = faults.filter(|fault| !fault.what.is_unknown());
    let named: BTreeSet<_> = known.map(|fault| (fault.object, fault.run)).collect();
    let first = RunId::new(model::uuid(START, 1));
    assert_eq!(named, [(gone, first), (key, Some(run))].into());
}

fn see_all(checker: &mut Checker, keys: &[ObjectKey]) {
    for key in keys {
        checker.see(Sighting::of(key, b"{\"v\":1}\n"));
    }
}

#[test]
fn p11_a_batch_without_a_header_is_a_fault_if_the_chain_began_before_the_range() {
    let keys = [key(START, 7, Node::new(1))];
    let mut checker = Checker::new(model::PREFIX, Span::default(), None);
    see_all(&mut checker, &keys);
    assert_eq!(checker.take(), []);
    let mut checker = Checker::new(model::PREFIX, Span::default(), None);
    checker.note_chain(at(START - 1));
    see_all(&mut checker, &keys);
    let faults = checker.take();
    assert_eq!(faults[0].what, What::Unchained);
    assert_eq!(checker.finish().chained_since, Some(at(START - 1)));
}

/// Keys that no tier makes: the folder says when they are from.
#[test]
fn p11_a_batch_named_unlike_a_tiers_is_a_fault_once_there_is_a_chain() {
    let own = key(START, 7, Node::new(1)).to_string();
    let (folder, name) = own.rsplit_once('/').unwrap();
    let misnamed = [
        format!("{folder}/2f0a3a9e-6e0b-4c3d-9d3a-0123456789ab-00000001.ndjson"),
        format!("{folder}/2f0a3a9e-6e0b-1c3d-9d3a-0123456789ab-00000001.ndjson"),
        format!("{}/{name}", folder.replace("hh=07", "hh=08")),
        format!("{}/{name}", folder.replace("hh=07", "hh=77")),
        format!("{folder}/{}", name.replace("-00000001", "-node")),
        format!(
            "{folder}/{}",
            name.to_uppercase().replace(".NDJSON", ".ndjson")
        ),
        format!("{}/{name}", folder.replace("dt=", "other/dt=")),
    ]
    .map(|key| ObjectKey::parse(&key).unwrap());
    let hour = |hours: i64| Some(at(START + 3_600_000 * hours));
    let window = |from, to| Window { from, to };
    for (chain_from, judged, expected) in [
        (None, Window::default(), 0),
        (hour(0), Window::default(), 7),
        (hour(0), window(hour(0), hour(2)), 7),
        (hour(0), window(hour(1), hour(2)), 2),
        // One is in no hour.
        (hour(2), window(hour(0), hour(2)), 1),
    ] {
        let mut checker = Checker::new(model::PREFIX, Span::around(judged), chain_from);
        see_all(&mut checker, &misnamed);
        let faults = checker.take();
        let what = |fault: &Fault| fault.what == What::Inserted(Inserted::Hour);
        assert!(faults.iter().all(what), "{faults:?}");
        assert_eq!(faults.len(), expected, "{chain_from:?} {judged:?}");
    }
}

/// It says nothing of how far the journal was seen.
#[test]
fn p11_a_key_with_a_time_to_come_makes_no_object_missing() {
    let life = model::life(40).new_tree(&mut TestRunner::deterministic());
    let left = [live(1, &life.unwrap().current())];
    let mut journal = journal(&left);
    let ahead = key(START + 1_000_000_000, 7, Node::new(1)).to_string();
    let (_, name) = ahead.rsplit_once('/').unwrap();
    let early = ObjectKey::hour_prefix(model::PREFIX, at(START - 3_600_000));
    let forged = ObjectKey::parse(&format!("{early}{name}")).unwrap();
    journal.insert(forged.clone(), b"{\"v\":3,\n".to_vec());
    assert_eq!(accused(&journal), keys([&forged]));
}

/// A run of which each object names the one before; the time and the unique number of each by its own number.
fn chain_of(objects: u64, name: impl Fn(u64) -> (i64, u128)) -> Vec<(ObjectKey, Vec<u8>)> {
    let (run, node) = (RunId::new(model::uuid(START, 1)).unwrap(), Node::new(1));
    let mut confirmed = Vec::new();
    let mut chain = Vec::new();
    for seq in 0..objects {
        let (millis, unique) = name(seq);
        let header = Header {
            run,
            node,
            seq,
            clock: at(millis),
            confirmed: std::mem::take(&mut confirmed),
            unconfirmed: Vec::new(),
            end: false,
        };
        let body = header.to_line().into_bytes();
        confirmed.push(Link {
            seq,
            key: model::uuid(millis, unique),
            sha256: ObjectHash::of(&body),
        });
        chain.push((key(millis, unique, node), body));
    }
    chain
}

/// The keys of one moment are in no order: an object may be seen long before the one whose header names it.
#[test]
fn p11_objects_of_one_moment_are_in_any_order() {
    let chain = chain_of(600, |seq| {
        let hour = i64::try_from(seq / 100).unwrap();
        (START + hour * 3_600_000, u128::from(1000 - seq))
    });
    assert_eq!(check(&chain.into_iter().collect()).faults, []);
}

#[test]
fn p11_what_a_hole_leaves_unvouched_is_told_as_one_span() {
    // All of a minute, and one an hour later.
    let chain = chain_of(2000, |seq| {
        let pause = if seq == 1999 { 3_600_000 } else { 0 };
        let millis = START + 10 * i64::try_from(seq).unwrap() + pause;
        (millis, seq.into())
    });
    let mut journal: Journal = chain.iter().cloned().collect();
    for (hole, expected) in [
        (1500, vec![(0, 1499, 1500)]),
        // Restored, and another one is gone.
        (2, vec![(0, 1, 2)]),
    ] {
        let (key, body) = &chain[hole];
        journal.remove(key);
        let summary = check(&journal);
        assert_eq!(unvouched(&summary), expected);
        assert_eq!(summary.faults.len(), 2);
        let span = summary.faults.iter().find(|fault| fault.what.is_unknown());
        let span = span.unwrap();
        assert_eq!((&span.object, span.seq), (&chain[0].0, Some(0)));
        let What::Unvouched(what) = &span.what else {
            panic!("{span:?}")
        };
        assert_eq!(what.last_object, chain[hole - 1].0);
        journal.insert(key.clone(), body.clone());
    }
    // Numbers of which nothing is left belong to the span around them.
    for gone in [1500, 1000, 1001] {
        journal.remove(&chain[gone].0);
    }
    assert_eq!(unvouched(&check(&journal)), [(0, 1499, 1498)]);
}

#[test]
fn p11_a_forged_header_with_the_highest_number_is_named() {
    let mut chain = chain_of(3, |seq| (START + i64::try_from(seq).unwrap(), seq.into()));
    let (key, body) = chain.pop().unwrap();
    let line = String::from_utf8(body).unwrap();
    let forged = line.replace("\"seq\":2,\"", &format!("\"seq\":{},\"", u64::MAX));
    assert_ne!(forged, line);
    let mut journal: Journal = chain.into_iter().collect();
    journal.insert(key.clone(), forged.into_bytes());
    assert_eq!(accused(&journal), keys([&key]));
}

/// Behind the last object of a run that was killed: nothing vouches for what is forged there either.
#[test]
fn p11_a_forged_last_header_alone_calls_no_object_forged() {
    let mut chain = chain_of(4, |seq| (START + i64::try_from(seq).unwrap(), seq.into()));
    let journal: Journal = chain.iter().cloned().collect();
    assert_eq!(check(&journal).faults, []);
    let (genuine, _) = chain.pop().unwrap();
    let (_, before) = &chain[2];
    let run = Header::parse(before).unwrap();
    let minutes = 2 * 60_000;
    let other = Link {
        seq: 3,
        key: model::uuid(START + 4, 4),
        sha256: ObjectHash::of(b"never"),
    };
    for (unconfirmed, end) in [(Vec::new(), false), (vec![other], true)] {
        let header = Header {
            seq: 4,
            clock: at(START + minutes),
            confirmed: Vec::new(),
            unconfirmed,
            end,
            ..run
        };
        let forged = key(START + minutes, 9, run.node);
        let mut journal = journal.clone();
        journal.insert(forged.clone(), header.to_line().into_bytes());
        let faults = check(&journal).faults;
        let known = faults.iter().filter(|fault| !fault.what.is_unknown());
        let what: Vec<_> = known.map(|fault| (&fault.object, &fault.what)).collect();
        assert_eq!(what[0].0, &genuine, "{end}");
        let names_it = |what: &What| what.to_string().contains(forged.as_str());
        assert!(what.iter().all(|(_, what)| names_it(what)), "{what:?}");
    }
}

/// The run goes on after a night; somebody took its node's name meanwhile.
#[test]
fn p11_a_run_goes_on_behind_another_of_the_same_node() {
    let hours = |hours: i64| START + hours * 3_600_000;
    let chain = chain_of(8, |seq| {
        let seconds = i64::try_from(seq).unwrap() * 1000;
        (hours(if seq < 4 { 0 } else { 4 }) + seconds, seq.into())
    });
    let mut journal: Journal = chain.into_iter().collect();
    let first = Header::parse(journal.values().next().unwrap()).unwrap();
    let other = Header {
        run: RunId::new(model::uuid(hours(2), 2)).unwrap(),
        clock: at(hours(2)),
        ..first
    };
    let forged = key(hours(2), 9, other.node);
    journal.insert(forged, other.to_line().into_bytes());
    assert_eq!(check(&journal).faults, []);
}

/// Each object has the key of an hour before the one that it names, but for the first thousand.
#[test]
fn p11_a_clock_that_is_set_back_makes_no_object_missing() {
    let chain = chain_of(1400, |seq| {
        let hour = if seq < 1100 { 3_600_000 } else { 0 };
        (START + hour + i64::try_from(seq).unwrap() * 100, seq.into())
    });
    let journal: Journal = chain.into_iter().collect();
    assert_eq!(check(&journal).faults, []);
    for minutes in [-10, 1, 2, 30, 59, 61, 90] {
        let cut = minutes * 60_000;
        assert_eq!(
            accused_in_parts(&journal, cut),
            BTreeSet::new(),
            "{minutes}"
        );
    }
}
