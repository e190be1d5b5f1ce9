//! An RTSP server (gst-rtsp-server) that plays clips like a camera.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::clip::Codec;

/// Transports that the server offers for video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// All.
    #[default]
    Any,
    /// Interleaved in the RTSP connection only.
    Tcp,
    /// UDP only; 461 for anything else.
    Udp,
}

/// Authentication scheme of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 7617.
    Basic,
    /// RFC 7616 with MD5.
    Digest,
}

/// Login that the server requires.
#[derive(Debug, Clone)]
pub struct Login {
    /// Authentication scheme.
    pub scheme: Scheme,
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// Options of a server; the default plays H.264 endlessly, without a login.
#[derive(Debug, Clone, Default)]
pub struct RtspOptions {
    /// Codec of the clips.
    pub codec: Codec,
    /// Offered transports.
    pub transport: Transport,
    /// Required login; `None`: none.
    pub login: Option<Login>,
    /// Seconds of video after which nothing more is sent, the connection staying open.
    pub silent_after: Option<f64>,
    /// Seconds of video after which the stream ends.
    pub end_after: Option<f64>,
    /// Port to listen on; `None`: a free one.
    pub port: Option<u16>,
}

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct RtspServer {
    child: Child,
    port: u16,
}

impl RtspServer {
    /// Starts a server that plays these clips one after the other in a loop, from the start for each client. All must
    /// be of the codec in the options.
    ///
    /// # Errors
    /// When the server does not start, or a clip does not contain video of the codec; details are on standard error.
    pub fn start(clips: &[&Path], options: &RtspOptions) -> io::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("rtsp_server.py");
        // The distribution's interpreter, which finds the distribution's GObject bindings.
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

    /// URL of the stream, without credentials.
    pub fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/live", self.port)
    }

    /// URL of the stream with credentials, which must be percent-encoded already.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        format!("rtsp://{user}:{password}@127.0.0.1:{}/live", self.port)
    }

    /// Port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the server; no effect when it has ended.
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
    // Both fail only when the process has ended already.
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

/// Waits for the line with the port; the output ends when the server fails to start.
fn port(child: &mut Child) -> io::Result<u16> {
    let output = child.stdout.take().ok_or_else(|| io::Error::other("the RTSP server has no output"))?;
    for line in BufReader::new(output).lines() {
        if let Some(port) = line?.strip_prefix("PORT ").and_then(|port| port.parse().ok()) {
            return Ok(port);
        }
    }
    Err(io::Error::other("the RTSP server did not start"))
}
