//! Limit on the time for which a client may leave sent data unread, enforced by the kernel.

use std::time::Duration;
use tokio::net::TcpStream;

/// Time after which the kernel drops a connection whose client does not read the data sent. Sockets of rooms limit that
/// themselves, and are closed with a reason.
pub(crate) const UNREAD_TIMEOUT: Duration = Duration::from_secs(35);

/// Makes the kernel drop a client that leaves data unread for that long (TCP_USER_TIMEOUT; Linux only). `None` removes
/// the limit.
pub(crate) fn set_unread_timeout(stream: &TcpStream, limit: Option<Duration>) {
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(limit);
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, limit);
}
