//! Promise P11: what the nodes wrote proves itself, and what somebody does to it afterwards is found.

mod sabotage;

use std::collections::BTreeMap;

use bytes::Bytes;
use payment_core::ObjectKey;
use payment_core::chain::checker::{Checker, Content, Sighting, Span};
use payment_store::Fingerprint;

use self::sabotage::Saboteur;
use crate::bucket::Bucket;
use crate::database::Recorded;
use crate::run::PREFIX;

/// What journal and ledger have of the batches of this system.
#[derive(Debug, Clone, Default)]
struct Evidence {
    journal: BTreeMap<ObjectKey, Bytes>,
    ledger: BTreeMap<ObjectKey, Fingerprint>,
}

/// What the check of one run found.
#[derive(Debug, Default)]
pub struct Proof {
    /// Objects that are accused wrongly, and acts that were not found.
    pub broken: Vec<String>,
    /// Acts of the saboteur.
    pub acts: u64,
}

/// Checks what the nodes left, and then what a saboteur makes of it.
pub fn check(seed: u64, bucket: &Bucket, recorded: &Recorded) -> Proof {
    let evidence = Evidence::of(bucket, recorded);
    let mut broken: Vec<_> = evidence
        .faults()
        .into_iter()
        .map(|(key, why)| format!("{key} is accused of what nobody did: {why}"))
        .collect();
    let acts = Saboteur::new(seed).acts(&evidence);
    let count = acts.len();
    for act in acts {
        let faults = act.evidence.faults();
        for key in act.found_by {
            if !faults.iter().any(|(accused, _)| *accused == key) {
                broken.push(format!("{} {key} is not found: {faults:?}", act.name));
            }
        }
    }
    Proof {
        broken,
        acts: u64::try_from(count).unwrap_or(u64::MAX),
    }
}

impl Evidence {
    fn of(bucket: &Bucket, recorded: &Recorded) -> Self {
        let objects = bucket.all().into_iter();
        let own = objects.filter(|object| object.key.is_own_batch());
        let entries = recorded.objects.iter().filter_map(|(version, entry)| {
            let key = ObjectKey::parse(&version.key)?;
            key.is_own_batch().then_some((key, entry.1))
        });
        Self {
            journal: own.map(|object| (object.key, object.body)).collect(),
            ledger: entries.collect(),
        }
    }

    /// What chain and ledger name, by object. What is only unknown, because of another fault, is left out.
    fn faults(&self) -> Vec<(ObjectKey, String)> {
        let mut checker = Checker::new(PREFIX, Span::default(), None);
        let mut faults = Vec::new();
        for (key, body) in &self.journal {
            let sighting = Sighting::of(key, body);
            if self.ledger.get(key) != Some(&fingerprint(&sighting, body)) {
                faults.push((key.clone(), "the ledger has another".to_owned()));
            }
            checker.see(sighting);
        }
        let gone = self
            .ledger
            .keys()
            .filter(|key| !self.journal.contains_key(key));
        faults.extend(gone.map(|key| (key.clone(), "the ledger has it alone".to_owned())));
        let certain = checker.take();
        let named = certain.into_iter().chain(checker.finish().faults);
        let known = named.filter(|fault| !fault.what.is_unknown());
        faults.extend(known.map(|fault| (fault.object, fault.what.to_string())));
        faults
    }
}

/// What the function records of an object.
fn fingerprint(sighting: &Sighting, body: &[u8]) -> Fingerprint {
    let position = match &sighting.content {
        Content::Header { header, .. } => Some(header.position()),
        _ => None,
    };
    Fingerprint {
        sha256: Some(payment_core::chain::ObjectHash::of(body)),
        position,
    }
}
