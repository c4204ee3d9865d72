//! An object of any size, read part by part in bounded memory.

use bytes::{Buf as _, Bytes};
use payment_core::chain::Header;
use payment_core::event::ObjectRef;
use payment_core::object::{Line, OBJECT_BYTES_MAX, ObjectReader, Unreadable, WHOLE_OBJECT};
use payment_core::{ObjectVersion, RejectedLine, Timestamp};
use payment_store::{Fingerprint, Part, Parts};
use tokio::task::yield_now;

use crate::ingest::{Ids, IngestError};
use crate::objects::{Body, ObjectError, Objects, Opened};

/// Rejected lines of one object that the log names. The table has them all.
const REJECTS_LOGGED_MAX: usize = 100;

/// Size of an object, in bytes, up to which it may be in memory while another one is inserted: that of the largest batch
/// of the app tier, which is 1 MiB with one more record and the header.
const SMALL_BYTES_MAX: u64 = 1280 * 1024;

/// Bytes that are parsed, in a tenth of a millisecond, before the object that is being inserted has its turn.
const PIECE_BYTES: usize = 16 * 1024;

/// The parts of one object. The first part of a small one is there; the others are read as they are asked for.
#[derive(Debug)]
pub struct ObjectParts<'a, O: Objects> {
    objects: &'a O,
    object: ObjectRef,
    stream: Stream<O::Body>,
    /// Read, and not given out yet.
    is_ahead: bool,
    part: Vec<Line>,
    notes: Notes,
}

/// What is told of an object once it is stored.
#[derive(Debug, Default)]
pub struct Notes {
    pub oldest: Option<Timestamp>,
    /// Ids of the first part: objects of this system have no more.
    pub ids: Ids,
    pub rejects: Vec<(u32, RejectedLine)>,
}

/// One GET.
#[derive(Debug)]
struct Stream<B> {
    version: ObjectVersion,
    /// Length of the body, if S3 says it.
    bytes: Option<u64>,
    body: B,
    reader: ObjectReader,
    /// What has arrived and is not read.
    rest: Bytes,
    ended: Option<Result<(), Unreadable>>,
    /// Known at the end.
    fingerprint: Fingerprint,
}

impl<'a, O: Objects> ObjectParts<'a, O> {
    pub async fn open(objects: &'a O, object: &ObjectRef) -> Result<Self, ObjectError> {
        let mut parts = Self {
            objects,
            object: object.clone(),
            stream: Stream::new(objects.open(object).await?),
            is_ahead: false,
            part: Vec::new(),
            notes: Notes::default(),
        };
        if parts.is_small() {
            parts.part = parts.stream.next_part().await?;
            parts.is_ahead = true;
        }
        Ok(parts)
    }

    pub fn is_small(&self) -> bool {
        self.stream
            .bytes
            .is_some_and(|bytes| bytes <= SMALL_BYTES_MAX)
    }

    pub fn version(&self) -> &ObjectVersion {
        &self.stream.version
    }

    /// The object's header, once its first line was read.
    pub fn header(&self) -> Option<&Header> {
        self.stream.reader.header()
    }

    pub fn into_notes(self) -> Notes {
        self.notes
    }
}

impl<O: Objects> Parts for ObjectParts<'_, O> {
    type Error = IngestError;

    async fn next(&mut self) -> Result<Part<'_>, IngestError> {
        if !std::mem::take(&mut self.is_ahead) {
            self.part.clear();
            if self.stream.ended.is_none() {
                self.part = self.stream.next_part().await?;
            }
        }
        if let Some(Err(why)) = self.stream.ended {
            let refused = RejectedLine::whole_object(&self.object.key, why);
            self.notes = Notes {
                rejects: vec![(WHOLE_OBJECT, refused.clone())],
                ..Notes::default()
            };
            return Ok(Part::Refused(refused));
        }
        if self.part.is_empty() && self.stream.ended.is_some() {
            return Ok(Part::End);
        }
        self.notes.add(&self.part);
        Ok(Part::Lines(&self.part))
    }

    fn fingerprint(&self) -> Fingerprint {
        self.stream.fingerprint
    }

    async fn rewind(&mut self) -> Result<(), IngestError> {
        let stream = Stream::new(self.objects.open(&self.object).await?);
        if stream.version != self.stream.version {
            return Err(ObjectError::Replaced.into());
        }
        self.part = Vec::new();
        self.is_ahead = false;
        self.stream = stream;
        self.notes = Notes::default();
        Ok(())
    }
}

impl Notes {
    fn add(&mut self, lines: &[Line]) {
        if self.oldest.is_none() {
            self.ids = Ids::of(lines);
        }
        for (line, result) in lines {
            match result {
                Ok(record) => {
                    let oldest = self.oldest.unwrap_or(record.received_at);
                    self.oldest = Some(oldest.min(record.received_at));
                }
                Err(error) if self.rejects.len() < REJECTS_LOGGED_MAX => {
                    self.rejects.push((*line, error.clone()));
                }
                Err(_) => {}
            }
        }
    }
}

impl<B: Body> Stream<B> {
    fn new(opened: Opened<B>) -> Self {
        let fits = |bytes: u64| usize::try_from(bytes).is_ok_and(|bytes| bytes <= OBJECT_BYTES_MAX);
        let is_taken = opened.bytes.is_none_or(fits);
        Self {
            reader: ObjectReader::new(&opened.version.key, opened.version.stored_at),
            version: opened.version,
            bytes: opened.bytes,
            body: opened.body,
            rest: Bytes::new(),
            ended: (!is_taken).then_some(Err(Unreadable::LargeObject)),
            fingerprint: Fingerprint::default(),
        }
    }

    /// Reads until there is a part, or the object is at its end. That it is refused counts only once its whole body
    /// has come and its checksum is right.
    async fn next_part(&mut self) -> Result<Vec<Line>, ObjectError> {
        while self.ended.is_none() && !self.reader.is_full() {
            if self.rest.is_empty() {
                match self.body.next().await? {
                    Some(piece) => self.rest = piece,
                    None => self.end(),
                }
            }
            let piece = &self.rest[..self.rest.len().min(PIECE_BYTES)];
            let taken = self.reader.push(piece);
            self.rest.advance(taken);
            // The database may have answered, and would wait for the next statement.
            yield_now().await;
        }
        Ok(self.reader.take())
    }

    fn end(&mut self) {
        self.ended = Some(self.reader.finish());
        self.fingerprint = Fingerprint {
            sha256: Some(self.reader.sha256()),
            position: self.reader.header().map(Header::position),
        };
    }
}
