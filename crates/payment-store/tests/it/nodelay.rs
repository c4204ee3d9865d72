//! Statements leave at once.

use std::net::{TcpListener, TcpStream};

use sqlx::MySqlPool;

use crate::harness::database;

#[sqlx::test]
async fn a_new_connection_turns_off_nagles_algorithm(pool: MySqlPool) {
    // Nobody shows the connection's socket; but it is set on all sockets of the process.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert!(!socket.nodelay().unwrap());

    database(&pool).pool(1).acquire().await.unwrap();

    assert!(socket.nodelay().unwrap());
}
