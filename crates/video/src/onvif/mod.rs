//! ONVIF cameras: discovery, and the addresses of their streams.
//!
//! Only paths, and the ports of services and streams, are taken from a camera's responses; the host is always the one
//! that the operator configured. A camera therefore cannot redirect the device to another host, and one behind NAT is
//! reached although it reports its internal address. Cameras report the same information in different places or not at
//! all: candidates are tried in turn, and if all fail, the reason of the first one is reported.

mod clock;
mod document;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod media;
mod place;
mod search;
mod soap;

use domain::ports::{Clock, SourceError};
use domain::{CameraStream, DeviceAddress};
use roxmltree::Node;
use url::Url;

use self::media::{MEDIA, MEDIA_2, Media, Profile};
use self::place::{places, service};
use self::soap::{Ask, Manner, Peer, below, child};
use crate::address::CameraAddress;
use crate::http::Http;

pub(crate) use search::{EVERYBODY, search};

const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
/// Usual paths of the device service, and of media services that a camera does not report.
const DEVICE_PATHS: [&str; 3] = ["/onvif/device_service", "/onvif/services", "/onvif/device"];
const MEDIA_PATHS: [&str; 4] = ["/onvif/media_service", "/onvif/Media", "/onvif/media", "/onvif/services"];

/// Maximum number of media services tried, and of profiles of each.
const MOST_TRIED: usize = 8;

/// A camera whose device service has answered.
struct Camera<'a> {
    peer: Peer<'a>,
    url: Url,
}

/// The main stream of a camera, with the login.
pub(crate) async fn resolve(
    device: &DeviceAddress,
    http: &Http,
    clock: &dyn Clock,
) -> Result<CameraAddress, SourceError> {
    let found = Camera::find(device, http, clock).await?.streams(Wish::Main).await?;
    let (_, url) = found.into_iter().next().ok_or_else(no_media)?;
    CameraAddress::of_device(url, device)
}

/// All streams of a camera.
pub(crate) async fn streams(
    device: &DeviceAddress,
    http: &Http,
    clock: &dyn Clock,
) -> Result<Vec<CameraStream>, SourceError> {
    let found = Camera::find(device, http, clock).await?.streams(Wish::All).await?;
    let stream = |(profile, url): (Profile, Url)| {
        let Profile { name, codec, size: (width, height), .. } = profile;
        CameraStream { name, url: url.to_string(), width, height, codec }
    };
    Ok(found.into_iter().map(stream).collect())
}

/// Which streams are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// The first decodable stream.
    Main,
    All,
}

impl<'a> Camera<'a> {
    async fn find(device: &'a DeviceAddress, http: &'a Http, clock: &'a dyn Clock) -> Result<Self, SourceError> {
        let mut peer = Peer::new(http, clock, device);
        let mut reason = None;
        for path in DEVICE_PATHS {
            let url = service(device, path)?;
            match ahead(&peer, &url).await {
                Ok(ahead) => {
                    peer.manners = manners(&ahead);
                    return Ok(Self { peer, url });
                }
                Err(SourceError::NoStream(why)) => reason = reason.or(Some(SourceError::NoStream(why))),
                Err(other) => return Err(other),
            }
        }
        Err(reason.unwrap_or_else(no_media))
    }

    /// The streams of the first media service that has any; at least one.
    async fn streams(&self, wish: Wish) -> Result<Vec<(Profile, Url)>, SourceError> {
        let mut search = Search { camera: self, wish, tried: Vec::new(), reasons: Reasons::default() };
        for listing in [Listing::Capabilities, Listing::Services, Listing::Nowhere] {
            if let Some(streams) = search.through(listing).await? {
                return Ok(streams);
            }
        }
        Err(search.reasons.first().unwrap_or_else(no_media))
    }

    /// The streams of a media service whose addresses the camera returns; at least one.
    async fn streams_of(&self, media: &Media, wish: Wish) -> Result<Vec<(Profile, Url)>, SourceError> {
        let mut profiles = media.profiles(&self.peer).await?;
        let codec = profiles.first().map(|profile| profile.codec.clone()).unwrap_or_default();
        if wish == Wish::Main {
            profiles.retain(Profile::is_decodable);
            profiles.truncate(MOST_TRIED);
        }
        let (mut streams, mut reason) = (Vec::new(), None);
        for profile in profiles {
            match media.stream(&self.peer, &profile).await {
                Ok(url) => streams.push((profile, url)),
                Err(why) if self.is_final(&why, media) => return Err(why),
                Err(why) => reason = reason.or(Some(why)),
            }
            if wish == Wish::Main && !streams.is_empty() {
                break;
            }
        }
        let undecodable = || format!("the camera sends {codec}, only H.264 and H.265 are supported");
        match streams.is_empty() {
            true => Err(reason.unwrap_or_else(|| SourceError::Undecodable(undecodable()))),
            false => Ok(streams),
        }
    }

    /// Whether trying other services is pointless.
    fn is_final(&self, why: &SourceError, media: &Media) -> bool {
        let elsewhere = media.url.port_or_known_default() != self.url.port_or_known_default();
        match why {
            SourceError::Unauthorised => true,
            SourceError::Unreachable(_) => !elsewhere,
            _ => false,
        }
    }

