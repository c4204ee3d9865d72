//! An object of any size, read part by part in bounded memory.

use std::vec;

use bytes::{Buf as _, Bytes, BytesMut};
use payment_core::chain::Header;
use payment_core::event::ObjectRef;
use payment_core::object::{Line, OBJECT_BYTES_MAX, ObjectReader, Unreadable, WHOLE_OBJECT};
use payment_core::{ObjectVersion, RejectedLine, Timestamp};
use payment_store::{Fingerprint, Part, Parts};
use tokio::task::yield_now;

use crate::ingest::{Ids, IngestError};
use crate::objects::{Body, ObjectError, Objects};

/// Rejected lines of one object that the log names. The table has them all.
const REJECTS_LOGGED_MAX: usize = 100;

/// Lines of a part: as many as one statement inserts, so that it is at work while the next ones are read.
const PART_LINES: usize = 512;

/// Lines of one object whose ids the log names, to the end of their part. Objects of this system have no more.
const LINES_WITH_IDS: usize = 4096;

/// Size of an object, in bytes, up to which it may be in memory while another one is inserted: that of the largest batch
/// of the app tier, which is 1 MiB with one more record and the header.
const SMALL_BYTES_MAX: usize = 1280 * 1024;

/// Bytes that are parsed, in a tenth of a millisecond, before the object that is being inserted has its turn.
const PIECE_BYTES: usize = 16 * 1024;

/// The parts of one object, read as they are asked for. The body of a small one is there.
#[derive(Debug)]
pub struct ObjectParts<'a, O: Objects> {
    objects: &'a O,
    object: ObjectRef,
    stream: Stream<O::Body>,
    /// Read, and not given out yet.
    ahead: Option<Vec<Line>>,
    notes: Notes,
}

/// What is told of an object once it is stored.
#[derive(Debug, Default)]
pub struct Notes {
    pub oldest: Option<Timestamp>,
    pub ids: Ids,
    lines: usize,
    pub rejects: Vec<(u32, RejectedLine)>,
}

/// One GET.
#[derive(Debug)]
struct Stream<B> {
    version: ObjectVersion,
    /// By the length that S3 says.
    is_small: bool,
    /// `None` once it is read to its end.
    body: Option<B>,
    reader: ObjectReader,
    /// What has arrived and is not read.
    rest: Bytes,
    /// Read, and in no part yet.
    lines: vec::IntoIter<Line>,
    ended: Option<Result<(), Unreadable>>,
    /// Known at the end.
    fingerprint: Fingerprint,
}

impl<'a, O: Objects> ObjectParts<'a, O> {
    pub async fn open(objects: &'a O, object: &ObjectRef) -> Result<Self, ObjectError> {
        Ok(Self {
            objects,
            object: object.clone(),
            stream: Stream::open(objects, object).await?,
            ahead: None,
            notes: Notes::default(),
        })
    }

    /// Reads the first part of a small object before it is asked for.
    pub async fn read_ahead(&mut self) -> Result<(), ObjectError> {
        if self.is_small() && self.ahead.is_none() {
            self.ahead = Some(self.stream.next_part().await?);
        }
        Ok(())
    }

    pub fn is_small(&self) -> bool {
        self.stream.is_small
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

    async fn next(&mut self) -> Result<Part, IngestError> {
        let part = match self.ahead.take() {
            Some(part) => part,
            None => self.stream.next_part().await?,
        };
        if let Some(Err(why)) = self.stream.ended {
            let refused = RejectedLine::whole_object(&self.object.key, why);
            self.notes = Notes {
                rejects: vec![(WHOLE_OBJECT, refused.clone())],
                ..Notes::default()
            };
            return Ok(Part::Refused(refused));
        }
        if part.is_empty() && self.stream.ended.is_some() {
            return Ok(Part::End);
        }
        self.notes.add(&part);
        Ok(Part::Lines(part))
    }

    fn fingerprint(&self) -> Fingerprint {
        self.stream.fingerprint
    }

    async fn rewind(&mut self) -> Result<(), IngestError> {
        let stream = Stream::open(self.objects, &self.object).await?;
        if stream.version != self.stream.version {
            return Err(ObjectError::Replaced.into());
        }
        self.ahead = None;
        self.stream = stream;
        self.notes = Notes::default();
        Ok(())
    }
}

impl Notes {
    fn add(&mut self, lines: &[Line]) {
        if self.lines < LINES_WITH_IDS {
            self.ids.add(lines);
        }
        self.lines += lines.len();
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
    /// A small body is fetched whole, so that S3 need not wait for the database.
    async fn open<O: Objects<Body = B>>(
        objects: &O,
        object: &ObjectRef,
    ) -> Result<Self, ObjectError> {
        let opened = objects.open(object).await?;
        let bytes = opened.bytes.map(usize::try_from);
        let is_taken = bytes.is_none_or(|bytes| bytes.is_ok_and(|bytes| bytes <= OBJECT_BYTES_MAX));
        let small = bytes
            .and_then(Result::ok)
            .filter(|bytes| *bytes <= SMALL_BYTES_MAX);
        let mut stream = Self {
            reader: ObjectReader::new(&opened.version.key, opened.version.stored_at),
            version: opened.version,
            is_small: small.is_some(),
            body: Some(opened.body),
            rest: Bytes::new(),
            lines: Vec::new().into_iter(),
            ended: (!is_taken).then_some(Err(Unreadable::LargeObject)),
            fingerprint: Fingerprint::default(),
        };
        if let Some(bytes) = small {
            let mut all = BytesMut::with_capacity(bytes);
            while let Some(piece) = stream.next_piece().await? {
                all.extend_from_slice(&piece);
            }
            stream.rest = all.freeze();
        }
        Ok(stream)
    }

    async fn next_piece(&mut self) -> Result<Option<Bytes>, ObjectError> {
        let Some(body) = &mut self.body else {
            return Ok(None);
        };
        let piece = body.next().await?;
        if piece.is_none() {
            self.body = None;
        }
        Ok(piece)
    }

    /// Reads until there is a part, or the object is at its end. That it is refused counts only once its whole body
    /// has come and its checksum is right.
    async fn next_part(&mut self) -> Result<Vec<Line>, ObjectError> {
        let mut part: Vec<_> = self.lines.by_ref().take(PART_LINES).collect();
        if part.len() < PART_LINES {
            self.read().await?;
            let room = PART_LINES - part.len();
            part.extend(self.lines.by_ref().take(room));
        }
        Ok(part)
    }

    async fn read(&mut self) -> Result<(), ObjectError> {
        while self.ended.is_none() && !self.reader.is_full() && self.reader.lines() < PART_LINES {
            if self.rest.is_empty() {
                match self.next_piece().await? {
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
        self.lines = self.reader.take().into_iter();
        Ok(())
    }

    fn end(&mut self) {
        self.ended = Some(self.reader.finish());
        self.fingerprint = Fingerprint {
            sha256: Some(self.reader.sha256()),
            position: self.reader.header().map(Header::position),
        };
    }
}
