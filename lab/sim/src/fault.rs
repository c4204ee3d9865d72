//! Faults, and the probability of each where it can happen. A run draws for each fault whether it happens at all in
//! that run, and how much more or less often: rare faults alone find what many together hide.

use std::collections::BTreeMap;
use std::fmt;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $rate:expr,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns its probability where it can happen. 0: it is not drawn, but follows from other faults.
            pub(crate) fn rate(self) -> f64 {
                match self {
                    $(Self::$name => $rate,)*
                }
            }
        }
    };
}

faults! {
    /// A client repeats a payment that is answered or in flight, to the same node.
    RepeatSameNode = 0.0,
    RepeatOtherNode = 0.0,
    /// Different content under an id that is in use.
    Collision = 0.15,
    /// The client gives up waiting.
    HangUp = 0.06,
    /// The request reaches no node.
    RequestLost = 0.04,
    /// The node accepted, but the client does not get the answer.
    AnswerLost = 0.06,
    /// A body that breaks a rule.
    Malformed = 0.04,

    /// A node crashes and loses what it has in memory.
    NodeCrashed = 0.5,
    /// A node stops gracefully, and comes back.
    NodeRestarted = 0.5,
    /// A node's clock is wrong by up to minutes.
    ClockSkew = 0.5,

    /// S3 is unavailable for a while and answers errors.
    S3Down = 0.4,
    /// S3 is unavailable for a while and does not answer.
    S3Silent = 0.3,
    PutSlow = 0.05,
    /// 503 `SlowDown` or 500, and nothing is stored.
    PutFailed = 0.08,
    /// 500, but the object is stored.
    PutFailedButStored = 0.05,
    /// The object is stored, but the connection breaks before the answer.
    PutReset = 0.04,
    /// The object is stored, but no answer comes.
    PutUnanswered = 0.05,
    /// The object is never stored, and no answer comes.
    PutSwallowed = 0.05,
    /// The object is stored long after the node gave up.
    PutLate = 0.05,
    /// Another PUT of the key is in flight (409).
    PutConflict = 0.03,
    PutDenied = 0.02,
    /// The body's checksum does not match.
    PutCorrupted = 0.02,
    /// The PUT finds its own earlier attempt (412).
    PutAlreadyThere = 0.0,
    GetFailed = 0.06,
    /// The body ends early.
    GetCut = 0.04,
    GetSlow = 0.04,
    ListFailed = 0.1,

    EventLost = 0.15,
    EventDuplicated = 0.2,
    /// The event arrives late, and after others.
    EventDelayed = 0.2,
    /// The event arrives before the object can be read.
    EventEarly = 0.05,
    /// Several objects in one event.
    EventMerged = 0.2,
    EventOfTest = 0.05,
    EventBySqs = 0.2,
    EventBySns = 0.1,
    EventByEventBridge = 0.1,

    /// No invocations for a while.
    LambdaDown = 0.3,
    LambdaThrottled = 0.1,
    /// The function is killed between two of its steps.
    LambdaKilled = 0.1,
    /// The function times out.
    LambdaTimedOut = 0.03,
    /// An event is given up after its last retry.
    DeadLettered = 0.0,
    /// A dead letter is redriven.
    Redriven = 0.0,

    DatabaseDown = 0.4,
    /// The database is read-only during a failover.
    DatabaseReadOnly = 0.3,
    TooManyConnections = 0.03,
    /// The connection breaks in the middle of a transaction or a look-up.
    ConnectionCut = 0.02,
    StatementSlow = 0.02,
    Deadlock = 0.02,
    LockWaitTimeout = 0.01,
    /// The server notices late that a connection is gone, and keeps its locks until then.
    RollbackLate = 0.2,
    /// Two sessions claim one key.
    SessionsMeet = 0.0,
    /// The connection breaks before the server has COMMIT.
    CommitLost = 0.03,
    /// The connection breaks after the server has COMMIT.
    CommitUnanswered = 0.05,
    /// The caller is gone while its COMMIT is in flight.
    CommitOrphaned = 0.0,
    /// The server refuses a row's data.
    DataRefused = 0.0,

    /// An object of an older system.
    OlderObject = 0.0,
    /// Lines that are not payments, among valid ones.
    UnreadableLine = 0.0,
}

/// How often each fault occurred.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Fault, u64>);

impl Counts {
    pub(crate) fn hit(&mut self, fault: Fault) {
        *self.0.entry(fault).or_default() += 1;
    }

    pub fn add(&mut self, other: &Self) {
        for (fault, count) in &other.0 {
            *self.0.entry(*fault).or_default() += count;
        }
    }

    pub fn of(&self, fault: Fault) -> u64 {
        self.0.get(&fault).copied().unwrap_or_default()
    }

    /// Faults that never occurred.
    pub fn missing(&self) -> Vec<Fault> {
        let never = |fault: &&Fault| self.of(**fault) == 0;
        Fault::ALL.iter().filter(never).copied().collect()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in Fault::ALL {
            writeln!(f, "{:<22}{:>10}", format!("{fault:?}"), self.of(*fault))?;
        }
        Ok(())
    }
}

/// A promise broken on purpose, to show that it is detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// P1: sometimes the journal confirms what it did not store.
    YesWithoutStoring,
    /// P2: the table has no unique key on the payment id.
    NoUniqueKey,
    /// P10: the unique key is the payment id alone, whoever the client is.
    ClientIgnored,
    /// P2: now and then an object is marked as taken, and its rows are not there.
    TakenWithoutRows,
    /// P4: any content under an id passes for the same.
    AnyContentIsTheSame,
}
