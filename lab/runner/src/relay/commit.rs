//! Recognises a COMMIT in the traffic to a MySQL server.

/// A packet of the text protocol: three bytes of length, sequence number 0, `COM_QUERY`, the statement.
/// <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html>
const COMMIT: &[u8] = b"\x07\x00\x00\x00\x03COMMIT";

/// Returns what a client sent before a COMMIT, if its bytes end with one: it then waits for the answer.
pub(super) fn before(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_suffix(COMMIT)
}

#[cfg(test)]
mod tests {
    use super::before;

    #[test]
    fn only_the_statement_itself_is_one() {
        assert_eq!(before(b"x\x07\x00\x00\x00\x03COMMIT"), Some(&b"x"[..]));
        assert_eq!(before(b"\x0c\x00\x00\x00\x03SELECT COMMIT"), None);
        assert_eq!(before(b"\x07\x00\x00\x00\x03COMMI"), None);
    }
}