    async fn candidates(&self, listing: Listing) -> Result<Vec<Media>, SourceError> {
        let named = match listing {
            Listing::Capabilities => capabilities(&self.peer, &self.url).await?,
            Listing::Services => services(&self.peer, &self.url).await?,
            Listing::Nowhere => MEDIA_PATHS.map(|path| (MEDIA, path.to_owned())).to_vec(),
        };
        let media = |(version, address): (&'static str, String)| {
            places(self.peer.device, &address).into_iter().map(move |url| Media { url, version })
        };
        Ok(named.into_iter().flat_map(media).collect())
    }
}

/// Where a camera reports its media services.
#[derive(Debug, Clone, Copy)]
enum Listing {
    Capabilities,
    Services,
    Nowhere,
}

/// Media services by their version and address.
type Named = Vec<(&'static str, String)>;

/// State of a search through a camera's media services.
struct Search<'a> {
    camera: &'a Camera<'a>,
    wish: Wish,
    tried: Vec<Media>,
    reasons: Reasons,
}

/// Reasons why no service has provided a stream so far. That of a reported service takes precedence over the failure to
/// list services; that of a guessed service comes last.
#[derive(Default)]
struct Reasons {
    named: Option<SourceError>,
    naming: Option<SourceError>,
    guessed: Option<SourceError>,
}

impl Reasons {
    fn first(self) -> Option<SourceError> {
        self.named.or(self.naming).or(self.guessed)
    }
}

impl Search<'_> {
    /// Tries the services from one source; an error ends the search.
    async fn through(&mut self, listing: Listing) -> Result<Option<Vec<(Profile, Url)>>, SourceError> {
        let found = match self.camera.candidates(listing).await {
            Ok(found) => found,
            Err(why @ (SourceError::Broken(_) | SourceError::NoStream(_))) => {
                self.reasons.naming.get_or_insert(why);
                return Ok(None);
            }
            Err(why) => return Err(why),
        };
        for media in found {
            if self.tried.contains(&media) || self.tried.len() >= MOST_TRIED {
                continue;
            }
            match self.camera.streams_of(&media, self.wish).await {
                Ok(streams) => return Ok(Some(streams)),
                Err(why) if self.camera.is_final(&why, &media) => return Err(why),
                Err(why) => self.skip(media, why, listing),
            }
        }
        Ok(None)
    }

    fn skip(&mut self, media: Media, why: SourceError, listing: Listing) {
        tracing::debug!(path = media.url.path(), %why, "media service skipped");
        let reason = match listing {
            Listing::Capabilities | Listing::Services => &mut self.reasons.named,
            Listing::Nowhere => &mut self.reasons.guessed,
        };
        reason.get_or_insert(why);
        self.tried.push(media);
    }
}

fn no_media() -> SourceError {
    SourceError::NoStream("the camera names no media service in GetCapabilities and GetServices".to_owned())
}

/// The ways to authenticate at a camera whose clock may be ahead by these offsets.
fn manners(ahead: &[i64]) -> Vec<Manner> {
    let mut manners: Vec<_> = ahead.iter().map(|ahead| Manner::Token(*ahead)).collect();
    manners.insert(1.min(manners.len()), Manner::Http);
    manners
}

/// How far the camera's clock may be ahead, milliseconds; fails when the path does not exist.
async fn ahead(peer: &Peer<'_>, url: &Url) -> Result<Vec<i64>, SourceError> {
    let ask =
        Ask { name: "GetSystemDateAndTime", service: DEVICE, content: "", signed: false, wanted: "the time of day" };
    let now = || peer.clock.now().as_millis();
    match peer.ask(url, &ask, |body| Some(clock::ahead(Some(body), now()))).await {
        Ok(ahead) => Ok(ahead),
        Err(SourceError::Broken(_) | SourceError::Unauthorised) => Ok(clock::ahead(None, now())),
        Err(other) => Err(other),
    }
}

async fn capabilities(peer: &Peer<'_>, url: &Url) -> Result<Named, SourceError> {
    let content = "<Category>Media</Category>";
    let ask = Ask { name: "GetCapabilities", service: DEVICE, content, signed: true, wanted: "capabilities" };
    let read = |body: Node<'_, '_>| {
        let answer = child(body, "GetCapabilitiesResponse")?;
        let media = below(answer, &["Capabilities", "Media"]);
        Some(media.map(|media| addresses(media, MEDIA)).unwrap_or_default())
    };
    peer.ask(url, &ask, read).await
}

async fn services(peer: &Peer<'_>, url: &Url) -> Result<Named, SourceError> {
    let content = "<IncludeCapability>false</IncludeCapability>";
    let ask = Ask { name: "GetServices", service: DEVICE, content, signed: true, wanted: "services" };
    let read = |body: Node<'_, '_>| {
        let answer = child(body, "GetServicesResponse")?;
        let of = |version: &'static str| {
            let named = move |service: &Node<'_, '_>| {
                let namespace = soap::text(*service, &["Namespace"]);
                namespace.is_some_and(|namespace| namespace.trim_end_matches('/').eq_ignore_ascii_case(version))
            };
            answer.children().filter(named).flat_map(move |service| addresses(service, version))
        };
        Some(of(MEDIA).chain(of(MEDIA_2)).collect())
    };
    peer.ask(url, &ask, read).await
}

/// The addresses of a service; some cameras put several into one element.
fn addresses(service: Node<'_, '_>, version: &'static str) -> Named {
    let named = service.children().filter(|node| node.tag_name().name().eq_ignore_ascii_case("XAddr"));
    let texts = named.filter_map(|node| node.text());
    let each = texts.flat_map(|text| text.split([' ', '\t', '\r', '\n', ',', ';']));
    each.filter(|address| !address.is_empty()).map(|address| (version, address.to_owned())).collect()
}
