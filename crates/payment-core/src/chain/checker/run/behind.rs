//! What the numbers behind one say of it, if no header names it.

use super::super::object::Name;
use super::super::view::NAMED_WITHIN;
use super::Claim;
use crate::timestamp::Timestamp;

/// What stands behind a number, for those before it.
#[derive(Debug, Clone, Copy)]
pub enum Behind {
    /// A header that counts.
    Header(Sealed),
    /// A header that counted, and can't be read any more.
    Lost,
    /// One that lies outside the span.
    Outside,
    /// Numbers whose headers may still be seen, or be named by later ones that say again what they said.
    Open,
}

#[derive(Debug, Clone, Copy)]
pub struct Sealed {
    pub name: Name,
    pub at: Timestamp,
    pub is_end: bool,
    pub is_full: bool,
}

/// What the numbers behind say of one that no header names.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silence {
    /// The header that had to name it.
    pub broken_by: Option<Name>,
    pub is_lost: bool,
    pub is_outside: bool,
}

/// Whether a number was to be named by now: one that was sealed then, or one of a gap, for which the next header's
/// clock stands in.
pub fn silence(behind: &[Behind], mut sealed: Option<Timestamp>) -> Silence {
    let mut silence = Silence::default();
    for behind in behind.iter().rev() {
        let later = match behind {
            Behind::Lost => {
                silence.is_lost = true;
                continue;
            }
            Behind::Outside => {
                silence.is_outside = true;
                continue;
            }
            Behind::Open => break,
            Behind::Header(later) => later,
        };
        let by = sealed.get_or_insert(later.at).to_utc();
        let is_late = by.saturating_add(NAMED_WITHIN) < later.at.to_utc();
        if later.is_end || is_late && !later.is_full {
            silence.broken_by = Some(later.name);
            break;
        }
    }
    silence
}

impl From<&Claim> for Sealed {
    fn from(claim: &Claim) -> Self {
        Self {
            name: claim.name,
            at: claim.clock,
            is_end: claim.is_end,
            is_full: claim.is_full,
        }
    }
}
