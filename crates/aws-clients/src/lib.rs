//! What every client of AWS shares: region and credentials from the SDK's own chain, bounds on every wait, TLS on ring.

pub mod aws;
pub mod failure;
pub mod s3;

use program::env::Variable;

/// What the SDK itself reads.
pub const VARIABLES: Variable = Variable {
    name: "AWS_…",
    default: "AWS SDK",
    help: "region, endpoint and credentials, as the AWS SDK reads them",
};
