//! A whole object of the journal as lines, whoever wrote it. The one rule for the function, the audit and the lab.
//!
//! The content decides, and the name only if it says `.ndjson` or `.jsonl`:
//!
//! - One JSON value a line: a line is a record. Values that follow each other without a newline (Firehose) are a
//!   record each, and so are the elements of an array.
//! - A document over several lines, or anything else, is read whole, up to [`DOCUMENT_BYTES_MAX`].
//! - gzip is decompressed. A byte order mark at the start is skipped. An object without content has no lines.
//! - What is no UTF-8 text, is more than the function can take in one run, or has a key that the tables can't hold, is
//!   refused as a whole: it has one line, number [`WHOLE_OBJECT`], which says why.
//!
//! A batch of this system may begin with a [`Header`], which is none of its records ([`ObjectReader::header`]).
//!
//! Lines are numbered from 1, blank ones and the header included. The second and later records of one line take the next numbers.

mod text;

use std::io::Write as _;

use flate2::write::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use self::text::Text;
use crate::chain::{Header, ObjectHash};
use crate::object_key::{ObjectKey, RECORDED_CHARS_MAX};
use crate::payment::BODY_BYTES_MAX;
use crate::record::{self, LogRecord, RejectedLine};
use crate::timestamp::Timestamp;

/// Longest record, in bytes, as a line and as a row: the row fits one statement of 1 MiB, its other columns included.
/// Ours are shorter; other writers' members may be larger.
pub const LINE_BYTES_MAX: usize = 64 * BODY_BYTES_MAX - 4096;
const _: () = assert!(LINE_BYTES_MAX >= record::LINE_BYTES_MAX);

/// Largest document over several lines, such as an array.
pub const DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most content of one object, decompressed. Its rows are one transaction, and must fit one run of the function.
pub const OBJECT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most records of one object, for the same reason.
pub const OBJECT_LINES_MAX: u32 = 100_000;

/// Number of the header, in an object that begins with one.
pub const HEADER_LINE: u32 = 1;

/// Number of the only line of an object that is refused as a whole.
pub const WHOLE_OBJECT: u32 = 0;

/// Memory, in bytes, that the lines between two calls of [`ObjectReader::take`] may take. Parsed lines are counted, not
/// their text: `[0,0,…]` takes some twenty times its length. One part is inserted while the next is read.
const PART_BYTES: usize = 8 * 1024 * 1024;
const PART_LINES: usize = 4096;

/// Content that is read before the size of the part is looked at.
const PIECE: usize = 64 * 1024;

/// gzip makes at most about a thousand bytes of one, so so much is decompressed at a time.
const GZIP_PIECE: usize = 512;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// One record of an object, or why it is none, with its line.
pub type Line = (u32, Result<LogRecord, RejectedLine>);

/// Why a line, or an object as a whole, is not even tried as a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error(
        "the record is larger than {LINE_BYTES_MAX} bytes; make it smaller and upload the object again"
    )]
    LargeLine,
    #[error(
        "the document is larger than {DOCUMENT_BYTES_MAX} bytes; upload it with one JSON object a line"
    )]
    LargeDocument,
    #[error(
        "the object holds more than {OBJECT_BYTES_MAX} bytes or {OBJECT_LINES_MAX} records; split it and upload the parts"
    )]
    LargeObject,
    #[error(
        "the object's key has more than {RECORDED_CHARS_MAX} characters; copy the object to a shorter key"
    )]
    LongKey,
    #[error("the object is neither UTF-8 text nor gzip of it; convert it and upload it again")]
    NotText,
    #[error("the object is broken or incomplete gzip; upload it again")]
    BrokenGzip,
}

impl Unreadable {
    /// A stable word for the column `reason`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::LargeLine | Self::LargeDocument | Self::LargeObject => "too_large",
            Self::LongKey => "key_too_long",
            Self::NotText => "unsupported_encoding",
            Self::BrokenGzip => "broken_gzip",
        }
    }
}

/// Reads an object piece by piece, in bounded memory.
#[derive(Debug)]
pub struct ObjectReader {
    content: Content,
    /// SHA-256 of the bytes as they came.
    sha256: Sha256,
}

#[derive(Debug)]
enum Content {
    /// Fewer bytes so far than tell gzip from text.
    Unknown(Vec<u8>, Text),
    Plain(Text),
    Gzip(Box<MultiGzDecoder<Text>>),
}

impl ObjectReader {
    /// `stored_at` is when S3 stored the object.
    pub fn new(key: &ObjectKey, stored_at: Timestamp) -> Self {
        Self {
            content: Content::Unknown(Vec::new(), Text::new(key, stored_at)),
            sha256: Sha256::new(),
        }
    }

