//! Cuts off a zone or a host: no packet enters or leaves it.

use anyhow::{Context as _, Result};
use aws_model::network::{Host, Zone};

use crate::vpc::Vpc;

impl Vpc {
    /// Returns the zone with that name.
    pub fn zone(&self, name: &str) -> Result<Zone> {
        let zones = self.network.zones();
        let known = name.parse().ok().filter(|zone| zones.contains(zone));
        known.with_context(|| {
            let known: Vec<_> = zones.iter().map(ToString::to_string).collect();
            let (path, known) = (self.path.display(), known.join(", "));
            format!("{path} has no zone {name}; known zones: {known}")
        })
    }

    /// Disconnects every host in the zone, including load balancer nodes.
    pub fn cut(&self, zone: Zone) -> Result<()> {
        self.set_links(self.hosts_of_zone(zone), "down")
    }

    pub fn heal(&self, zone: Zone) -> Result<()> {
        self.set_links(self.hosts_of_zone(zone), "up")
    }

    /// Disconnects one host.
    pub fn cut_host(&self, name: &str) -> Result<()> {
        self.set_links([name], "down")
    }

    pub fn heal_host(&self, name: &str) -> Result<()> {
        self.set_links([name], "up")
    }

    /// Whether it is cut off now.
    pub fn is_cut(&self, zone: Zone) -> Result<bool> {
        let links = self.links()?;
        Ok(self.hosts_of_zone(zone).next().is_some_and(|host| {
            let link = format!("{host}@");
            let mut lines = links.lines().filter(|line| line.starts_with(&link));
            lines.any(|line| line.contains(" DOWN "))
        }))
    }

    fn hosts_of_zone(&self, zone: Zone) -> impl Iterator<Item = &str> {
        let is_in_zone = move |host: &Host| {
            let subnet = host.subnet.as_ref();
            let subnet = subnet.and_then(|name| self.network.subnet(name));
            subnet.is_some_and(|subnet| subnet.zone == zone)
        };
        let hosts = self.network.hosts();
        hosts
            .filter(move |host| is_in_zone(host))
            .map(|host| host.name.as_str())
    }
}
