//! What is done with a lab beside running it: the notes run, the release packed, the pictures taken.

pub mod browser;
pub mod command;
pub mod notes;
pub mod release;
pub mod screenshots;
