//! A TCP proxy between a server and its database or Redis. Once it is cut, connections stay open, but transfer nothing.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A proxy to a port on this machine.
pub struct Cable {
    end: SocketAddr,
    whole: watch::Sender<bool>,
}

impl Cable {
    /// Starts a proxy to the server in `url`. Returns it with the URL of its own end.
    pub async fn to(url: &str) -> (Self, String) {
        let authority = url.split("//").nth(1).and_then(|rest| rest.split('/').next()).expect("a URL");
        let target = authority.rsplit('@').next().expect("a host and a port").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let cable = Self { end: listener.local_addr().expect("an address"), whole: watch::Sender::new(true) };
        let url = url.replace(&target, &cable.end.to_string());
        tokio::spawn(lead(listener, target, cable.whole.subscribe()));
        (cable, url)
    }

    /// Stops all transfer from now on.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }
}

async fn lead(listener: TcpListener, target: String, whole: watch::Receiver<bool>) {
    while let Ok((near, _)) = listener.accept().await {
        let Ok(far) = TcpStream::connect(&target).await else { continue };
        let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
        tokio::spawn(carry(near_read, far_write, whole.clone()));
        tokio::spawn(carry(far_read, near_write, whole.clone()));
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut whole: watch::Receiver<bool>) {
    let mut bytes = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if whole.wait_for(|whole| *whole).await.is_err() || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
