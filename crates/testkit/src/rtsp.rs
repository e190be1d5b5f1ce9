//! A real RTSP server (gst-rtsp-server) that plays clips as a camera would.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::clip::Codec;

/// Which transports the server offers for the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// Whatever the client asks for.
    #[default]
    Any,
    /// Within the RTSP connection only.
    Tcp,
    /// By datagram only; 461 for anything else.
    Udp,
}

/// How the server asks for the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 7617.
    Basic,
    /// RFC 7616 with MD5.
    Digest,
}

/// Who may watch.
#[derive(Debug, Clone)]
pub struct Login {
    /// How the server asks.
    pub scheme: Scheme,
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// How a server behaves; the default plays H.264 to anybody, for ever.
#[derive(Debug, Clone, Default)]
pub struct RtspOptions {
    /// What the clips hold.
    pub codec: Codec,
    /// Offered transports.
    pub transport: Transport,
    /// Who may watch; `None`: anybody.
    pub login: Option<Login>,
    /// Seconds of video after which nothing more is sent, the connection staying open.
    pub silent_after: Option<f64>,
    /// Seconds of video after which the stream ends.
    pub end_after: Option<f64>,
    /// Where to listen; `None`: a free port.
    pub port: Option<u16>,
}

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct RtspServer {
    child: Child,
    port: u16,
}

impl RtspServer {
    /// Starts a server that plays these clips one after the other, and again, each client from the start.
    /// All must be of the codec in the options.
    ///
    /// # Errors
    /// The server could not be started, or a clip holds no such video; its own words are on standard error.
    pub fn start(clips: &[&Path], options: &RtspOptions) -> io::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("rtsp_server.py");
        // The distribution's interpreter: only that one sees the distribution's GObject bindings.
        let mut command = Command::new("/usr/bin/python3");
        command.arg(script).args(arguments(options)).args(clips);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        match port(&mut child) {
            Ok(port) => Ok(Self { child, port }),
            Err(e) => {
                end(&mut child);
                Err(e)
            }
        }
    }

    /// The stream, without credentials.
    pub fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/live", self.port)
    }

    /// The stream with credentials, which must be percent-encoded already.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        format!("rtsp://{user}:{password}@127.0.0.1:{}/live", self.port)
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the server at once, as a power cut would; harmless when it has ended.
    pub fn kill(&mut self) {
        end(&mut self.child);
    }
}

impl Drop for RtspServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn end(child: &mut Child) {
    // Both fail only when the process is gone already.
    let _ = child.kill();
    let _ = child.wait();
}

fn arguments(options: &RtspOptions) -> Vec<String> {
    let transport = match options.transport {
        Transport::Any => "any",
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    };
    let mut all = vec![format!("--codec={}", options.codec.name()), format!("--transport={transport}")];
    if let Some(login) = &options.login {
        let scheme = match login.scheme {
            Scheme::Basic => "basic",
            Scheme::Digest => "digest",
        };
        all.push(format!("--auth={scheme}"));
        all.push(format!("--user={}", login.user));
        all.push(format!("--password={}", login.password));
    }
    all.extend(options.silent_after.map(|seconds| format!("--silent-after={seconds}")));
    all.extend(options.end_after.map(|seconds| format!("--end-after={seconds}")));
    all.extend(options.port.map(|port| format!("--port={port}")));
    all
}

/// Waits for the line with the port; the end of the output means that the server gave up.
fn port(child: &mut Child) -> io::Result<u16> {
    let output = child.stdout.take().ok_or_else(|| io::Error::other("the RTSP server has no output"))?;
    for line in BufReader::new(output).lines() {
        if let Some(port) = line?.strip_prefix("PORT ").and_then(|port| port.parse().ok()) {
            return Ok(port);
        }
    }
    Err(io::Error::other("the RTSP server did not start"))
}
