//! HTTP requests to cameras: authentication, timeouts and bounded bodies.

use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::ports::SourceError;
use domain::{ConnectError, DeviceAddress, OutboundPolicy};
use http_auth::{PasswordClient, PasswordParams};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Client, Method, Response, StatusCode, redirect};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use crate::Unusable;
use crate::access::{Access, clear_login_refused};
use crate::address::bad;
use crate::challenge;
use crate::session::unconnected;

/// A client for all cameras. It uses no proxy and follows no redirect, which could leak the login to another host.
pub(crate) struct Http {
    client: Client,
    patience: Duration,
    access: Access,
}

/// A request to a camera.
pub(crate) struct Question<'a> {
    pub(crate) url: &'a Url,
    /// Content type and body to POST; `None` sends a GET.
    pub(crate) body: Option<(&'static str, String)>,
    /// Description of the request, for errors.
    pub(crate) what: &'a str,
}

/// The body of a response.
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    /// Why the body may be incomplete.
    pub(crate) cut: Option<SourceError>,
}

impl Http {
    /// `patience`: timeout for each response. It connects only where `access` allows.
    pub(crate) fn new(patience: Duration, access: Access) -> Result<Self, Unusable> {
        // Fails when a provider is already installed, which is then used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("polyface/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Names { policy: access.outbound })
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(patience)
            // Cameras allow few connections and close idle ones soon.
            .pool_max_idle_per_host(0)
            .tls_certs_only([]);
        let client = client.build().map_err(|e| Unusable::Library(e.to_string()))?;
        Ok(Self { client, patience, access })
    }

    /// The response head, whatever its status. The login is sent only when the camera asks for it.
    pub(crate) async fn ask(&self, question: &Question<'_>, login: &DeviceAddress) -> Result<Response, SourceError> {
        let mut answer = self.send(question, None).await?;
        for again in [false, true] {
            // Only an expired nonce is answered a second time: a wrong password is not tried twice.
            let asks = answer.status() == StatusCode::UNAUTHORIZED && !login.user.is_empty();
            if !asks || again && !challenge::is_stale(challenges(&answer)) {
                break;
            }
            let Some(client) = challenge::client(challenges(&answer)) else { break };
            // Basic never expires, so a camera that asks for it here has downgraded from Digest.
            if again && matches!(client, PasswordClient::Basic(_)) {
                break;
            }
            let clear = matches!(client, PasswordClient::Basic(_));
            if clear && !answer.remote_addr().is_some_and(|camera| self.access.allows_clear_login(camera.ip())) {
                return Err(clear_login_refused());
            }
            let Some(login) = authorization(client, question, login) else { break };
            answer = self.send(question, Some(login)).await?;
        }
        Ok(answer)
    }

    async fn send(&self, question: &Question<'_>, login: Option<HeaderValue>) -> Result<Response, SourceError> {
        let url = question.url.clone();
        self.check(&url)?;
        let request = match &question.body {
            Some((kind, body)) => self.client.post(url).header(CONTENT_TYPE, *kind).body(body.clone()),
            None => self.client.get(url),
        };
        let request = login.into_iter().fold(request, |request, login| request.header(AUTHORIZATION, login));
        match tokio::time::timeout(self.patience, request.send()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if is_forbidden(&error) => Err(unconnected(ConnectError::NotAllowed)),
            Ok(Err(error)) => Err(SourceError::Unreachable(cause(&error))),
            Err(_) => Err(SourceError::Unreachable(self.silence(question.what))),
        }
    }

    /// Checks an address that is not a name; names are checked when they are resolved.
    fn check(&self, url: &Url) -> Result<(), SourceError> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.access.outbound.allows(address) { Ok(()) } else { Err(unconnected(ConnectError::NotAllowed)) }
    }

    /// The body of a response, at most `most` bytes, complete or as far as it arrived: some cameras announce more than
    /// they send.
    ///
    /// # Errors
    /// The body is larger than `most`, or nothing of it arrived.
    pub(crate) async fn body(
        &self,
        mut answer: Response,
        what: &str,
        most: usize,
        is_whole: fn(&[u8]) -> bool,
    ) -> Result<Body, SourceError> {
        let (until, mut bytes) = (Instant::now() + self.patience, BytesMut::new());
        let cut = loop {
            match timeout_at(until, answer.chunk()).await {
                Ok(Ok(Some(piece))) if piece.len() > most - bytes.len() => {
                    return Err(SourceError::Broken(format!("the answer to {what} is larger than {most} bytes")));
                }
                Ok(Ok(Some(piece))) => {
                    bytes.extend_from_slice(&piece);
                    if is_whole(&bytes) {
                        break None;
                    }
                }
                Ok(Ok(None)) => break None,
                Ok(Err(error)) => break Some(SourceError::Broken(cause(&error))),
                Err(_) => break Some(SourceError::Unreachable(self.silence(what))),
            }
        };
        match cut {
            Some(why) if bytes.is_empty() => Err(why),
            cut => Ok(Body { bytes: bytes.freeze(), cut }),
        }
    }

    fn silence(&self, what: &str) -> String {
        format!("no answer to {what} within {} s", self.patience.as_secs())
    }
}

