//! Names within a network: each is there once, and what is named is there.

use std::{collections::HashSet, ops::Range};

use toml::Spanned;

use crate::network::{
    model::Peer,
    value::{Cidr, Name},
};

pub(super) struct Fault {
    pub(super) place: Range<usize>,
    pub(super) text: String,
}

pub(super) fn fault<T>(at: &Spanned<T>, text: String) -> Fault {
    Fault {
        place: at.span(),
        text,
    }
}

/// Names of one kind, each once.
pub(super) struct Known {
    kind: &'static str,
    names: HashSet<Name>,
}

impl Known {
    pub(super) fn of<'a>(
        kind: &'static str,
        names: impl IntoIterator<Item = &'a Spanned<Name>>,
    ) -> Result<Self, Fault> {
        let mut known = HashSet::new();
        for name in names {
            if !known.insert(name.get_ref().clone()) {
                return Err(fault(
                    name,
                    format!("there are two of the {kind} {}", name.get_ref()),
                ));
            }
        }
        Ok(Self { kind, names: known })
    }

    pub(super) fn check(&self, name: Spanned<Name>) -> Result<Name, Fault> {
        if self.names.contains(name.get_ref()) {
            Ok(name.into_inner())
        } else {
            let text = format!("there is no {} {}", self.kind, name.get_ref());
            Err(fault(&name, text))
        }
    }
}

/// What a peer may be named after.
pub(super) struct Peers {
    pub(super) groups: Known,
    pub(super) lists: Known,
}

impl Peers {
    pub(super) fn resolve(&self, name: Spanned<Name>) -> Result<Peer, Fault> {
        let text = name.get_ref().to_string();
        if text.contains('/') {
            let cidr = Cidr::try_from(text).map_err(|text| fault(&name, text))?;
            return Ok(Peer::Cidr(cidr));
        }
        if self.lists.names.contains(name.get_ref()) {
            return Ok(Peer::PrefixList(name.into_inner()));
        }
        if self.groups.names.contains(name.get_ref()) {
            return Ok(Peer::Group(name.into_inner()));
        }
        let text = format!("{text} is no CIDR, group or prefix list");
        Err(fault(&name, text))
    }
}
