//! Recognises a COMMIT on its way to a MySQL server.

/// A packet of the text protocol: three bytes of length, a sequence number of 0, `COM_QUERY`, the statement.
/// <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html>
const COMMIT: &[u8] = b"\x07\x00\x00\x00\x03COMMIT";

/// Whether the bytes that a client sent end in a COMMIT: it then waits for the answer.
pub(super) fn is_sent(bytes: &[u8]) -> bool {
    bytes.ends_with(COMMIT)
}

#[cfg(test)]
mod tests {
    use super::is_sent;

    #[test]
    fn only_the_statement_itself_is_one() {
        assert!(is_sent(b"\x07\x00\x00\x00\x03COMMIT"));
        assert!(!is_sent(b"\x0c\x00\x00\x00\x03SELECT COMMIT"));
        assert!(!is_sent(b"\x07\x00\x00\x00\x03COMMI"));
    }
}
