//! Options of a peer.

use crate::clip::Codec;

/// Options of a peer; the default is without faults.
#[derive(Debug, Clone, Default)]
pub struct PeerOptions {
    /// Codec of the clip.
    pub codec: Codec,
    /// Whether it sends video over TCP only.
    pub tcp_only: bool,
    /// One packet in this many is lost; 0: none.
    pub lose_every: u32,
    /// Every this many packets, two are swapped; 0: never.
    pub swap_every: u32,
    /// Number of pictures after which it sends BYE.
    pub bye_after: Option<u64>,
    /// Number of pictures after which it sends nothing more.
    pub silent_after: Option<u64>,
    /// The status of its answer to INVITE, instead of 200.
    pub refuse_with: Option<&'static str>,
    /// Whether it ignores the first request of each method.
    pub ignore_first_requests: bool,
    /// What it omits, or writes in a form of its own.
    pub omission: Option<Omission>,
}

/// What real devices omit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Omission {
    /// The field `Via`.
    Via,
    /// Long names of fields: it uses the compact forms.
    Names,
    /// The carriage return of line ends.
    Returns,
    /// The field `Content-Length`.
    Lengths,
    /// Angle brackets around addresses.
    Brackets,
    /// The fields `From` and `CSeq` of answers.
    Requests,
    /// The program stream map.
    Map,
    /// Lower case in digests, quotes around values, and the algorithm.
    Quotes,
}

impl PeerOptions {
    /// The message as the peer sends it.
    pub(super) fn rendered(&self, text: &str) -> String {
        let without = |names: &[&str]| {
            let kept = text.split_inclusive("\r\n").filter(|line| !names.iter().any(|name| line.starts_with(name)));
            kept.collect::<String>()
        };
        match self.omission {
            Some(Omission::Via) => without(&["Via:"]),
            Some(Omission::Returns) => text.replace("\r\n", "\n"),
            Some(Omission::Lengths) => without(&["Content-Length:"]),
            Some(Omission::Requests) if text.starts_with("SIP/2.0") => without(&["CSeq:", "From:"]),
            Some(Omission::Brackets) => text.replace("<sip:", "sip:").replace('>', ""),
            Some(Omission::Names) => {
                let short = [("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Content-Length", "l")];
                short.iter().fold(text.to_owned(), |text, (long, short)| {
                    text.replace(&format!("\r\n{long}: "), &format!("\r\n{short}:"))
                })
            }
            Some(Omission::Quotes) => unquoted(text),
            Some(Omission::Requests | Omission::Map) | None => text.to_owned(),
        }
    }
}

/// Writes logins and challenges in upper case, without quotes, and without the algorithm.
fn unquoted(text: &str) -> String {
    let line = |line: &str| match line.split_once(" Digest ") {
        Some((name, values)) => {
            let values = values.replace(", algorithm=MD5", "").replace(", ", ",").replace('"', "");
            format!("{name} DIGEST {}", in_upper_case(&values))
        }
        None => line.to_owned(),
    };
    text.split_inclusive("\r\n").map(line).collect()
}

/// Writes the response in upper case.
fn in_upper_case(values: &str) -> String {
    match values.split_once("response=") {
        Some((before, response)) => format!("{before}response={}", response.to_uppercase()),
        None => values.to_owned(),
    }
}
