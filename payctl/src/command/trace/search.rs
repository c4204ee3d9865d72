//! A payment without a row, searched for in the log of the last hours.

use std::sync::Arc;

use lambda_ingest::ingest::IngestError;
use payment_core::record::{Line, RejectedLine};
use payment_core::{
    ClientName, ContentHash, LogRecord, ObjectKey, ObjectVersion, PaymentId, PaymentKey, Timestamp,
};
use payment_store::audit::Row;
use payment_store::{Part, Parts as _, Store};
use time::OffsetDateTime;
use tokio::task::{JoinError, JoinSet};

use super::Args;
use super::hops::Hops;
use crate::journal::Journal;
use crate::outcome::{Failure, Outcome};
use crate::output::{self, safe};
use crate::places;
use crate::range::{Range, moved};

/// Objects that are read at one time.
const JOBS: usize = 8;

/// A line with the payment's id.
struct Hit {
    version: ObjectVersion,
    line: u32,
    id: PaymentId,
    client: ClientName,
    /// When it was accepted and its hash; or why the line is no payment.
    record: Result<(Timestamp, ContentHash), RejectedLine>,
}

/// What an object was found to hold.
#[derive(Default)]
struct Held {
    hits: Vec<Hit>,
    /// Nobody knows all that it holds: it can't be read, is gone since it was listed, is refused as a whole, or has a
    /// broken line that may be this system's.
    is_unread: bool,
}

/// What a search found, and how much of the journal it could not look at.
#[derive(Default)]
struct Search {
    hits: Vec<Hit>,
    objects: u64,
    unread: u64,
    tasks: JoinSet<Held>,
}

/// The payments that are searched for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub id: &'a PaymentId,
    /// `None`: those of every client.
    pub client: Option<&'a ClientName>,
    /// Those of them that are recorded.
    pub rows: &'a [Row<'a>],
}

impl Wanted<'_> {
    /// Whether the line says something that no row says, of a client that is asked for.
    fn is_news(&self, hit: &Hit) -> bool {
        let hash = hit.record.as_ref().ok().map(|(_, hash)| *hash);
        self.client.is_none_or(|client| hit.client == *client)
            && self
                .row_of(&hit.client)
                .is_none_or(|row| hash.is_none() || hash != row.content_hash)
    }

    fn row_of(&self, client: &ClientName) -> Option<&Row<'_>> {
        self.rows.iter().find(|row| row.client == client.as_str())
    }
}

/// How far back objects are looked at, and how old, in seconds, one is that is on its way no longer.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub hours: u16,
    pub settle: u32,
}

impl Window {
    pub const fn of(args: &Args) -> Self {
        let Args { hours, settle, .. } = *args;
        Self { hours, settle }
    }
}

/// Says what is known of lines that no row says. If the payment has no row at all, this never ends well.
pub async fn unrecorded(
    log: &Arc<Journal>,
    store: &Store,
    wanted: Wanted<'_>,
    window: Window,
) -> Result<Outcome, Failure> {
    let Window { hours, settle } = window;
    let now = Timestamp::new(OffsetDateTime::now_utc());
    let mut search = search(log, wanted.id, &Range::last(hours, now)).await?;
    search.hits.retain(|hit| wanted.is_news(hit));
    let is_recorded = !wanted.rows.is_empty();
    if !is_recorded {
        let client = wanted.client.filter(|client| !client.is_empty());
        let of_client = client.map_or_else(String::new, |client| format!(" of client {client}"));
        output::say(&format!("payment {}{of_client} has no row\n", wanted.id))?;
    }
    output::say(&format!(
        "searched: {} objects of the last {hours} hours; --hours looks further back\n",
        search.objects
    ))?;
    if search.hits.is_empty() {
        output::say(if is_recorded {
            "the log holds no other payment of this id there\n"
        } else {
            "the log does not hold it there\n"
        })?;
    }
    let stored_by = moved(now, -time::Duration::seconds(settle.into()));
    let mut outcome = Outcome::different_if(!is_recorded);
    for hit in &search.hits {
        outcome = outcome.and(tell(store, hit, wanted.row_of(&hit.client), stored_by).await?);
    }
    if search.unread > 0 {
        output::say(&format!(
            "{} objects could not be read as a whole, and may hold it\n",
            search.unread
        ))?;
    }
    Ok(Outcome::unfinished_if(search.unread > 0).and(outcome))
}

