//! Finds the process that listens on a port, if `/proc` shows it.

use std::{fs, path::Path};

/// The listening process.
#[derive(Debug, Eq, PartialEq)]
pub struct Holder {
    pub pid: u32,
    pub name: String,
}

impl Holder {
    /// Returns the process that listens on a TCP port, if `/proc` exists and we may see the process.
    pub(super) fn of(port: u16) -> Option<Self> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
        let socket = tables
            .iter()
            .filter_map(|table| fs::read_to_string(table).ok())
            .find_map(|table| Some(format!("socket:[{}]", listening_inode(&table, port)?)))?;
        fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            has_open(&entry.path(), &socket).then_some(())?;
            let name = fs::read_to_string(entry.path().join("comm")).ok()?;
            Some(Self {
                pid,
                name: name.trim_end().to_owned(),
            })
        })
    }
}

/// Parses `/proc/net/tcp`: the second column is the local address in hex, the fourth the state (`0A` is listening), the
/// tenth the inode.
fn listening_inode(table: &str, port: u16) -> Option<&str> {
    let port = format!(":{port:04X}");
    table.lines().find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let listens = columns.get(1)?.ends_with(&port) && *columns.get(3)? == "0A";
        listens.then(|| columns.get(9).copied()).flatten()
    })
}

fn has_open(process: &Path, target: &str) -> bool {
    let Ok(open) = fs::read_dir(process.join("fd")) else {
        return false;
    };
    open.flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .any(|link| link.as_os_str() == target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_from_a_port_does_not_listen_on_it() {
        let connected = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:2328 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 111 1";
        let listening = connected.replace(" 01 ", " 0A ");
        assert_eq!(listening_inode(connected, 9000), None);
        assert_eq!(listening_inode(&listening, 9000), Some("111"));
        assert_eq!(listening_inode(&listening, 900), None);
    }
}
