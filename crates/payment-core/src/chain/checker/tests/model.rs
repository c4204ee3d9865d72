//! Runs as tiers write them, over a clock of milliseconds: PUTs in flight, failures, crashes, seals and ends.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use crate::chain::{Header, Link, Node, ObjectHash, RunId};
use crate::object_key::ObjectKey;
use crate::timestamp::Timestamp;

pub const PREFIX: &str = "transactions/";

/// 2026-11-27T07:00:00Z
pub const START: i64 = 1_795_762_800_000;

const IDLE_MILLIS: i64 = 10_000;

/// What becomes of a PUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Confirmed,
    /// Stored, and the answer was lost.
    Unanswered,
    Lost,
}

/// One object that a run writes.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    /// Since the object before.
    pause: i64,
    /// How long its first payment had waited.
    waited: i64,
    put: i64,
    fate: Fate,
}

#[derive(Debug, Clone)]
pub struct Life {
    starts: i64,
    acts: Vec<Act>,
    ends_itself: bool,
}

/// An object in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub key: ObjectKey,
    pub body: Vec<u8>,
}

/// What a life left behind, with the numbers that a stored header names as confirmed.
#[derive(Debug, Default)]
pub struct Left {
    pub objects: BTreeMap<u64, Object>,
    pub named: BTreeSet<u64>,
    /// What stored headers name as unconfirmed.
    pub unconfirmed: BTreeMap<u64, Link>,
    pub ended: bool,
}

struct Put {
    seq: u64,
    done: i64,
    fate: Fate,
    names: Names,
    link: Link,
}

#[derive(Debug, Default, Clone)]
struct Names {
    confirmed: BTreeMap<u64, Link>,
    unconfirmed: BTreeMap<u64, Link>,
}

struct Tier {
    number: u32,
    run: RunId,
    node: Node,
    seq: u64,
    names: Names,
    puts: Vec<Put>,
    left: Left,
}

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis).unwrap()
}

/// A UUID of version 7 of this moment.
pub fn uuid(millis: i64, unique: u128) -> Uuid {
    let mut rest = [0; 10];
    rest.copy_from_slice(&unique.to_be_bytes()[6..]);
    uuid::Builder::from_unix_timestamp_millis(millis.try_into().unwrap(), &rest).into_uuid()
}

pub fn key(millis: i64, unique: u128, node: Node) -> ObjectKey {
    ObjectKey::batch(PREFIX, at(millis), uuid(millis, unique), &node.to_string())
}

pub fn lives() -> impl Strategy<Value = Vec<Life>> {
    prop::collection::vec(life(60), 1..4)
}

pub fn life(acts_max: usize) -> impl Strategy<Value = Life> {
    let fate =
        prop_oneof![8 => Just(Fate::Confirmed), 1 => Just(Fate::Unanswered), 1 => Just(Fate::Lost)];
    let pause = prop_oneof![6 => 0..300_i64, 2 => 300..8000_i64, 1 => 9000..600_000_i64];
    let act = (pause, 0..3000_i64, 5..6000_i64, fate).prop_map(|(pause, waited, put, fate)| Act {
        pause,
        waited,
        put,
        fate,
    });
    let acts = prop::collection::vec(act, 1..acts_max);
    (0..600_000_i64, acts, any::<bool>()).prop_map(|(starts, acts, ends_itself)| Life {
        starts: START + starts,
        acts,
        ends_itself,
    })
}

pub fn live(number: u32, life: &Life) -> Left {
    let mut tier = Tier {
        number,
        run: RunId::new(uuid(life.starts, number.into())).unwrap(),
        node: Node::new(0xa000_0000 + number),
        seq: 0,
        names: Names::default(),
        puts: Vec::new(),
        left: Left::default(),
    };
    let mut now = life.starts + 3000;
    for act in &life.acts {
        let idle = now + IDLE_MILLIS;
        if act.pause > IDLE_MILLIS {
            tier.settle(idle);
            if !tier.names.confirmed.is_empty() {
                tier.put(idle, idle, idle + 20, Fate::Confirmed, b"", false);
            }
        }
        now += act.pause;
        tier.settle(now);
        let payments = format!("{{\"v\":1,\"id\":\"{number}-{}\"}}\n", tier.seq);
        tier.put(
            now,
            now - act.waited,
            now + act.put,
            act.fate,
            payments.as_bytes(),
            false,
        );
    }
    if life.ends_itself {
        now += 10_000;
        tier.settle(now);
        tier.put(now, now, now + 5, Fate::Confirmed, b"", true);
        tier.left.ended = true;
    }
    tier.left
}

impl Tier {
    fn settle(&mut self, now: i64) {
        let (done, working) = std::mem::take(&mut self.puts)
            .into_iter()
            .partition(|put| put.done <= now);
        self.puts = working;
        let done: Vec<Put> = done;
        for put in done {
            if put.fate == Fate::Confirmed {
                self.names.confirmed.insert(put.seq, put.link);
            } else {
                self.names.unconfirmed.insert(put.seq, put.link);
                self.names.confirmed.extend(put.names.confirmed);
                self.names.unconfirmed.extend(put.names.unconfirmed);
            }
        }
    }

    fn put(&mut self, now: i64, received: i64, done: i64, fate: Fate, payments: &[u8], end: bool) {
        let seq = self.seq;
        self.seq += 1;
        let names = std::mem::take(&mut self.names);
        let header = Header {
            run: self.run,
            node: self.node,
            seq,
            clock: at(now),
            confirmed: names.confirmed.values().copied().collect(),
            unconfirmed: names.unconfirmed.values().copied().collect(),
            end,
        };
        let body = [header.to_line().as_bytes(), payments].concat();
        let unique = u128::from(self.number) << 32 | u128::from(seq);
        let link = Link {
            seq,
            key: uuid(received, unique),
            sha256: ObjectHash::of(&body),
        };
        if fate != Fate::Lost {
            let key = key(received, unique, self.node);
            self.left.objects.insert(seq, Object { key, body });
            self.left.named.extend(names.confirmed.keys());
            self.left.unconfirmed.extend(&names.unconfirmed);
        }
        self.puts.push(Put {
            seq,
            done,
            fate,
            names,
            link,
        });
    }
}
