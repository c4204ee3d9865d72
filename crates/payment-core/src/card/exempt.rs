//! Which members the door looks at.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::str::FromStr;

/// The members whose values are not searched for card numbers: none, unless a deployment says so.
///
/// What they hold may be a card number, and systems that store it are then in scope of PCI DSS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardCheck {
    exempt: BTreeSet<Box<str>>,
}

impl CardCheck {
    /// The environment variable that names the exempt members, comma-separated.
    pub const VARIABLE: &str = "CARD_CHECK_EXEMPT";

    /// Looks at every member.
    pub const ALL: Self = Self {
        exempt: BTreeSet::new(),
    };

    /// Whether this member of a payment, of any depth below it, is left out.
    pub fn is_exempt(&self, member: &str) -> bool {
        !self.exempt.is_empty() && self.exempt.contains(member)
    }

    /// Returns the names of members that are left out.
    pub fn exempt(&self) -> impl Iterator<Item = &str> {
        self.exempt.iter().map(|name| &**name)
    }
}

impl FromStr for CardCheck {
    type Err = Infallible;

    fn from_str(names: &str) -> Result<Self, Infallible> {
        let names = names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        Ok(Self {
            exempt: names.map(Into::into).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_separated_by_commas_and_blanks_around_them_do_not_count() {
        let check: CardCheck = " order_no, id ,,".parse().unwrap();
        assert_eq!(check.exempt().collect::<Vec<_>>(), ["id", "order_no"]);
        assert!(check.is_exempt("id") && !check.is_exempt("note"));
        assert_eq!("".parse(), Ok(CardCheck::ALL));
    }
}
