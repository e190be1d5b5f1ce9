//! Parses authentication challenges as devices write them (names and schemes in any case, values quoted or not, commas
//! missing) and selects the client that answers them.

use http_auth::PasswordClient;

/// Maximum number of bytes of a field that are read.
const LONGEST: usize = 4096;
/// Maximum number of parameters read from a field, over all its challenges.
const MOST_PARAMETERS: usize = 64;

/// One challenge of a field: a scheme and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

/// All challenges of a field, in order. Parameters without a scheme belong to an implied Digest.
pub(crate) fn parse(field: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = field.get(..LONGEST).unwrap_or(field);
    for _ in 0..MOST_PARAMETERS {
        rest = rest.trim_start_matches([' ', '\t', ',', ';']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        let value = behind.trim_start().strip_prefix('=').map(str::trim_start).map(value);
        rest = value.as_ref().map_or(behind, |(_, behind)| behind);
        match (word, value, found.last_mut()) {
            ("", None, _) => break,
            (_, None, _) => found.push(Challenge::of(word)),
            (_, Some((value, _)), Some(last)) => last.parameters.push((word.to_owned(), value)),
            (_, Some((value, _)), None) => {
                let parameters = vec![(word.to_owned(), value)];
                found.push(Challenge { parameters, ..Challenge::of("Digest") });
            }
        }
    }
    found
}

/// The value at the start of `text`, and the remaining text.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, behind) = text.split_at(text.find([',', ' ', '\t']).unwrap_or(text.len()));
        return (value.to_owned(), behind);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return (value, &quoted[at + 1..]),
            _ => {
                value.push(c);
                escaped = false;
            }
        }
    }
    (value, "")
}

/// A client for the first supported Digest challenge in these fields. Basic is answered only when no Digest is offered
/// at all: a device capable of Digest must not receive the password in clear merely because its algorithm is not
/// supported.
pub(crate) fn client<'a>(fields: impl Iterator<Item = &'a str>) -> Option<PasswordClient> {
    let challenges: Vec<_> = fields.flat_map(parse).collect();
    let known = |scheme: &str| {
        let mut named = challenges.iter().filter(|challenge| challenge.is(scheme));
        named.find_map(|challenge| PasswordClient::try_from(challenge.written().as_str()).ok())
    };
    known(if challenges.iter().any(|challenge| challenge.is("Digest")) { "Digest" } else { "Basic" })
}

/// Explains why none of these challenges can be answered; `None` when there are none.
pub(crate) fn not_understood<'a>(fields: impl Iterator<Item = &'a str>) -> Option<String> {
    let challenges: Vec<_> = fields.flat_map(parse).collect();
    let digest = challenges.iter().find(|challenge| challenge.is("Digest"));
    let asked = digest.or(challenges.first())?;
    let kind = format!("{} {}", asked.scheme, asked.value("algorithm").unwrap_or_default());
    let kind = crate::session::plain(kind.trim());
    Some(format!(
        "the camera requires authentication by {kind}, but only Digest (MD5, SHA-256) and Basic are supported"
    ))
}

/// Whether one of these challenges says that the nonce has expired but the password was right.
pub(crate) fn is_stale<'a>(mut fields: impl Iterator<Item = &'a str>) -> bool {
    let stale =
        |challenge: &Challenge| challenge.value("stale").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    fields.any(|field| parse(field).iter().any(stale))
}

impl Challenge {
    fn of(scheme: &str) -> Self {
        Self { scheme: scheme.to_owned(), parameters: Vec::new() }
    }