    /// Reads from the front of `bytes`; how many it took. Fewer than all: the part is full, and is to be taken first.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let taken = self.read(bytes);
        self.sha256.update(&bytes[..taken]);
        taken
    }

    fn read(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        if let Content::Unknown(head, text) = &mut self.content {
            taken = bytes.len().min(GZIP_MAGIC.len() - head.len());
            head.extend_from_slice(&bytes[..taken]);
            if head.len() < GZIP_MAGIC.len() {
                return taken;
            }
            let (head, text) = (std::mem::take(head), std::mem::take(text));
            self.begin(&head, text);
        }
        let piece = match self.content {
            Content::Gzip(_) => GZIP_PIECE,
            _ => PIECE,
        };
        for piece in bytes[taken..].chunks(piece) {
            if self.is_full() {
                break;
            }
            self.write(piece);
            taken += piece.len();
        }
        taken
    }

    /// The object ends here; why it is refused as a whole, in which case its lines count for nothing.
    pub fn finish(&mut self) -> Result<(), Unreadable> {
        if let Content::Unknown(head, text) = &mut self.content {
            let (head, text) = (std::mem::take(head), std::mem::take(text));
            self.begin(&head, text);
        }
        if let Content::Gzip(decoder) = &mut self.content
            && decoder.try_finish().is_err()
        {
            decoder.get_mut().refuse(Unreadable::BrokenGzip);
        }
        self.text_mut().finish()
    }

    /// Whether the lines are to be taken before more is read.
    pub fn is_full(&self) -> bool {
        let text = self.text();
        text.memory_bytes() >= PART_BYTES || text.lines().len() >= PART_LINES
    }

    /// How many lines there are to be taken.
    pub fn lines(&self) -> usize {
        self.text().lines().len()
    }

    /// The lines since the last call.
    pub fn take(&mut self) -> Vec<Line> {
        self.text_mut().take()
    }

    /// Hash of all that was pushed.
    pub fn sha256(&self) -> ObjectHash {
        ObjectHash::from(self.sha256.clone())
    }

    /// The object's header, once its first line was read.
    pub fn header(&self) -> Option<&Header> {
        self.text().header()
    }

    fn begin(&mut self, head: &[u8], mut text: Text) {
        self.content = if head.starts_with(&GZIP_MAGIC) {
            text.expect_no_header();
            Content::Gzip(Box::new(MultiGzDecoder::new(text)))
        } else {
            Content::Plain(text)
        };
        self.write(head);
    }

    fn write(&mut self, bytes: &[u8]) {
        match &mut self.content {
            Content::Unknown(..) => {}
            Content::Plain(text) => text.push(bytes),
            Content::Gzip(decoder) => {
                if !decoder.get_ref().is_refused() && decoder.write_all(bytes).is_err() {
                    decoder.get_mut().refuse(Unreadable::BrokenGzip);
                }
            }
        }
    }

    fn text(&self) -> &Text {
        match &self.content {
            Content::Unknown(_, text) | Content::Plain(text) => text,
            Content::Gzip(decoder) => decoder.get_ref(),
        }
    }

    fn text_mut(&mut self) -> &mut Text {
        match &mut self.content {
            Content::Unknown(_, text) | Content::Plain(text) => text,
            Content::Gzip(decoder) => decoder.get_mut(),
        }
    }
}

/// The header of an object that is in memory, by the rule of [`ObjectReader`].
pub fn read_header(key: &ObjectKey, body: &[u8]) -> Option<Header> {
    let line = body.split(|byte| *byte == b'\n').next()?;
    Header::of(text::node_of(key)?, line)
}

/// One record of an object that is in memory, with its text.
pub fn read_one(
    key: &ObjectKey,
    body: &[u8],
    stored_at: Timestamp,
    number: u32,
) -> Option<(Vec<u8>, LogRecord)> {
    let mut parts = Parts::new(key, body, stored_at);
    parts.reader.text_mut().keep(number);
    let mut found = None;
    while parts.ended.is_none() {
        let mut lines = parts.next_part().into_iter();
        found = found.or_else(|| lines.find(|(line, _)| *line == number));
    }
    let (_, record) = found.filter(|_| parts.ended == Some(Ok(())))?;
    Some((parts.reader.text_mut().kept(), record.ok()?))
}

/// The lines of an object that is in memory.
pub fn read_object<'a>(
    key: &ObjectKey,
    body: &'a [u8],
    stored_at: Timestamp,
) -> impl Iterator<Item = Line> + use<'a> {
    read_parts(key, body, stored_at).flatten()
}

/// The same, part by part. A part is made when it is asked for, so that a large object does not take many times its
/// size.
pub fn read_parts<'a>(
    key: &ObjectKey,
    body: &'a [u8],
    stored_at: Timestamp,
) -> impl Iterator<Item = Vec<Line>> + use<'a> {
    let mut check = Parts::new(key, body, stored_at);
    let mut first = Some(check.next_part());
    let mut rest = None;
    if check.ended != Some(Ok(())) {
        // Whether a larger one is refused shows at its end: it is read twice.
        first = None;
        match check.end() {
            Ok(()) => rest = Some(Parts::new(key, body, stored_at)),
            Err(why) => {
                let refused = RejectedLine::whole_object(key, why);
                first = Some(vec![(WHOLE_OBJECT, Err(refused))]);
            }
        }
    }
    first.into_iter().chain(std::iter::from_fn(move || {
        let rest = rest.as_mut().filter(|rest| rest.ended.is_none());
        rest.map(Parts::next_part)
    }))
}

/// An object in memory, part by part.
struct Parts<'a> {
    reader: ObjectReader,
    body: &'a [u8],
    ended: Option<Result<(), Unreadable>>,
}

impl<'a> Parts<'a> {
    fn new(key: &ObjectKey, body: &'a [u8], stored_at: Timestamp) -> Self {
        Self {
            reader: ObjectReader::new(key, stored_at),
            body,
            ended: None,
        }
    }

    fn next_part(&mut self) -> Vec<Line> {
        while !self.body.is_empty() && !self.reader.is_full() {
            let taken = self.reader.push(self.body);
            self.body = &self.body[taken..];
        }
        if self.body.is_empty() {
            self.ended = Some(self.reader.finish());
        }
        self.reader.take()
    }

    fn end(&mut self) -> Result<(), Unreadable> {
        loop {
            if let Some(ended) = self.ended {
                return ended;
            }
            self.next_part();
        }
    }
}

#[cfg(test)]
mod tests;
