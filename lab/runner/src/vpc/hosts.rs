//! Which part is on which host.

use crate::part_name::PartName;

/// The hosts of the network in which a part runs; a load balancer has a node in each zone.
pub fn hosts_of(part: PartName) -> &'static [&'static str] {
    match part {
        PartName::Alb => &["alb-a", "alb-b"],
        PartName::WebA => &["web-a"],
        PartName::WebB => &["web-b"],
        PartName::Ilb => &["ilb-a", "ilb-b"],
        PartName::AppA => &["app-a"],
        PartName::AppB => &["app-b"],
        PartName::Lambda => &["lambda"],
        PartName::Mysql => &["db"],
        PartName::S3 => &["s3"],
        PartName::Sqs | PartName::Relay | PartName::Control | PartName::Console => &[],
    }
}

/// The namespace in which a part's process runs. A load balancer's is in that of its first node, and makes sockets in
/// those of the others by itself.
pub fn home_of(part: PartName) -> Option<&'static str> {
    match part {
        PartName::Relay | PartName::Control | PartName::Console => None,
        PartName::Sqs => Some(part.as_str()),
        _ => hosts_of(part).first().copied(),
    }
}
