//! Stage 1: sockets that accept, one a worker and address.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel has completed and nobody has accepted yet.
const BACKLOG: i32 = 1024;

/// Opens a listening socket that others of the same user may share (`SO_REUSEPORT`): each worker has its own, and a
/// successor process may start before this one ends.
///
/// With port 0 the first socket finds the port; bind the others to what its `local_addr` says.
///
/// # Errors
/// The address is in use by somebody who does not share it, or not ours to listen on.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sockets_share_an_address() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = first.local_addr().unwrap();
        let second = bind(address).unwrap();
        assert_eq!(second.local_addr().unwrap(), address);
    }
}