/// Resolves names of cameras to the addresses that may be connected to.
struct Names {
    policy: OutboundPolicy,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy;
        Box::pin(async move {
            let allowed = policy.resolve(name.as_str(), 0).await?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether the policy forbids every address of the camera's name.
fn is_forbidden(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if matches!(inner.downcast_ref(), Some(ConnectError::NotAllowed)) {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// Whether the camera asks for a login in a supported scheme.
pub(crate) fn asks_again(answer: &Response) -> bool {
    answer.status() == StatusCode::UNAUTHORIZED && challenge::client(challenges(answer)).is_some()
}

/// Why a camera refused the login: wrong credentials, or an unsupported scheme.
pub(crate) fn refusal(answer: &Response) -> SourceError {
    let unknown = challenge::not_understood(challenges(answer)).filter(|_| !asks_again(answer));
    let unknown = unknown.filter(|_| answer.status() == StatusCode::UNAUTHORIZED);
    unknown.map_or(SourceError::Unauthorised, SourceError::Broken)
}

/// The challenge fields of a response.
fn challenges(refusal: &Response) -> impl Iterator<Item = &str> {
    refusal.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|value| str::from_utf8(value.as_bytes()).ok())
}

/// The `Authorization` value that answers the challenge; `None` when it cannot be a header value.
fn authorization(mut client: PasswordClient, question: &Question<'_>, login: &DeviceAddress) -> Option<HeaderValue> {
    let (path, query) = (question.url.path(), question.url.query());
    let uri = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let method = if question.body.is_some() { Method::POST } else { Method::GET };
    let (username, password) = (login.user.as_str(), login.password.as_str());
    let params = PasswordParams { username, password, uri: &uri, method: method.as_str(), body: None };
    let answer = client.respond(&params).ok()?;
    let mut value = HeaderValue::from_bytes(answer.as_bytes()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The innermost cause: outer errors contain the URL.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &(dyn std::error::Error + 'static) = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    if innermost.is::<reqwest::Error>() { "the connection failed".to_owned() } else { innermost.to_string() }
}

/// The root of a device's web server.
pub(crate) fn root(device: &DeviceAddress) -> Result<Url, SourceError> {
    let host = host(device)?;
    let unusable = |_| bad("the host is not a name or an address");
    Url::parse(&format!("http://{host}:{}/", device.port)).map_err(unusable)
}

/// The host of a device; an IPv6 address displays in brackets.
pub(crate) fn host(device: &DeviceAddress) -> Result<Host, SourceError> {
    let text = device.host.trim();
    let host = match text.parse() {
        Ok(address) => Ok(Host::Ipv6(address)),
        Err(_) => Host::parse(text),
    };
    if device.port == 0 {
        return Err(bad("the port is 0"));
    }
    host.map_err(|_| bad("the host is not a name or an address"))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// The requests that a camera receives when it answers with these challenges in turn, and the last response.
    async fn heard(access: Access, challenges: &[&str]) -> (Vec<String>, Result<Response, SourceError>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let device = DeviceAddress { host: "127.0.0.1".into(), port, user: "admin".into(), password: "secret".into() };
        let (url, http) = (root(&device).unwrap(), Http::new(Duration::from_secs(5), access).unwrap());
        let question = Question { url: &url, body: None, what: "it" };
        let mut heard = Vec::new();
        let camera = async {
            for challenge in challenges {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let length = connection.read(&mut request).await.unwrap();
                heard.push(String::from_utf8_lossy(&request[..length]).into_owned());
                let head = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n";
                connection.write_all(format!("{head}{challenge}\r\n").as_bytes()).await.unwrap();
            }
            std::future::pending::<()>().await;
        };
        let answer = tokio::select! {
            answer = http.ask(&question, &device) => answer,
            () = camera => unreachable!(),
        };
        (heard, answer)
    }

    #[tokio::test]
    async fn a_camera_that_has_asked_for_a_digest_never_gets_the_password_in_clear() {
        let digest = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", stale=true\r\n";
        let basic = "WWW-Authenticate: Basic realm=\"r\", stale=true\r\n";
        let (heard, answer) = heard(Access::open(), &[digest, basic, basic]).await;
        assert_eq!(heard.len(), 2);
        assert!(heard[1].to_lowercase().contains("authorization: digest "), "{heard:?}");
        assert_eq!(refusal(&answer.unwrap()), SourceError::Unauthorised);
    }

    #[tokio::test]
    async fn a_camera_that_may_not_get_the_password_in_clear_gets_none() {
        let access = Access { clear_logins: Some(vec!["192.0.2.7/32".parse().unwrap()]), ..Access::open() };
        let (heard, answer) = heard(access, &["WWW-Authenticate: Basic realm=\"r\"\r\n"; 2]).await;
        assert_eq!((heard.len(), answer.unwrap_err()), (1, clear_login_refused()));
    }

    #[tokio::test]
    async fn a_camera_where_the_device_may_not_connect_gets_no_request() {
        let outbound = OutboundPolicy { allow_loopback: false, ..OutboundPolicy::OPEN };
        let http = Http::new(Duration::from_secs(5), Access { outbound, ..Access::open() }).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for host in ["127.0.0.1", "localhost", "::ffff:127.0.0.1"] {
            let port = listener.local_addr().unwrap().port();
            let device = DeviceAddress { host: host.into(), port, ..DeviceAddress::default() };
            let (url, login) = (root(&device).unwrap(), DeviceAddress::default());
            let refused = http.ask(&Question { url: &url, body: None, what: "it" }, &login).await;
            assert!(matches!(refused, Err(SourceError::BadAddress(_))), "{host}");
        }
        let accepted = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(accepted.is_err(), "nothing was connected");
    }

    #[tokio::test]
    async fn a_digest_that_we_do_not_know_is_told_and_no_password_sent() {
        let unknown = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SM3\r\n";
        let both = format!("{unknown}WWW-Authenticate: Basic realm=\"r\"\r\n");
        let (heard, answer) = heard(Access::open(), &[&both, &both]).await;
        assert_eq!(heard.len(), 1);
        assert!(matches!(refusal(&answer.unwrap()), SourceError::Broken(why) if why.contains("Digest SM3")));
    }
}
