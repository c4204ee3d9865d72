//! Tasks around a lab: running the notes, packing a release, taking screenshots.

pub mod browser;
pub mod command;
pub mod notes;
pub mod release;
pub mod screenshots;
