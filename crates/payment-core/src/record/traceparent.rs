//! The header `traceparent`.

use crate::hex;

/// The value of the header `traceparent` (W3C Trace Context, version 00). Lines are read by the same rule: what is
/// to be refused of a header besides is for the tier to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(Box<str>);

impl TraceParent {
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let is_id = |part: &str| is_hex(part) && part.bytes().any(|b| b != b'0');
        let mut parts = text.split('-');
        let mut next = |length| parts.next().filter(|part| part.len() == length);
        let (version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
        let is_right = version == "00" && is_id(trace) && is_id(span) && is_hex(flags);
        (is_right && parts.next().is_none()).then(|| Self(text.into()))
    }

    /// One of this system's own, of random bytes.
    pub fn new(trace: [u8; 16], span: [u8; 8], sampled: bool) -> Self {
        // Neither may be 0, however unlikely that is.
        let (trace, span) = (u128::from_be_bytes(trace), u64::from_be_bytes(span));
        let (trace, span) = (trace.max(1), span.max(1));
        let mut text = String::with_capacity(55);
        text.push_str("00-");
        hex::push(&trace.to_be_bytes(), &mut text);
        text.push('-');
        hex::push(&span.to_be_bytes(), &mut text);
        text.push_str(if sampled { "-01" } else { "-00" });
        Self(text.into())
    }

    /// 32 hexadecimal digits: what all parts of a trace have in common.
    pub fn trace_id(&self) -> &str {
        &self.0[3..35]
    }

    /// 16 hexadecimal digits: who sent the request.
    pub fn span_id(&self) -> &str {
        &self.0[36..52]
    }

    /// Whether the sender records this trace.
    pub fn is_sampled(&self) -> bool {
        u8::from_str_radix(&self.0[53..], 16).is_ok_and(|flags| flags & 1 == 1)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
