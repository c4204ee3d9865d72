//! Why the server did not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use server_kit::config::ConfigError;

use crate::notify::SpoolError;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("cannot start")]
    Config(#[from] ConfigError),
    #[error("cannot create the root {}; check that its parent is writable", path.display())]
    Root { path: PathBuf, source: io::Error },
    #[error("cannot open the objects")]
    Store(#[from] StoreError),
    #[error("cannot open the event spool")]
    Spool(#[from] SpoolError),
    #[error("cannot listen on {addr}; choose another address or stop the program that uses it")]
    Listen { addr: SocketAddr, source: io::Error },
}
