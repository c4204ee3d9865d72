//! Packages what is shipped: the programs for one target, packed so that the same commit gives the same bytes.
//!
//! [`target`]: where programs run. [`rust`] and [`build`]: the compiler, and how it is called. [`package`]: what
//! belongs together. [`archive`]: reproducible archives. [`sbom`]: the list of components. It does not depend on what
//! the programs do.

pub mod archive;
pub mod build;
pub mod package;
pub mod rust;
pub mod sbom;
pub mod target;

pub use self::package::{Commit, Product};
