//! The lab in a browser, as the AWS console would show it: one live page per service, and buttons for faults.
//!
//! Each page is rendered on the server from the current state of the parts ([`source`]), and works without scripts.
//! With scripts, the page requests itself once a second and updates what changed. [`watch`] keeps the history for the
//! charts, fed by [`poll`]. Buttons are forms, and [`guard`] makes sure that no other page can submit them.
//!
//! All of them share one [`state::Console`], which source, watch and traffic do not depend on.

pub mod action;
pub mod assets;
pub mod config;
pub mod guard;
pub mod page;
pub mod poll;
pub mod server;
pub mod source;
pub mod state;
pub mod text;
pub mod traffic;
pub mod watch;

pub use config::Config;
pub use server::Server;
