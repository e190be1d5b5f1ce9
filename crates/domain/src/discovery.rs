//! Cameras of the network that are not channels of the device yet.

/// A camera that answered a search of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCamera {
    /// Host name or IP address, for [`DeviceAddress`](crate::DeviceAddress).
    pub host: String,
    /// TCP port of its device service.
    pub port: u16,
    /// Who made it; empty when it does not say.
    pub maker: String,
    /// What it calls itself; may be empty.
    pub name: String,
    /// Its model; may be empty.
    pub hardware: String,
    /// Where it says it hangs; may be empty.
    pub location: String,
}

/// A stream that a camera offers.
#[derive(Clone, PartialEq, Eq)]
pub struct CameraStream {
    /// What the camera calls it; may be empty.
    pub name: String,
    /// `rtsp://`, without user name and password; the host is the one that was asked.
    pub url: String,
    /// Pixels from left to right; 0 when the camera does not say.
    pub width: u32,
    /// Pixels from top to bottom; 0 when the camera does not say.
    pub height: u32,
    /// How the pictures are coded, in the camera's words (`H264`); may be empty.
    pub codec: String,
}

/// Without the URL: the path of some cameras holds a secret.
impl std::fmt::Debug for CameraStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CameraStream({} {}x{} {})", self.name, self.width, self.height, self.codec)
    }
}
