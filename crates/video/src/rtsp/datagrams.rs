//! Packets that come by datagram.

use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use tokio::net::UdpSocket;

/// Largest datagram, bytes.
const LARGEST: usize = 65_535;
/// How often a pair of neighbouring ports is tried for.
const TRIES: u32 = 64;
/// An empty packet and an empty report, which open the way back through a firewall.
const GREETINGS: [&[u8]; 2] = [&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0x80, 201, 0, 1, 0, 0, 0, 0]];

/// Two neighbouring ports: packets come to the even one, reports to the odd one.
pub(super) struct Datagrams {
    sockets: [UdpSocket; 2],
    buffers: [Box<[u8]>; 2],
    /// The only address from which datagrams are taken.
    camera: IpAddr,
    pub(super) port: u16,
}

impl Datagrams {
    /// On this address of the device.
    pub(super) async fn bind(local: IpAddr, camera: IpAddr) -> io::Result<Self> {
        for _ in 0..TRIES {
            let first = UdpSocket::bind((local, 0)).await?;
            let port = first.local_addr()?.port();
            if port % 2 == 1 || port == u16::MAX {
                continue;
            }
            if let Ok(second) = UdpSocket::bind((local, port + 1)).await {
                let buffers = [(); 2].map(|()| vec![0; LARGEST].into_boxed_slice());
                return Ok(Self { sockets: [first, second], buffers, camera, port });
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// Takes datagrams from where the camera says that it sends them from, and greets it there.
    pub(super) async fn expect(&mut self, source: Option<IpAddr>, port: Option<u16>) {
        self.camera = source.unwrap_or(self.camera);
        let Some(port) = port else { return };
        for ((socket, greeting), port) in self.sockets.iter().zip(GREETINGS).zip([Some(port), port.checked_add(1)]) {
            if let Some(port) = port {
                // A greeting that does not arrive only matters behind a firewall.
                let _ = socket.send_to(greeting, (self.camera, port)).await;
            }
        }
    }

    /// The next datagram of the camera; channel 0 are packets, 1 reports. Safe to drop at any await.
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
                // The greeting came to a closed port.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn is_camera(&self, from: SocketAddr) -> bool {
        from.ip().to_canonical() == self.camera.to_canonical()
    }
}
