//! What a channel is over unless it is told.

#[cfg(feature = "server")]
pub(crate) use smol::net::TcpStream;

/// Without the server, a channel's stream is always named: there is nothing that it would be over otherwise.
#[cfg(not(feature = "server"))]
#[derive(Debug)]
pub enum TcpStream {}
