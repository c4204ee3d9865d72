//! Conditional reads (RFC 9110, section 13.2.2).

use s3s::dto::{ETagCondition, Timestamp};
use s3s::{S3Result, s3_error};
use time::OffsetDateTime;

use crate::store::Head;

#[derive(Default)]
#[expect(clippy::struct_field_names, reason = "the names of the headers")]
pub struct ReadConditions {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

impl ReadConditions {
    /// Returns 412 if the object is not the one wanted, 304 if the client has it already. Dates count only if no `ETag`
    /// condition of the same kind is given.
    pub fn check(self, head: &Head) -> S3Result<()> {
        let is = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(etag) => etag.value() == head.etag,
        };
        let modified_after = |date: Timestamp| {
            let modified = head.modified.time();
            modified.replace_nanosecond(0).unwrap_or(modified) > OffsetDateTime::from(date)
        };
        let wanted = match (self.if_match, self.if_unmodified_since) {
            (Some(condition), _) => is(&condition),
            (None, Some(date)) => !modified_after(date),
            (None, None) => true,
        };
        let known = match (self.if_none_match, self.if_modified_since) {
            (Some(condition), _) => is(&condition),
            (None, Some(date)) => !modified_after(date),
            (None, None) => false,
        };
        match (wanted, known) {
            (false, _) => Err(s3_error!(
                PreconditionFailed,
                "At least one of the pre-conditions you specified did not hold"
            )),
            (true, true) => Err(s3_error!(NotModified, "Not Modified")),
            (true, false) => Ok(()),
        }
    }
}
