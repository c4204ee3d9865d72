//! What there is to sabotage: the objects of the journal, and the rows that were made of them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use payment_core::{
    LogRecord, ObjectKey, Timestamp,
    chain::{Header, ObjectHash},
    object::{read_header, read_object},
};

use super::act::Accused;

/// An object of the journal as the tiers left it.
#[derive(Clone, Debug)]
pub struct Object {
    pub key: ObjectKey,
    pub body: String,
    pub header: Option<Header>,
    /// Its payments, by line.
    pub records: BTreeMap<u32, LogRecord>,
    /// Lines that are no payment.
    pub has_rejects: bool,
    /// A stored header names it, with its hash: the chain vouches for it, whatever ledger and rows say.
    pub is_settled: bool,
}

/// A row of `transactions` or `conflicts`.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: u64,
    pub client: String,
    pub payment_id: String,
    pub object_key: String,
    pub has_amount: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Journal {
    pub objects: Vec<Object>,
    pub rows: Vec<Row>,
    pub conflicts: Vec<Row>,
    /// Numbers and object keys of the rows of `rejects`.
    pub rejects: Vec<(u64, String)>,
}

impl Row {
    pub fn accused(&self) -> Accused {
        Accused::Payment {
            client: self.client.clone(),
            id: self.payment_id.clone(),
        }
    }
}

impl Object {
    fn read(key: ObjectKey, body: String) -> Self {
        let mut records = BTreeMap::new();
        let mut has_rejects = false;
        for (line, record) in read_object(&key, body.as_bytes(), Timestamp::EPOCH) {
            match record {
                Ok(record) => _ = records.insert(line, record),
                Err(_) => has_rejects = true,
            }
        }
        Self {
            header: read_header(&key, body.as_bytes()),
            is_settled: false,
            key,
            body,
            records,
            has_rejects,
        }
    }

    pub fn payments(&self) -> BTreeSet<Accused> {
        let payments = self.records.values().map(|record| record.payment.key());
        payments.map(Accused::from).collect()
    }

    pub fn node(&self) -> Option<&str> {
        Some(self.key.own_batch()?.1)
    }

    /// When its key was made.
    pub fn at(&self) -> Option<Timestamp> {
        self.key.batch_time()
    }

    /// Its lines, the header included: line 1 is the first.
    pub fn lines(&self) -> Vec<String> {
        self.body.lines().map(str::to_owned).collect()
    }
}

impl Journal {
    pub fn read(
        bodies: impl IntoIterator<Item = (ObjectKey, String)>,
        rows: Vec<Row>,
        conflicts: Vec<Row>,
        rejects: Vec<(u64, String)>,
    ) -> Self {
        let bodies = bodies.into_iter();
        let mut objects: Vec<_> = bodies.map(|(key, body)| Object::read(key, body)).collect();
        settle(&mut objects);
        Self {
            objects,
            rows,
            conflicts,
            rejects,
        }
    }

    /// The last object of its run, if the run ended itself.
    pub fn end_of_run<'a>(&'a self, header: &Header) -> Option<&'a Object> {
        self.objects.iter().find(|object| {
            let own = object.header.as_ref();
            own.is_some_and(|own| own.run == header.run && own.end)
        })
    }

    /// When the first object with a header was made.
    pub fn chained_since(&self) -> Option<Timestamp> {
        let chained = self.objects.iter().filter(|object| object.header.is_some());
        chained.filter_map(Object::at).min()
    }

    /// Whether each payment of the object is a row that names this very line, and nothing else of it is in the tables.
    pub fn is_all_rows(&self, object: &Object) -> bool {
        let key = object.key.as_str();
        let rows = self.rows.iter().filter(|row| row.object_key == key);
        !object.has_rejects
            && rows.count() == object.records.len()
            && !self.conflicts.iter().any(|row| row.object_key == key)
    }
}

/// Marks the objects that a header of their node names.
fn settle(objects: &mut [Object]) {
    let headers = objects.iter().filter_map(|object| object.header.as_ref());
    let named: HashSet<_> = headers
        .flat_map(|header| {
            let node = header.node.to_string();
            let links = header.confirmed.iter();
            links.map(move |link| (link.key, node.clone(), link.sha256))
        })
        .collect();
    for object in objects {
        let hash = ObjectHash::of(object.body.as_bytes());
        let name = object.key.own_batch();
        object.is_settled =
            name.is_some_and(|(uuid, node)| named.contains(&(uuid, node.to_owned(), hash)));
    }
}
