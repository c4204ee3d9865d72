//! Why the server did not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::ConfigError;
use crate::notify::SpoolError;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("the configuration is wrong")]
    Config(#[from] ConfigError),
    #[error("root {} can't be made; check that its parent is writable", path.display())]
    Root { path: PathBuf, source: io::Error },
    #[error("the objects can't be opened")]
    Store(#[from] StoreError),
    #[error("the event spool can't be opened")]
    Spool(#[from] SpoolError),
    #[error("can't listen on {addr}; choose another address or end what uses it")]
    Listen { addr: SocketAddr, source: io::Error },
    #[error("signals can't be waited for")]
    Signals(#[source] io::Error),
}
