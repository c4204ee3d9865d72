//! The host of each part.

use crate::part_name::PartName;

/// Returns the hosts on which a part runs; a load balancer has a node in each zone.
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

/// Returns the namespace in which a part's process runs. A load balancer runs in that of its first node, and creates
/// sockets in the others itself.
pub fn home_of(part: PartName) -> Option<&'static str> {
    match part {
        PartName::Relay | PartName::Control | PartName::Console => None,
        PartName::Sqs => Some(part.as_str()),
        _ => hosts_of(part).first().copied(),
    }
}
