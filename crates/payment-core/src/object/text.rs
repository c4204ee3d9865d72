//! The text of an object, cut into records.

use std::io;

use memchr::memchr;
use serde_json::value::RawValue;

use super::{
    DOCUMENT_BYTES_MAX, HEADER_LINE, LINE_BYTES_MAX, Line, OBJECT_BYTES_MAX, OBJECT_LINES_MAX,
    Unreadable,
};
use crate::chain::{Header, Node};
use crate::json::JsonError;
use crate::object_key::ObjectKey;
use crate::payment::{Payment, PaymentError};
use crate::record::{LogRecord, RecordError, RejectedLine, read_line};
use crate::timestamp::Timestamp;

/// RFC 8259, 8.1: a reader may skip it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// UTF-16 at the start; UTF-32 starts so, too, or with zeros.
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// As many bytes tell text from anything else.
const HEAD_BYTES: usize = 256;

/// Control characters of a head that is still text, as a broken line may have. A tenth of what is compressed or
/// encrypted are such bytes, and half of what is UTF-16.
const HEAD_CONTROLS_MAX: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Text {
    /// Layout by the object's name, once the head is known to be text.
    named: Layout,
    /// The key says that this system wrote the object.
    is_own: bool,
    /// While the object may still begin with a header: the node that its key names.
    begins: Option<Node>,
    header: Option<Header>,
    stored_at: Option<Timestamp>,
    layout: Layout,
    /// The head, the line that is not at its end, or the document.
    buffer: Vec<u8>,
    /// Bytes so far.
    read: usize,
    /// Number of the last record or blank line.
    number: u32,
    /// The line has brought a record.
    has_record: bool,
    /// The rest of the line is too large, and is passed over.
    skips: bool,
    records: u32,
    lines: Vec<Line>,
    /// The record whose text is kept, and the text.
    kept: Option<(u32, Vec<u8>)>,
    /// Memory, in bytes, that these lines take.
    memory: usize,
    refused: Option<Unreadable>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Layout {
    /// Not known to be text.
    #[default]
    Head,
    /// Text of which the first line is to decide.
    Undecided,
    Lines,
    Document,
}

impl Text {
    pub fn new(key: &ObjectKey, stored_at: Timestamp) -> Self {
        Self {
            named: if key.is_batch() {
                Layout::Lines
            } else {
                Layout::Undecided
            },
            is_own: key.is_own(),
            begins: node_of(key),
            stored_at: Some(stored_at),
            refused: (!key.is_recordable()).then_some(Unreadable::LongKey),
            ..Self::default()
        }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if self.refused.is_some() {
            return;
        }
        self.read = self.read.saturating_add(bytes.len());
        if self.read > OBJECT_BYTES_MAX {
            return self.refuse(Unreadable::LargeObject);
        }
        if self.layout == Layout::Head {
            self.buffer.extend_from_slice(bytes);
            if self.buffer.len() >= HEAD_BYTES {
                self.start();
            }
        } else {
            self.feed(bytes);
        }
    }

    pub fn finish(&mut self) -> Result<(), Unreadable> {
        if self.layout == Layout::Head {
            self.start();
        }
        let rest = std::mem::take(&mut self.buffer);
        if !self.skips && self.refused.is_none() {
            self.line(&rest);
        }
        self.refused.map_or(Ok(()), Err)
    }

    pub fn refuse(&mut self, why: Unreadable) {
        self.refused.get_or_insert(why);
        self.buffer = Vec::new();
        self.lines.clear();
    }

    /// What is read are not the bytes of the object itself, as the hashes of the chain cover them.
    pub fn expect_no_header(&mut self) {
        self.begins = None;
    }

    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    pub fn keep(&mut self, number: u32) {
        self.kept = Some((number, Vec::new()));
    }

    pub fn kept(&mut self) -> Vec<u8> {
        self.kept.take().map_or_else(Vec::new, |(_, text)| text)
    }

    pub fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    pub fn memory_bytes(&self) -> usize {
        self.memory
    }

    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub fn take(&mut self) -> Vec<Line> {
        self.memory = 0;
        std::mem::take(&mut self.lines)
    }

    /// The head is there, or all of a shorter object.
    fn start(&mut self) {
        let head = std::mem::take(&mut self.buffer);
        if !is_text(&head) {
            return self.refuse(Unreadable::NotText);
        }
        self.layout = self.named;
        match head.strip_prefix(BYTE_ORDER_MARK) {
            Some(text) => {
                self.begins = None;
                self.feed(text);
            }
            None => self.feed(&head),
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        match self.layout {
            Layout::Lines => self.feed_lines(bytes),
            Layout::Head | Layout::Undecided => {
                self.buffer.extend_from_slice(bytes);
                self.decide();
            }
            Layout::Document => {
                self.buffer.extend_from_slice(bytes);
                if self.buffer.len() > DOCUMENT_BYTES_MAX {
                    self.refuse(Unreadable::LargeDocument);
                }
            }
        }
    }

    /// Lines where the first one is JSON as it stands; a document where its value goes on, or is none.
    fn decide(&mut self) {
        let blanks = self.buffer.len() - self.buffer.trim_ascii_start().len();
        self.buffer.drain(..blanks);
        let end = self.buffer.iter().position(|byte| *byte == b'\n');
        let has_value = match end {
            Some(end) => values(&self.buffer[..end]).is_some_and(|values| !values.is_empty()),
            None if self.buffer.len() > LINE_BYTES_MAX => leading_objects(&self.buffer).1 > 0,
            None => return,
        };
        let text = std::mem::take(&mut self.buffer);
        self.layout = if has_value {
            Layout::Lines
        } else {
            Layout::Document
        };
        self.feed(&text);
    }

    fn feed_lines(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (piece, behind) = rest.split_at(end);
            rest = behind;
            let text = piece.strip_suffix(b"\n");
            match text {
                Some(line) if self.buffer.is_empty() && !self.skips => self.line(line),
                Some(rest) => {
                    let mut line = std::mem::take(&mut self.buffer);
                    if self.skips {
                        self.skips = false;
                        self.has_record = false;
                    } else {
                        line.extend_from_slice(rest);
                        self.line(&line);
                        line.clear();
                    }
                    // The allocation serves the next line.
                    self.buffer = line;
                }
                None if self.skips => {}
                None => {
                    self.buffer.extend_from_slice(piece);
                    if self.buffer.len() > LINE_BYTES_MAX {
                        self.relieve();
                    }
                }
            }
            if self.refused.is_some() {
                return;
            }
        }
    }

    /// A line that grows without end holds many values, or one that is too large.
    fn relieve(&mut self) {
        self.begins = None;
        let mut buffer = std::mem::take(&mut self.buffer);
        let (objects, end) = leading_objects(&buffer);
        for object in objects {
            self.record(object.get().as_bytes());
        }
        buffer.drain(..end);
        if buffer.len() > LINE_BYTES_MAX {
            self.push_line(&[], Err(self.unreadable(Unreadable::LargeLine)));
            self.skips = true;
            buffer.clear();
        }
        self.buffer = buffer;
    }

    /// A whole line, or what is left of one.
    fn line(&mut self, text: &[u8]) {
        if let Some(node) = self.begins.take()
            && let Some(header) = Header::of(node, text)
        {
            self.header = Some(header);
            self.number = HEADER_LINE;
            return;
        }
        if !text.trim_ascii().is_empty() {
            match self.read_record(text) {
                Err(rejected) if may_be_several(&rejected.error) => match values(text) {
                    Some(values) => {
                        for value in values {
                            self.record(value.get().as_bytes());
                        }
                    }
                    None => self.push_line(text, Err(rejected)),
                },
                result => self.push_line(text, result),
            }
        }
        if !std::mem::take(&mut self.has_record) {
            self.number = self.number.saturating_add(1);
        }
    }

    fn record(&mut self, text: &[u8]) {
        let result = self.read_record(text);
        self.push_line(text, result);
    }

    fn read_record(&self, text: &[u8]) -> Result<LogRecord, RejectedLine> {
        let bytes = text.trim_ascii().len();
        if bytes > LINE_BYTES_MAX {
            return Err(self.unreadable(Unreadable::LargeLine));
        }
        let stored_at = self.stored_at.unwrap_or(Timestamp::EPOCH);
        let record = read_line(text, self.is_own, stored_at)?;
        // No byte becomes more than three.
        if bytes > LINE_BYTES_MAX / 3 && record.payment.stored_bytes() > LINE_BYTES_MAX {
            return Err(RejectedLine::too_large(&record, self.is_own));
        }
        Ok(record)
    }

    fn unreadable(&self, why: Unreadable) -> RejectedLine {
        RejectedLine::unread(self.is_own, why)
    }

    fn push_line(&mut self, text: &[u8], result: Result<LogRecord, RejectedLine>) {
        self.has_record = true;
        self.number = self.number.saturating_add(1);
        if let Some((number, kept)) = &mut self.kept
            && *number == self.number
        {
            *kept = text.trim_ascii().to_vec();
        }
        self.records += 1;
        if self.records > OBJECT_LINES_MAX {
            self.refuse(Unreadable::LargeObject);
        } else if self.refused.is_none() {
            let payment = result.as_ref().ok().map(|record| &record.payment);
            self.memory += size_of::<Line>() + payment.map_or(0, Payment::heap_bytes);
            self.lines.push((self.number, result));
        }
    }
}

/// The node whose header may begin the object.
pub(super) fn node_of(key: &ObjectKey) -> Option<Node> {
    key.own_batch().and_then(|(_, node)| Node::parse(node))
}

/// Where gzip is decompressed to. What is refused is passed over.
impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn is_text(head: &[u8]) -> bool {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let is_control = |byte: &&u8| **byte < b' ' && !byte.is_ascii_whitespace();
    head.iter().filter(is_control).count() <= HEAD_CONTROLS_MAX
        && !UTF_16_MARKS.iter().any(|mark| head.starts_with(mark))
}

/// Whether the text may hold several records, of which each is to be read by itself.
fn may_be_several(error: &RecordError) -> bool {
    matches!(
        error,
        RecordError::Payment(PaymentError::Json(
            JsonError::Syntax { .. } | JsonError::NotAnObject
        )) | RecordError::Unreadable(Unreadable::LargeLine)
    )
}

/// The objects that the text consists of, those in arrays among them. `None` if it is anything else.
fn values(text: &[u8]) -> Option<Vec<&RawValue>> {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>() {
        let value = value.ok()?;
        match value.get().as_bytes().first() {
            Some(b'{') => values.push(value),
            Some(b'[') => values.append(&mut serde_json::from_str(value.get()).ok()?),
            _ => return None,
        }
    }
    Some(values)
}

/// The objects that the text begins with, and where the last one ends.
fn leading_objects(text: &[u8]) -> (Vec<&RawValue>, usize) {
    let mut stream = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
    let (mut objects, mut end) = (Vec::new(), 0);
    while let Some(Ok(value)) = stream.next() {
        if !value.get().starts_with('{') {
            break;
        }
        objects.push(value);
        end = stream.byte_offset();
    }
    (objects, end)
}
