//! Options of TCP sockets, and listeners.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

#[cfg(unix)]
use std::os::fd::AsFd as AsSocket;
#[cfg(windows)]
use std::os::windows::io::AsSocket;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// The port that `AGI(agi://host/path)` means.
pub const PORT: u16 = 4573;

/// Listens on the first address that can be bound, with the longest queue that the system allows. The listener is
/// non-blocking.
///
/// A host name is resolved by the system, which blocks the thread meanwhile; an address is not.
///
/// # Errors
///
/// Those of the operating system; for the last address, if none can be bound.
pub fn listen(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let mut refused = io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on");
    for address in address.to_socket_addrs()? {
        match listen_on(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted server gets its port back though old connections linger. On Windows this would let others take the
    // port away.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    // the system shortens what it is asked for
    socket.listen(i32::MAX)?;
    Ok(socket.into())
}

/// Sets the options of a new connection: a command does not wait for the acknowledgement of the one before, and the
/// system asks after a peer that is silent, at its own intervals, because one whose machine died says nothing.
///
/// # Errors
///
/// Those of the operating system.
pub fn prepare(stream: &impl AsSocket) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    socket.set_keepalive(true)
}

/// Acknowledges at once what was received, on systems that delay that.
pub fn acknowledge(stream: &impl AsSocket) {
    // if it fails the answer comes later, and that is all
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(stream).set_tcp_quickack(true);
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}