    pub(crate) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of a parameter; an empty one counts as missing.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.parameters.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// The challenge in the notation of the standard.
    fn written(&self) -> String {
        let quoted = |value: &str| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
        let mut text = format!("{} realm={}", self.scheme, quoted(self.value("realm").unwrap_or_default()));
        for name in ["nonce", "opaque", "qop", "userhash"] {
            if let Some(value) = self.value(name) {
                text.push_str(&format!(", {name}={}", quoted(value)));
            }
        }
        if let Some(algorithm) = self.value("algorithm") {
            text.push_str(&format!(", algorithm={}", algorithm.to_ascii_uppercase().replace("-SESS", "-sess")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use http_auth::PasswordParams;

    use super::*;

    #[test]
    fn parameters_are_read_however_they_are_written() {
        for field in [
            "Digest realm=\"a, b\", nonce=\"n\\\"1\", algorithm=MD5",
            "DIGEST REALM=\"a, b\",NONCE=\"n\\\"1\",Algorithm=\"md5\"",
            "digest realm = \"a, b\" nonce=\"n\\\"1\" algorithm=MD5",
            "Negotiate, Digest nonce=n\"1,realm=\"a, b\",, algorithm=MD5 ,",
            "realm=\"a, b\", nonce=n\"1, algorithm=MD5",
        ] {
            let found = parse(field);
            let digest = found.iter().find(|challenge| challenge.is("Digest")).unwrap();
            assert_eq!(digest.value("realm"), Some("a, b"), "{field}");
            assert_eq!(digest.value("nonce"), Some("n\"1"), "{field}");
            assert!(digest.value("algorithm").unwrap().eq_ignore_ascii_case("MD5"), "{field}");
        }
        assert_eq!(parse(""), []);
        assert_eq!(parse("Digest qop=\"\"")[0].value("qop"), None);
        assert!(parse(&"a=b,".repeat(10_000))[0].parameters.len() <= MOST_PARAMETERS);
    }

    #[test]
    fn the_same_answer_is_given_to_every_spelling_of_a_challenge() {
        let answer = |fields: &[&str]| {
            let params = PasswordParams { username: "u", password: "p", uri: "/", method: "GET", body: None };
            client(fields.iter().copied())?.respond(&params).ok()
        };
        let usual = answer(&["Digest realm=\"r\", nonce=\"n\", algorithm=MD5"]).unwrap();
        let bare = usual.replace(", algorithm=MD5", "");
        for fields in [
            &["digest realm=r, nonce=n, algorithm=md5"][..],
            &["DIGEST nonce=\"n\" realm=\"r\" qop=\"\" opaque=\"\" stale=FALSE"],
            &["Basic realm=\"r\"", "Digest nonce=\"n\", realm=\"r\""],
            &["Digest realm=\"r\", nonce=\"n\", algorithm=SM3", "Digest realm=\"r\", nonce=\"n\", algorithm=\"MD5\""],
        ] {
            let given = answer(fields).unwrap().replace(", algorithm=MD5", "");
            assert_eq!(given, bare, "{fields:?}");
        }
        assert!(answer(&["basic realm=r"]).unwrap().starts_with("Basic "));
        for stronger in [
            &["Digest realm=\"r\", nonce=\"n\", algorithm=SM3", "Basic realm=\"r\""][..],
            &["Basic realm=\"r\"", "dIGEST realm=\"r\""],
            &["Basic realm=\"r\", DIGEST realm=\"r\", nonce=\"n\", algorithm=SM3"],
        ] {
            assert_eq!(answer(stronger), None, "no password in clear: {stronger:?}");
        }
        assert_eq!(answer(&["Digest realm=\"r\""]), None);
        assert_eq!(answer(&[]), None);
    }

    #[test]
    fn a_challenge_that_is_not_understood_is_named() {
        let why = |fields: &[&str]| not_understood(fields.iter().copied());
        assert!(why(&["Basic realm=\"r\"", "digest nonce=\"n\", algorithm=SM3"]).unwrap().contains("digest SM3,"));
        assert!(why(&["Negotiate"]).unwrap().contains("Negotiate,"));
        assert_eq!(why(&[]), None);
    }

    #[test]
    fn a_nonce_that_ran_out_is_told_from_a_wrong_password() {
        assert!(is_stale(["Digest nonce=\"n\", Stale=TRUE"].into_iter()));
        assert!(!is_stale(["Digest nonce=\"n\", stale=false", "Digest nonce=\"n\""].into_iter()));
    }
}
