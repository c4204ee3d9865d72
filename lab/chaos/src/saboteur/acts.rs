//! Which act comes next, drawn from the seed. Each act says itself what has to be named for it.

mod forgeries;
mod objects;
mod tables;

use payment_core::{ObjectKey, Timestamp};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use time::Duration;
use uuid::Uuid;

use super::{
    act::Act,
    forge,
    journal::{Journal, Object},
};

type Draw = fn(&mut Saboteur<'_>) -> Option<Act>;

/// Attempts at an act: it may not suit what was drawn for it.
const TRIES: u32 = 50;

/// Someone with all rights over bucket and database.
pub struct Saboteur<'a> {
    rng: StdRng,
    journal: &'a Journal,
    /// Kinds of act that are to come before any comes again.
    to_come: Vec<(&'static str, Draw)>,
}

impl<'a> Saboteur<'a> {
    pub fn new(seed: u64, journal: &'a Journal) -> Self {
        Self {
            rng: StdRng::seed_from_u64(!seed),
            journal,
            to_come: Vec::new(),
        }
    }

    /// The next act; `None` if this journal offers nothing for its kind.
    pub fn next(&mut self) -> (&'static str, Option<Act>) {
        if self.to_come.is_empty() {
            self.to_come = [objects::ALL, forgeries::ALL, tables::ALL].concat();
            self.to_come.shuffle(&mut self.rng);
        }
        let Some((name, draw)) = self.to_come.pop() else {
            return ("", None);
        };
        (name, (0..TRIES).find_map(|_| draw(self)))
    }

    fn pick<T>(&mut self, all: &[T]) -> Option<usize> {
        (!all.is_empty()).then(|| self.rng.random_range(0..all.len()))
    }

    fn object(&mut self, suits: impl Fn(&Object) -> bool) -> Option<&'a Object> {
        let journal = self.journal;
        let suiting = journal.objects.iter().filter(|object| suits(object));
        let suiting: Vec<_> = suiting.collect();
        let at = self.pick(&suiting)?;
        suiting.get(at).copied()
    }

    /// An object of the tiers with payments.
    fn batch(&mut self) -> Option<&'a Object> {
        self.object(|object| object.header.is_some() && !object.records.is_empty())
    }

    /// An object that the chain vouches for, whatever ledger and rows say.
    fn settled(&mut self) -> Option<&'a Object> {
        self.object(|object| object.is_settled)
    }

    /// The same, with payments, all of which are rows of their own lines.
    fn settled_rows(&mut self) -> Option<&'a Object> {
        let journal = self.journal;
        self.object(|object| {
            object.is_settled && !object.records.is_empty() && journal.is_all_rows(object)
        })
    }

    /// A key of the object's node, so many milliseconds after its own.
    fn key_after(&mut self, object: &Object, milliseconds: i64) -> Option<ObjectKey> {
        let after = Duration::milliseconds(milliseconds);
        let at = Timestamp::new(object.at()?.to_utc().checked_add(after)?);
        let node = object.node()?;
        Some(ObjectKey::batch(forge::PREFIX, at, self.unique(), node))
    }

    fn unique(&mut self) -> Uuid {
        Uuid::from_u128(self.rng.random())
    }
}
