//! How a peer behaves.

use crate::clip::Codec;

/// How the peer behaves; the default answers as it should.
#[derive(Debug, Clone, Default)]
pub struct Manners {
    /// What its clip holds.
    pub codec: Codec,
    /// It sends within a connection only.
    pub connection_only: bool,
    /// One packet in so many is lost; 0: none.
    pub loses_every: u32,
    /// Two packets in so many change places; 0: none.
    pub swaps_every: u32,
    /// Pictures after which it hangs up.
    pub hangs_up_after: Option<u64>,
    /// Pictures after which it says nothing more.
    pub silent_after: Option<u64>,
    /// The answer to invitations, instead of an acceptance.
    pub refuses: Option<&'static str>,
    /// It hears nothing the first time.
    pub hard_of_hearing: bool,
    /// What it leaves out, or writes in a way of its own.
    pub omits: Option<Omission>,
}

/// What devices of the field leave out of what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Omission {
    /// The way that messages take.
    Via,
    /// All but the first letters of the names of fields.
    Names,
    /// The first of the two bytes of line ends.
    Returns,
    /// Lengths of bodies.
    Lengths,
    /// Angle brackets around addresses.
    Brackets,
    /// Whom answers are for, and which request by its number and method.
    Requests,
    /// The map of the program stream.
    Map,
    /// Small letters in digests and challenges, quotes around values, and the algorithm.
    Quotes,
}

impl Manners {
    /// What it says instead of this.
    pub(super) fn spoken(&self, text: &str) -> String {
        let without = |names: &[&str]| {
            let kept = text.split_inclusive("\r\n").filter(|line| !names.iter().any(|name| line.starts_with(name)));
            kept.collect::<String>()
        };
        match self.omits {
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

/// With logins and challenges in capitals, without quotes, and without the algorithm.
fn unquoted(text: &str) -> String {
    let line = |line: &str| match line.split_once(" Digest ") {
        Some((name, values)) => {
            let values = values.replace(", algorithm=MD5", "").replace(", ", ",").replace('"', "");
            format!("{name} DIGEST {}", in_capitals(&values))
        }
        None => line.to_owned(),
    };
    text.split_inclusive("\r\n").map(line).collect()
}

/// The response in capitals.
fn in_capitals(values: &str) -> String {
    match values.split_once("response=") {
        Some((before, response)) => format!("{before}response={}", response.to_uppercase()),
        None => values.to_owned(),
    }
}
