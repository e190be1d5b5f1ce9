//! Cameras discovered in the network.

/// A camera that answered a discovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCamera {
    /// Host name or IP address, for [`DeviceAddress`](crate::DeviceAddress).
    pub host: String,
    /// TCP port of its device service.
    pub port: u16,
    /// Maker; may be empty.
    pub maker: String,
    /// Name; may be empty.
    pub name: String,
    /// Model; may be empty.
    pub hardware: String,
    /// Configured location; may be empty.
    pub location: String,
}

/// A stream that a camera offers.
#[derive(Clone, PartialEq, Eq)]
pub struct CameraStream {
    /// The camera's name of the stream; may be empty.
    pub name: String,
    /// `rtsp://`, without user name and password; the host is the queried one.
    pub url: String,
    /// Width, pixels; 0 when unknown.
    pub width: u32,
    /// Height, pixels; 0 when unknown.
    pub height: u32,
    /// Codec as named by the camera, such as `H264`; may be empty.
    pub codec: String,
}

/// Without the URL, whose path contains a secret with some cameras.
impl std::fmt::Debug for CameraStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CameraStream({} {}x{} {})", self.name, self.width, self.height, self.codec)
    }
}
