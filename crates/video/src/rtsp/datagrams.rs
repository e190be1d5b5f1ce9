//! RTP and RTCP over UDP.

use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use tokio::net::UdpSocket;

/// Maximum size of a datagram, bytes.
const LARGEST: usize = 65_535;
/// Maximum number of attempts to bind two neighbouring ports.
const TRIES: u32 = 64;
/// An empty RTP packet and an empty RTCP report: sending them opens the return path through a firewall.
const GREETINGS: [&[u8]; 2] = [&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0x80, 201, 0, 1, 0, 0, 0, 0]];

/// Two neighbouring ports: RTP arrives at the even one, RTCP at the odd one.
pub(super) struct Datagrams {
    sockets: [UdpSocket; 2],
    buffers: [Box<[u8]>; 2],
    /// Address of the RTSP connection, from which datagrams are accepted.
    camera: IpAddr,
    /// Additional source address announced by the camera.
    source: Option<IpAddr>,
    pub(super) port: u16,
}

impl Datagrams {
    /// Binds two neighbouring ports on a local address.
    pub(super) async fn bind(local: IpAddr, camera: IpAddr) -> io::Result<Self> {
        for _ in 0..TRIES {
            let first = UdpSocket::bind((local, 0)).await?;
            let port = first.local_addr()?.port();
            if port % 2 == 1 || port == u16::MAX {
                continue;
            }
            if let Ok(second) = UdpSocket::bind((local, port + 1)).await {
                let buffers = [(); 2].map(|()| vec![0; LARGEST].into_boxed_slice());
                return Ok(Self { sockets: [first, second], buffers, camera, source: None, port });
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// Also accepts datagrams from the source announced by the camera. Greets only the camera itself: an announcement
    /// must not make this device send packets to other hosts.
    pub(super) async fn expect(&mut self, source: Option<IpAddr>, port: Option<u16>) {
        self.source = source.filter(|source| may_send(*source, self.camera));
        let Some(port) = port else { return };
        for ((socket, greeting), port) in self.sockets.iter().zip(GREETINGS).zip([Some(port), port.checked_add(1)]) {
            if let Some(port) = port {
                // A lost greeting matters only behind a firewall.
                let _ = socket.send_to(greeting, (self.camera, port)).await;
            }
        }
    }

    /// The next datagram of the camera; channel 0 is RTP, 1 is RTCP. Cancel safe.
    pub(super) async fn next(&mut self) -> io::Result<(u8, Bytes)> {
        loop {
            let ([packets, reports], [room, report_room]) = (&self.sockets, &mut self.buffers);
            let (channel, received) = tokio::select! {
                received = packets.recv_from(room) => (0, received),
                received = reports.recv_from(report_room) => (1, received),
            };
            match received {
                Ok((length, from)) if self.is_camera(from) => {
                    let data = Bytes::copy_from_slice(&self.buffers[usize::from(channel)][..length]);
                    return Ok((channel, data));
                }
                Ok(_) => {}
                // The greeting reached a closed port.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn is_camera(&self, from: SocketAddr) -> bool {
        let from = from.ip().to_canonical();
        from == self.camera.to_canonical() || self.source.is_some_and(|source| from == source.to_canonical())
    }
}

/// Whether a camera may announce this source for its datagrams.
fn may_send(source: IpAddr, camera: IpAddr) -> bool {
    let (source, camera) = (source.to_canonical(), camera.to_canonical());
    !source.is_unspecified() && !source.is_multicast() && (!source.is_loopback() || camera.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_that_no_camera_can_have_is_ignored() {
        let camera = ip("192.0.2.1");
        assert!(may_send(ip("192.0.2.7"), camera));
        assert!(may_send(ip("127.0.0.2"), ip("127.0.0.1")));
        for source in ["0.0.0.0", "::", "127.0.0.1", "::1", "::ffff:127.0.0.1", "239.1.2.3", "ff02::1"] {
            assert!(!may_send(ip(source), camera), "{source}");
        }
    }

    #[tokio::test]
    async fn datagrams_come_from_the_camera_and_its_source_and_the_camera_alone_is_greeted() {
        let local = ip("127.0.0.1");
        let (camera, other) = (UdpSocket::bind((local, 0)).await.unwrap(), ip("127.0.0.2"));
        let mut own = Datagrams::bind(local, local).await.unwrap();
        own.expect(Some(other), Some(camera.local_addr().unwrap().port())).await;
        let mut room = [0; 100];
        let (length, _) = camera.recv_from(&mut room).await.unwrap();
        assert_eq!(&room[..length], GREETINGS[0]);
        let from = |ip: &str| SocketAddr::new(self::ip(ip), 9);
        assert!(own.is_camera(from("127.0.0.1")) && own.is_camera(from("127.0.0.2")));
        assert!(!own.is_camera(from("127.0.0.3")));
        own.expect(Some(ip("0.0.0.0")), None).await;
        assert!(own.is_camera(from("127.0.0.1")) && !own.is_camera(from("0.0.0.0")));
    }
}
