//! A connection to the broker of the platform: where the device may connect to, over TLS where the platform wants it,
//! and without messages that are too large.

use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use adapter::server_trust;
use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_util::Stream;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{AsyncTcpStream, Connection, ConnectionProperties};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::bounded::Bounded;
use crate::convert::amqp::name;
use crate::convert::platform::{BrokerAddress, broker_address};
use crate::device::Device;
use crate::wire::platform::Broker;

/// A connection is made within this time.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest command, bytes: as much as current brokers let a platform send.
const LARGEST_COMMAND: u64 = 16 << 20;
/// The largest frame that the device agrees to, bytes: the client library keeps room for 32 in each direction.
const LARGEST_FRAME: u32 = 32 << 10;

/// A TCP or TLS connection.
trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

type BrokerStream = Bounded<Box<dyn Socket>>;

/// Connects to a virtual host, `/` unless another is named.
pub(super) async fn connect(device: &Device, broker: &Broker, v_host: Option<&str>) -> Result<Connection, String> {
    let address = broker_address(&broker.host.0, broker.port.0).ok_or("the address of the broker is invalid")?;
    let v_host = name(v_host.filter(|host| !host.is_empty()).unwrap_or("/"))?.to_string();
    let connecting = async {
        let stream = Bounded::new(open(device, &address).await?, LARGEST_COMMAND, LARGEST_FRAME);
        speak(stream, uri(&address, broker, v_host)).await.map_err(|error| error.to_string())
    };
    tokio::time::timeout(TIMEOUT, connecting).await.map_err(|_| "the broker does not answer in time")?
}

async fn open(device: &Device, address: &BrokerAddress) -> Result<Box<dyn Socket>, String> {
    let socket = device.outbound.connect(&address.host, address.port, TIMEOUT).await.map_err(|e| e.to_string())?;
    if !address.encrypted {
        return Ok(Box::new(socket));
    }
    let trust = server_trust(device.config.ca_file.as_deref()).await.map_err(|error| error.to_string())?;
    let server = ServerName::try_from(address.host.clone()).map_err(|_| "the broker's name is no host name")?;
    let encrypted = TlsConnector::from(trust).connect(server, socket).await;
    encrypted
        .map(|stream| Box::new(stream) as Box<dyn Socket>)
        .map_err(|error| format!("TLS to the broker failed: {error}"))
}

fn uri(address: &BrokerAddress, broker: &Broker, vhost: String) -> AMQPUri {
    let userinfo = AMQPUserInfo { username: broker.login.0.clone(), password: broker.password.0.clone() };
    AMQPUri {
        // Nothing is connected by it: whether TLS is used is decided above.
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority { userinfo, host: address.host.clone(), port: address.port },
        vhost,
        query: AMQPQueryString { frame_max: Some(LARGEST_FRAME), ..AMQPQueryString::default() },
    }
}

/// Logs in at the broker over a connection.
async fn speak(stream: BrokerStream, uri: AMQPUri) -> lapin::Result<Connection> {
    let stream = Mutex::new(Some(stream));
    // It is asked for once: the library is not told to connect again.
    let connected = async move |_, _| match stream.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(stream) => Ok(AsyncTcpStream::Plain(stream)),
        None => Err(io::Error::from(io::ErrorKind::NotConnected).into()),
    };
    let tokio = Tokio::default().with_handle(Handle::current());
    let runtime = Runtime::new(RuntimeParts::new(tokio.clone(), Connected(tokio)));
    let properties = ConnectionProperties::default().with_connection_name("polyface".into());
    Connection::connector(uri, runtime, connected, properties).await
}

/// What the client library needs of a runtime when the connection is made already.
#[derive(Debug, Clone)]
struct Connected(Tokio);

impl Reactor for Connected {
    type TcpStream = BrokerStream;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: io::Read + io::Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl futures_io::AsyncRead + futures_io::AsyncWrite + Send + Unpin + 'static> {
        self.0.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(&self, _: SocketAddr) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
