//! What is shipped: the programs for one processor, packed so that the same commit gives the same bytes.
//!
//! [`target`] is where programs run, [`rust`] compiles them and [`build`] says how, [`package`] says what belongs together, [`archive`] packs
//! it, and [`sbom`] lists what it was made of. It must not know what the programs do.

pub mod archive;
pub mod build;
pub mod package;
pub mod rust;
pub mod sbom;
pub mod target;

pub use self::package::{Commit, Product};
