//! A payment without a row, searched for in the log of the last hours.

use std::sync::Arc;

use lambda_ingest::objects::ObjectError;
use payment_core::record::{Line, RejectedLine, read_object};
use payment_core::{ClientName, ContentHash, ObjectKey, ObjectVersion, PaymentId, Timestamp};
use payment_store::Store;
use time::OffsetDateTime;
use tokio::task::JoinSet;

use super::Args;
use super::hops::Hops;
use crate::log::Log;
use crate::outcome::{Failure, Outcome};
use crate::output::{self, safe};
use crate::range::Range;

/// Objects that are read at one time.
const JOBS: usize = 8;

/// A line with the payment's id.
struct Hit {
    version: ObjectVersion,
    line: u32,
    client: ClientName,
    /// When it was accepted and its hash; or why the line is no payment.
    record: Result<(Timestamp, ContentHash), RejectedLine>,
}

/// What a search found, and how much of the journal it could not look at.
#[derive(Default)]
struct Search {
    hits: Vec<Hit>,
    objects: u64,
    unread: u64,
}

/// Says what is known of it. It has no row, so this never ends well.
pub async fn unrecorded(log: &Arc<Log>, store: &Store, args: &Args) -> Result<Outcome, Failure> {
    let (id, hours) = (&args.id, args.hours);
    let mut search = search(log, id, hours).await?;
    let named = args.client.as_ref();
    search
        .hits
        .retain(|hit| named.is_none_or(|client| hit.client == *client));
    let of_client = named.map_or_else(String::new, |client| format!(" of client {client}"));
    output::say(&format!("payment {id}{of_client} has no row\n"))?;
    output::say(&format!(
        "searched: {} objects of the last {hours} hours; --hours looks further back\n",
        search.objects
    ))?;
    if search.hits.is_empty() {
        output::say("the log does not hold it there\n")?;
    }
    for hit in &search.hits {
        tell(store, hit).await?;
    }
    if search.unread > 0 {
        output::say(&format!("{} objects could not be read\n", search.unread))?;
    }
    Ok(Outcome::unfinished_if(search.unread > 0).and(Outcome::Different))
}

async fn tell(store: &Store, hit: &Hit) -> Result<(), Failure> {
    let key = safe(hit.version.key.as_str());
    let of_client = match hit.client.as_str() {
        "" => String::new(),
        client => format!(", of client {client}"),
    };
    let mut hops = Hops::default();
    if let Ok((received_at, hash)) = &hit.record {
        hops.add("accepted", *received_at, format!("hash {hash}"));
    }
    hops.add(
        "stored",
        hit.version.stored_at,
        format!("{key} line {}{of_client}", hit.line),
    );
    let entry = store.ledger_entry(&hit.version).await?;
    let what = match (&entry, &hit.record) {
        (None, _) => {
            "the object is not ingested; it is on its way, or its event was lost: payctl replay"
                .to_owned()
        }
        (Some(entry), record) => {
            hops.add("ingested", entry.ingested_at, "ingested_objects".to_owned());
            let line = (hit.line, hit.line);
            let is_rejected = !store.rejects_between(entry, line).await?.is_empty();
            match (record, is_rejected) {
                (Err(rejected), _) => format!("rejected: {}", rejected.error.reason()),
                (Ok(_), true) => {
                    "rejected; it is a right payment to this version: payctl replay --rejects"
                        .to_owned()
                }
                (Ok(_), false) => {
                    "the object is ingested and the row is missing: payctl reconcile".to_owned()
                }
            }
        }
    };
    output::say(&hops.table())?;
    output::say(&format!("{what}\n"))?;
    Ok(())
}

async fn search(log: &Arc<Log>, id: &PaymentId, hours: u16) -> Result<Search, Failure> {
    let now = Timestamp::new(OffsetDateTime::now_utc());
    let mut search = Search::default();
    let mut tasks = JoinSet::new();
    for segment in Range::last(hours, now).segments(&log.place.prefix) {
        let times = segment.times;
        let Some(mut listing) = log.list(segment) else {
            continue;
        };
        while let Some(listed) = listing.next().await? {
            let stored_at = listed.version.stored_at;
            if times.is_some_and(|times| !times.contains(stored_at)) {
                continue;
            }
            while tasks.len() >= JOBS
                && let Some(found) = tasks.join_next().await
            {
                search.add(found?);
            }
            tasks.spawn(lines_with(Arc::clone(log), listed.version.key, id.clone()));
        }
    }
    while let Some(found) = tasks.join_next().await {
        search.add(found?);
    }
    search
        .hits
        .sort_by(|a, b| (&a.version.key, a.line).cmp(&(&b.version.key, b.line)));
    Ok(search)
}

impl Search {
    fn add(&mut self, found: Result<Vec<Hit>, ObjectError>) {
        self.objects += 1;
        match found {
            Ok(hits) => self.hits.extend(hits),
            Err(_) => self.unread += 1,
        }
    }
}

async fn lines_with(log: Arc<Log>, key: ObjectKey, id: PaymentId) -> Result<Vec<Hit>, ObjectError> {
    let object = match log.get(&key).await {
        Ok(object) => object,
        Err(ObjectError::Gone) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // Ids need no escape in JSON, so most objects are left unparsed.
    if !String::from_utf8_lossy(&object.body).contains(id.as_str()) {
        return Ok(Vec::new());
    }
    let hit = |(line, record): Line| {
        let own = match &record {
            Ok(record) => Some(record.payment.key()),
            Err(rejected) => rejected.payment.as_ref(),
        };
        let client = own.filter(|own| own.id == id)?.client.clone();
        Some(Hit {
            version: object.version.clone(),
            line,
            client,
            record: record.map(|record| (record.received_at, record.content_hash)),
        })
    };
    Ok(read_object(&key, &object.body, object.version.stored_at)
        .filter_map(hit)
        .collect())
}
