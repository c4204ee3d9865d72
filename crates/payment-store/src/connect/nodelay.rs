//! Nagle's algorithm off (`TCP_NODELAY`): no packet waits for the acknowledgement of earlier ones.
//!
//! The driver writes a statement of more than 16 KiB as several TLS records, each with a call of its own, so the last one
//! would wait for the server's delayed acknowledgement: 40 ms. sqlx 0.9.0 sets no option and shows nobody its socket
//! (sqlx issue 4335). With a version that sets it, this module can go.

use std::fs;
use std::io;

use rustix::net::sockopt::set_tcp_nodelay;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// Sets it on each TCP socket of this process: which of them is the connection's, nobody says, and all others want it
/// too. Where the system forbids that, connections work as before, with the delay.
pub(super) async fn set() {
    // A busy tier has thousands of sockets.
    let done = tokio::task::spawn_blocking(set_on_all).await;
    if let Ok(Err(error)) = done {
        tracing::debug!(%error, "TCP_NODELAY can't be set on the database's connection");
    }
}

fn set_on_all() -> io::Result<()> {
    let process = pidfd_open(getpid(), PidfdFlags::empty())?;
    for entry in fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        let Some(number) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        match pidfd_getfd(&process, number, PidfdGetfdFlags::empty()) {
            // What is no TCP socket refuses.
            Ok(socket) => drop(set_tcp_nodelay(socket, true)),
            // Closed meanwhile.
            Err(rustix::io::Errno::BADF) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
