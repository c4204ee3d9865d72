//! A zone cut off: no packet reaches its hosts or leaves them.

use aws_model::network::Zone;

use crate::vpc::{Error, Vpc};

impl Vpc {
    /// The zone of that name.
    pub fn zone(&self, name: &str) -> Result<Zone, Error> {
        let zones = self.network.zones();
        let known = name.parse().ok().filter(|zone| zones.contains(zone));
        known.ok_or_else(|| {
            let known: Vec<_> = zones.iter().map(ToString::to_string).collect();
            Error::NoZone {
                path: self.path.clone(),
                zone: name.to_owned(),
                known: known.join(", "),
            }
        })
    }

    /// Pulls the plug of every host in the zone, load balancer's nodes included.
    pub fn cut(&self, zone: Zone) -> Result<(), Error> {
        self.set_links(&self.subnets_of(zone), "down")
    }

    pub fn heal(&self, zone: Zone) -> Result<(), Error> {
        self.set_links(&self.subnets_of(zone), "up")
    }

    /// Whether it is cut off now.
    pub fn is_cut(&self, zone: Zone) -> Result<bool, Error> {
        let subnets = self.subnets_of(zone);
        let links = self.links()?;
        let host = self.network.hosts().find(|host| {
            let subnet = host.subnet.as_ref();
            subnet.is_some_and(|name| subnets.contains(&name))
        });
        Ok(host.is_some_and(|host| {
            let link = format!("{}@", host.name);
            let mut lines = links.lines().filter(|line| line.starts_with(&link));
            lines.any(|line| line.contains(" DOWN "))
        }))
    }

    fn subnets_of(&self, zone: Zone) -> Vec<&aws_model::network::Name> {
        let subnets = self.network.subnets.iter();
        subnets
            .filter(|subnet| subnet.zone == zone)
            .map(|subnet| &subnet.name)
            .collect()
    }
}
