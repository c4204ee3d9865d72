//! A bucket's notification rules.

use super::destination::Destination;

/// Events that the lab emits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventName {
    Put,
    Copy,
    CompleteMultipartUpload,
}

impl EventName {
    const ALL: [Self; 3] = [Self::Put, Self::Copy, Self::CompleteMultipartUpload];

    /// The name in events: without the `s3:` of a rule.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Put => "ObjectCreated:Put",
            Self::Copy => "ObjectCreated:Copy",
            Self::CompleteMultipartUpload => "ObjectCreated:CompleteMultipartUpload",
        }
    }

    /// Returns the events that `s3:ObjectCreated:*` and so on select; `None` for an unknown name.
    pub fn selected_by(name: &str) -> Option<Vec<Self>> {
        let name = name.strip_prefix("s3:")?;
        if name == "ObjectCreated:*" {
            return Some(Self::ALL.to_vec());
        }
        Self::ALL
            .into_iter()
            .find(|event| event.as_str() == name)
            .map(|event| vec![event])
    }
}

/// Which events go to which destination.
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: String,
    pub prefix: String,
    pub suffix: String,
    pub events: Vec<EventName>,
    pub destination: Destination,
}

impl Rule {
    pub fn selects(&self, event: EventName, key: &str) -> bool {
        self.events.contains(&event) && key.starts_with(&self.prefix) && key.ends_with(&self.suffix)
    }
}
