//! The lab in a browser, as the AWS console would show it: a page a service, live, and buttons for faults.
//!
//! Each page is made on the server from what the parts say at that moment ([`source`]), and works without a script.
//! With one, the page asks for itself once a second and takes over what changed. The charts' past is kept by
//! [`watch`], which [`poll`] feeds. Buttons are forms, and [`guard`] sees to it that no other page can press them.
//!
//! All of them share one [`state::Console`], which sources, watch and traffic do not know.

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
pub use server::{Error, Server};
