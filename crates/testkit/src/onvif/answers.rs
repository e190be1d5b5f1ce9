//! The answers of the camera.

use std::fmt::Write;
use std::net::SocketAddr;

use roxmltree::{Document, Node};

use super::login::now_millis;
use super::{Offer, OnvifOptions};

const NAMES: &str = "xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:tt=\"http://www.onvif.org/ver10/schema\" \
    xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" \
    xmlns:ter=\"http://www.onvif.org/ver10/error\"";
/// Its internal address, which is unreachable.
const MEDIA: &str = "http://192.0.2.1:8899/onvif/media";

/// Whether the camera has a service at this path.
pub(super) fn is_there(options: &OnvifOptions, path: &str) -> bool {
    path == options.device.unwrap_or("/onvif/device_service") || path == media_path(options)
}

fn media_path(options: &OnvifOptions) -> String {
    let address = options.media.unwrap_or(MEDIA).split(' ').next_back().unwrap_or_default();
    let place = address.split_once("://").map_or(address, |(_, place)| place);
    place.split_once('/').map_or_else(String::new, |(_, path)| format!("/{path}"))
}

/// The answer to a request; `None` for an unknown one.
pub(super) fn answer(options: &OnvifOptions, path: &str, request: Node<'_, '_>) -> Option<String> {
    let name = request.tag_name().name();
    let is_media = path == media_path(options);
    let content = match (is_media, name) {
        (false, "GetSystemDateAndTime") => clock(options),
        (false, "GetCapabilities") if options.lists_services || options.newer => {
            "<tds:Capabilities></tds:Capabilities>".to_owned()
        }
        (false, "GetCapabilities") => {
            let media = options.media.unwrap_or(MEDIA);
            format!("<tds:Capabilities><tt:Media><tt:XAddr>{media}</tt:XAddr></tt:Media></tds:Capabilities>")
        }
        (false, "GetServices") => services(options),
        (true, "GetProfiles") => options.offers.iter().map(|offer| profile(offer, options.newer)).collect(),
        (true, "GetStreamUri") => {
            let token = request.descendants().find(|node| node.tag_name().name() == "ProfileToken")?.text()?;
            let offer = options.offers.iter().find(|offer| offer.token == token && !offer.url.is_empty())?;
            let uri = format!("<tt:Uri>{}</tt:Uri>", offer.url);
            if options.newer { uri } else { format!("<trt:MediaUri>{uri}</trt:MediaUri>") }
        }
        _ => return None,
    };
    let prefix = if is_media { "trt" } else { "tds" };
    Some(envelope(&format!("<{prefix}:{name}Response>{content}</{prefix}:{name}Response>")))
}

/// The answer as some cameras send it.
pub(super) fn malformed(answer: &str) -> Vec<u8> {
    let undeclared = answer.replace("xmlns:tt=\"http://www.onvif.org/ver10/schema\" ", "");
    let (text, _, _) = encoding_rs::GB18030.encode(&undeclared);
    [b"\r\n \0", &text[..], b"\r\n\0\0\0\0"].concat()
}

fn envelope(body: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<e:Envelope {NAMES}><e:Body>{body}</e:Body></e:Envelope>")
}

fn clock(options: &OnvifOptions) -> String {
    let at = jiff::Timestamp::from_millisecond(now_millis() + options.ahead * 1000);
    let zone = options.zone.map_or(jiff::tz::TimeZone::UTC, |zone| {
        jiff::tz::TimeZone::posix(zone).unwrap_or_else(|why| panic!("{zone}: {why}"))
    });
    let at = at.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(zone);
    let (date, time) = (at.date(), at.time());
    let (zone, kind) = match options.zone {
        Some(zone) => (format!("<tt:TimeZone><tt:TZ>{zone}</tt:TZ></tt:TimeZone>"), "LocalDateTime"),
        None => (String::new(), "UTCDateTime"),
    };
    format!(
        "<tds:SystemDateAndTime>{zone}<tt:{kind}><tt:Time><tt:Hour>{}</tt:Hour><tt:Minute>{}</tt:Minute>\
         <tt:Second>{}</tt:Second></tt:Time><tt:Date><tt:Year>{}</tt:Year><tt:Month>{}</tt:Month><tt:Day>{}</tt:Day>\
         </tt:Date></tt:{kind}></tds:SystemDateAndTime>",
        time.hour(),
        time.minute(),
        time.second(),
        date.year(),
        date.month(),
        date.day()
    )
}

fn services(options: &OnvifOptions) -> String {
    let service = |name: &str, address: &str| {
        format!("<tds:Service><tds:Namespace>{name}</tds:Namespace><tds:XAddr>{address}</tds:XAddr></tds:Service>")
    };
    let device = service("http://www.onvif.org/ver10/device/wsdl", "http://192.0.2.1/onvif/device_service");
    let version = if options.newer { "ver20" } else { "ver10" };
    device + &service(&format!("http://www.onvif.org/{version}/media/wsdl"), options.media.unwrap_or(MEDIA))
}

fn profile(offer: &Offer, newer: bool) -> String {
    let Offer { token, name, codec, .. } = offer;
    let mut text = format!("<trt:Profiles token=\"{token}\" fixed=\"true\"><tt:Name>{name}</tt:Name>");
    let (before, encoder, behind) = match newer {
        true => ("<trt:Configurations>", "VideoEncoder", "</trt:Configurations>"),
        false => ("", "VideoEncoderConfiguration", ""),
    };
    if !codec.is_empty() {
        let _ = write!(
            text,
            "{before}<tt:{encoder} token=\"v\"><tt:Name>v</tt:Name><tt:Encoding>{codec}</tt:Encoding><tt:Resolution>\
             <tt:Width>640</tt:Width><tt:Height>360</tt:Height></tt:Resolution></tt:{encoder}>{behind}"
        );
    }
    text + "</trt:Profiles>"
}

fn fault(code: &str, reason: &str) -> String {
    envelope(&format!(
        "<e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>{code}</e:Value></e:Subcode></e:Code>\
         <e:Reason><e:Text xml:lang=\"en\">{reason}</e:Text></e:Reason></e:Fault>"
    ))
}

pub(super) fn not_authorized() -> String {
    fault("ter:NotAuthorized", "Sender not Authorized")
}

pub(super) fn unknown() -> String {
    fault("ter:ActionNotSupported", "not understood")
}

/// The answer to a discovery; `None` for other messages.
pub(super) fn found(request: &str, http: SocketAddr) -> Option<String> {
    let document = Document::parse(request).ok()?;
    let of = |name: &str| document.descendants().find(|node| node.tag_name().name() == name);
    let id = of("MessageID")?.text()?;
    of("Probe")?;
    let scopes = "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Acme%20Gate \
        onvif://www.onvif.org/hardware/A-1 onvif://www.onvif.org/location/north";
    Some(format!(
        "<e:Envelope {NAMES} xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><e:Header><a:RelatesTo>{id}</a:RelatesTo></e:Header>\
         <e:Body><d:ProbeMatches><d:ProbeMatch><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>{scopes}</d:Scopes>\
         <d:XAddrs>http://{http}/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
    ))
}
