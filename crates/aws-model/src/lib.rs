//! The pipeline's AWS account as data: who may do what, and who reaches whom.
//!
//! - [`iam`]: IAM policies, and what they decide.
//! - [`network`]: subnets, routes, security groups and ACLs of `deploy-notes/network.toml`.
//!
//! It does no I/O: whoever asks brings the text.

pub mod iam;
pub mod network;
