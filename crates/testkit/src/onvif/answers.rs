//! What the camera says.

use std::fmt::Write;
use std::net::SocketAddr;

use roxmltree::{Document, Node};

use super::login::now_millis;
use super::{Offer, OnvifOptions};

const NAMES: &str = "xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:tt=\"http://www.onvif.org/ver10/schema\" \
    xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" \
    xmlns:ter=\"http://www.onvif.org/ver10/error\"";
/// Its inner address, which nobody reaches.
const MEDIA: &str = "http://192.0.2.1:8899/onvif/media";

/// `None`: there is no such question.
pub(super) fn answer(options: &OnvifOptions, path: &str, question: Node<'_, '_>) -> Option<String> {
    let name = question.tag_name().name();
    let content = match (path, name) {
        ("/onvif/device_service", "GetSystemDateAndTime") => clock(options.ahead),
        ("/onvif/device_service", "GetCapabilities") if options.lists_services => {
            "<tds:Capabilities></tds:Capabilities>".to_owned()
        }
        ("/onvif/device_service", "GetCapabilities") => {
            format!("<tds:Capabilities><tt:Media><tt:XAddr>{MEDIA}</tt:XAddr></tt:Media></tds:Capabilities>")
        }
        ("/onvif/device_service", "GetServices") => services(),
        ("/onvif/media", "GetProfiles") => options.offers.iter().map(profile).collect(),
        ("/onvif/media", "GetStreamUri") => {
            let token = question.descendants().find(|node| node.tag_name().name() == "ProfileToken")?.text()?;
            let url = &options.offers.iter().find(|offer| offer.token == token)?.url;
            format!("<trt:MediaUri><tt:Uri>{url}</tt:Uri></trt:MediaUri>")
        }
        _ => return None,
    };
    let prefix = if path.ends_with("media") { "trt" } else { "tds" };
    Some(envelope(&format!("<{prefix}:{name}Response>{content}</{prefix}:{name}Response>")))
}

fn envelope(body: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<e:Envelope {NAMES}><e:Body>{body}</e:Body></e:Envelope>")
}

fn clock(ahead: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(now_millis() + ahead * 1000).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let at = at.to_zoned(jiff::tz::TimeZone::UTC);
    let (date, time) = (at.date(), at.time());
    format!(
        "<tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>{}</tt:Hour><tt:Minute>{}</tt:Minute>\
         <tt:Second>{}</tt:Second></tt:Time><tt:Date><tt:Year>{}</tt:Year><tt:Month>{}</tt:Month><tt:Day>{}</tt:Day>\
         </tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>",
        time.hour(),
        time.minute(),
        time.second(),
        date.year(),
        date.month(),
        date.day()
    )
}

fn services() -> String {
    let service = |name: &str, address: &str| {
        format!("<tds:Service><tds:Namespace>{name}</tds:Namespace><tds:XAddr>{address}</tds:XAddr></tds:Service>")
    };
    let device = service("http://www.onvif.org/ver10/device/wsdl", "http://192.0.2.1/onvif/device_service");
    device + &service("http://www.onvif.org/ver10/media/wsdl", MEDIA)
}

fn profile(offer: &Offer) -> String {
    let Offer { token, name, codec, .. } = offer;
    let mut text = format!("<trt:Profiles token=\"{token}\" fixed=\"true\"><tt:Name>{name}</tt:Name>");
    let _ = write!(
        text,
        "<tt:VideoEncoderConfiguration token=\"v\"><tt:Name>v</tt:Name><tt:Encoding>{codec}</tt:Encoding>\
         <tt:Resolution><tt:Width>640</tt:Width><tt:Height>360</tt:Height></tt:Resolution>\
         </tt:VideoEncoderConfiguration></trt:Profiles>"
    );
    text
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

/// The answer to a search; `None`: it is none.
pub(super) fn found(question: &str, http: SocketAddr) -> Option<String> {
    let document = Document::parse(question).ok()?;
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
