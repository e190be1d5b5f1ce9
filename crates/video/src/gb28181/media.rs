//! Ports that cameras send video to.

use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::call::Carrier;

/// Larger than any datagram, bytes.
const LARGEST_PACKET: usize = 65_536;

/// An open port.
pub(super) enum Port {
    Datagrams(UdpSocket, Vec<u8>),
    Waiting(TcpListener),
    Connected(TcpStream, BytesMut),
}

impl Port {
    pub(super) async fn open(carrier: Carrier, ip: IpAddr) -> io::Result<Self> {
        Ok(match carrier {
            Carrier::Datagrams => Self::Datagrams(UdpSocket::bind((ip, 0)).await?, vec![0; LARGEST_PACKET]),
            Carrier::Connection => Self::Waiting(TcpListener::bind((ip, 0)).await?),
        })
    }

    pub(super) fn number(&self) -> io::Result<u16> {
        let address: SocketAddr = match self {
            Self::Datagrams(socket, _) => socket.local_addr()?,
            Self::Waiting(listener) => listener.local_addr()?,
            Self::Connected(stream, _) => stream.local_addr()?,
        };
        Ok(address.port())
    }

    /// The next packet from one of these addresses; `None` when the camera has closed the connection. Waits
    /// indefinitely when none arrives. Cancel safe.
    pub(super) async fn packet(&mut self, from: &[IpAddr]) -> io::Result<Option<Bytes>> {
        loop {
            match self {
                Self::Datagrams(socket, buffer) => return datagram(socket, buffer, from).await.map(Some),
                Self::Waiting(listener) => {
                    let (stream, peer) = listener.accept().await?;
                    if from.contains(&peer.ip()) {
                        *self = Self::Connected(stream, BytesMut::new());
                    }
                }
                Self::Connected(stream, buffer) => {
                    if let Some(packet) = whole(buffer) {
                        return Ok(Some(packet));
                    }
                    if stream.read_buf(buffer).await? == 0 {
                        return Ok(None);
                    }
                }
            }
        }
    }
}

async fn datagram(socket: &UdpSocket, buffer: &mut [u8], from: &[IpAddr]) -> io::Result<Bytes> {
    loop {
        let (length, sender) = socket.recv_from(buffer).await?;
        if from.contains(&sender.ip()) {
            return Ok(Bytes::copy_from_slice(&buffer[..length]));
        }
    }
}

/// The first packet in the buffer, if complete: two bytes of length, then the packet (RFC 4571).
pub(super) fn whole(buffer: &mut BytesMut) -> Option<Bytes> {
    let length = usize::from(u16::from_be_bytes([*buffer.first()?, *buffer.get(1)?]));
    if buffer.len() < 2 + length {
        return None;
    }
    buffer.advance(2);
    Some(buffer.split_to(length).freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_a_connection_are_cut_by_their_length() {
        let mut buffer = BytesMut::from(&[0, 2, 7, 8, 0, 0, 0, 1][..]);
        assert_eq!(whole(&mut buffer).as_deref(), Some(&[7, 8][..]));
        assert_eq!(whole(&mut buffer).as_deref(), Some(&[][..]));
        assert_eq!(whole(&mut buffer), None);
        buffer.extend_from_slice(&[9]);
        assert_eq!(whole(&mut buffer).as_deref(), Some(&[9][..]));
    }
}