/// Where the payment of the line got to; one that is on its way is not known to be missing. A conflict is where it
/// belongs: beside the row of its id.
async fn tell(
    store: &Store,
    hit: &Hit,
    row: Option<&Row<'_>>,
    stored_by: Timestamp,
) -> Result<Outcome, Failure> {
    let key = safe(hit.version.key.as_str());
    let of_client = match hit.client.as_str() {
        "" => String::new(),
        client => format!(", of client {client}"),
    };
    let mut hops = Hops::default();
    if let Ok((received_at, hash)) = &hit.record {
        hops.add("accepted", Some(*received_at), format!("hash {hash}"));
    }
    hops.add(
        "stored",
        Some(hit.version.stored_at),
        format!("{key} line {}{of_client}", hit.line),
    );
    let entry = store.ledger_entry(&hit.version).await?;
    let is_on_its_way = entry.is_none() && hit.version.stored_at > stored_by;
    let what = match (&entry, &hit.record) {
        (None, _) if is_on_its_way => {
            "the object is not ingested yet; it is on its way: run this again".to_owned()
        }
        (None, _) => "the object is not ingested; its event was lost: payctl replay".to_owned(),
        (Some(entry), record) => {
            let at = Some(entry.ingested_at);
            hops.add("ingested", at, "ingested_objects".to_owned());
            let line = (hit.line, hit.line);
            let conflicts = store.conflicts_between(entry, line).await?;
            if let (Ok((_, hash)), Some(conflict)) = (record, conflicts.iter().next())
                && conflict.content_hash == Some(*hash)
                && row.is_some()
            {
                return Ok(Outcome::Clean);
            }
            let is_rejected = !store.rejects_between(entry, line).await?.is_empty();
            match (record, is_rejected) {
                (Err(rejected), _) => format!("rejected: {}", rejected.error.reason()),
                (Ok(_), true) => {
                    "rejected; it is a right payment to this version: payctl replay --rejects"
                        .to_owned()
                }
                (Ok(_), false) if is_recorded(store, hit).await? => {
                    output::say("it was recorded meanwhile: run this again\n")?;
                    return Ok(Outcome::Unfinished);
                }
                (Ok(_), false) => {
                    "the object is ingested and the row is missing: payctl reconcile".to_owned()
                }
            }
        }
    };
    output::say(&hops.table())?;
    output::say(&format!("{what}\n"))?;
    Ok(if is_on_its_way {
        Outcome::Unfinished
    } else {
        Outcome::Different
    })
}

/// Whether the line's payment is a row by now: the object may have been ingested since the rows were looked for.
async fn is_recorded(store: &Store, hit: &Hit) -> Result<bool, payment_store::Error> {
    let Ok((_, hash)) = hit.record else {
        return Ok(false);
    };
    let id = hit.id.clone();
    let client = hit.client.clone();
    let rows = store.rows_of(&[&PaymentKey { id, client }]).await?;
    Ok(rows.iter().any(|row| row.content_hash == Some(hash)))
}

async fn search(log: &Arc<Journal>, id: &PaymentId, range: &Range) -> Result<Search, Failure> {
    let mut search = Search::default();
    places::each(log, range, async |listed| {
        search.start(log, listed.version.key, id).await?;
        Ok::<_, Failure>(())
    })
    .await?;
    while search.take().await? {}
    search
        .hits
        .sort_by(|a, b| (&a.version.key, a.line).cmp(&(&b.version.key, b.line)));
    Ok(search)
}

impl Search {
    async fn start(
        &mut self,
        log: &Arc<Journal>,
        key: ObjectKey,
        id: &PaymentId,
    ) -> Result<(), JoinError> {
        while self.tasks.len() >= JOBS {
            self.take().await?;
        }
        let (log, id) = (Arc::clone(log), id.clone());
        self.tasks.spawn(async move {
            let held = lines_with(&log, &key, &id).await;
            held.unwrap_or(Held {
                hits: Vec::new(),
                is_unread: true,
            })
        });
        Ok(())
    }

    /// Whether there was one.
    async fn take(&mut self) -> Result<bool, JoinError> {
        let Some(held) = self.tasks.join_next().await else {
            return Ok(false);
        };
        self.objects += 1;
        let Held { hits, is_unread } = held?;
        self.hits.extend(hits);
        self.unread += u64::from(is_unread);
        Ok(true)
    }
}

async fn lines_with(log: &Journal, key: &ObjectKey, id: &PaymentId) -> Result<Held, IngestError> {
    let mut held = Held::default();
    let mut parts = log.parts(key).await?;
    let version = parts.version().clone();
    let hit = |(line, record): &Line| {
        let own = match record {
            Ok(record) => Some(record.payment.key()),
            Err(rejected) => rejected.payment.as_ref(),
        };
        let client = own.filter(|own| own.id == *id)?.client.clone();
        let said = |record: &LogRecord| (record.received_at, record.content_hash);
        Some(Hit {
            version: version.clone(),
            line: *line,
            id: id.clone(),
            client,
            record: record.as_ref().map(said).map_err(Clone::clone),
        })
    };
    loop {
        match parts.next().await? {
            Part::Lines(lines) => {
                held.hits.extend(lines.iter().filter_map(hit));
                held.is_unread |= lines.iter().any(is_unclear);
            }
            Part::End => return Ok(held),
            Part::Refused(_) => {
                return Ok(Held {
                    hits: Vec::new(),
                    is_unread: true,
                });
            }
        }
    }
}

/// Whether nobody can say which payment the line is.
fn is_unclear((_, record): &Line) -> bool {
    let rejected = record.as_ref().err();
    rejected.is_some_and(|line| line.payment.is_none() && (line.is_own || line.resembles_own))
}
