//! What vouches for an object of the journal: its place in the chain, and the later object whose header names it.

use aws_sdk_s3::Client;
use lab_runner::lab::BUCKET;
use payment_core::ObjectKey;
use payment_core::chain::{Header, ObjectHash, Position};
use payment_core::object::read_header;
use payment_store::audit::LedgerEntry;

use super::journal::ROOT;
use super::{Away, TIMEOUT, within};

/// Later objects of the node that are read: of a run that goes on, nearly always the first names the object.
const READ_MAX: usize = 32;

/// An object's link in the chain, by the ledger.
#[derive(Clone, Debug)]
pub struct Link {
    pub sha256: Option<ObjectHash>,
    pub position: Option<Position>,
    /// The later object whose header names this one with its hash.
    pub named_by: Option<(ObjectKey, u64)>,
}

/// Looks for the object that names the one of this entry among the next ones of its node.
pub async fn link(entry: &LedgerEntry, s3: &Client) -> Result<Link, Away> {
    let known = entry.fingerprint.unwrap_or_default();
    let mut link = Link {
        sha256: known.sha256,
        position: known.position,
        named_by: None,
    };
    let (Some(sha256), Some(position)) = (known.sha256, known.position) else {
        return Ok(link);
    };
    for key in next_of_node(&entry.key, s3).await? {
        let names = |header: &Header| header.confirms(&entry.key, position, sha256);
        if let Some(header) = header(&key, s3).await?.filter(names) {
            link.named_by = Some((key, header.seq));
            break;
        }
    }
    Ok(link)
}

/// Keys of the node's objects behind this one, as far as one page of S3 shows them.
async fn next_of_node(key: &ObjectKey, s3: &Client) -> Result<Vec<ObjectKey>, Away> {
    let Some((_, node)) = key.own_batch() else {
        return Ok(Vec::new());
    };
    let request = s3.list_objects_v2().bucket(BUCKET).prefix(ROOT);
    let page = within(TIMEOUT, request.start_after(key.as_str()).send()).await?;
    let keys = page.contents().iter();
    let keys = keys.filter_map(|object| ObjectKey::parse(object.key()?));
    let is_of_node = |key: &ObjectKey| key.own_batch().is_some_and(|(_, other)| other == node);
    Ok(keys.filter(is_of_node).take(READ_MAX).collect())
}

async fn header(key: &ObjectKey, s3: &Client) -> Result<Option<Header>, Away> {
    let request = s3.get_object().bucket(BUCKET).key(key.as_str());
    let range = format!("bytes=0-{}", Header::BYTES_MAX);
    // S3 refuses a range of an object without bytes: a probe of a tier.
    let Ok(answer) = within(TIMEOUT, request.range(range).send()).await else {
        return Ok(None);
    };
    let body = within(TIMEOUT, answer.body.collect()).await?.into_bytes();
    Ok(read_header(key, &body))
}
