//! RTSP authentication: digest and basic, including expired nonces.

use domain::ports::SourceError;
use http_auth::{PasswordClient, PasswordParams};
use retina::client::Credentials;

use super::wire::Response;
use crate::access::clear_login_refused;
use crate::challenge;

/// Maximum number of challenges to one request.
const MOST_CHALLENGES: u32 = 4;

/// Authentication state of one connection.
pub(super) struct Login {
    credentials: Option<Credentials>,
    client: Option<PasswordClient>,
    /// Whether the camera has accepted this user name and password.
    proven: bool,
    /// Whether the camera may get the password in clear.
    may_be_clear: bool,
}

impl Login {
    /// `may_be_clear`: whether the camera may get the password in clear.
    pub(super) fn new(credentials: Option<Credentials>, may_be_clear: bool) -> Self {
        Self { credentials, client: None, proven: false, may_be_clear }
    }

    /// The field `Authorization` of a request; `None` before the camera has asked.
    pub(super) fn authorization(&mut self, method: &str, uri: &str) -> Option<String> {
        let Credentials { username, password } = self.credentials.as_ref()?;
        let params = PasswordParams { username, password, uri, method, body: Some(&[]) };
        // It fails only without a body, which is given.
        self.client.as_mut()?.respond(&params).ok()
    }

    /// Records that a request was accepted.
    pub(super) fn accepted(&mut self) {
        self.proven |= self.client.is_some();
    }

    /// Processes challenge number `challenges` to one request, which must then be sent again.
    ///
    /// # Errors
    /// Answering again is pointless: the password is wrong or missing, or the scheme is not supported.
    pub(super) fn challenged(&mut self, refusal: &Response, challenges: u32) -> Result<(), SourceError> {
        if self.credentials.is_none() {
            return Err(SourceError::Unauthorised);
        }
        let offered = || refusal.fields.all("WWW-Authenticate");
        let client = challenge::client(offered()).ok_or_else(|| not_understood(refusal))?;
        if matches!(client, PasswordClient::Basic(_)) && !self.may_be_clear {
            return Err(clear_login_refused());
        }
        if self.is_weaker(&client) {
            return Err(self.refused());
        }
        let stale = challenge::is_stale(offered());
        let answered = self.client.replace(client).is_some();
        // An expired nonce is indicated by `stale`, or by a new challenge to a login that was accepted before.
        match stale || !answered || (self.proven && challenges == 1) {
            true if challenges < MOST_CHALLENGES => Ok(()),
            true => Err(SourceError::Broken("the camera keeps challenging the login".to_owned())),
            false => Err(self.refused()),
        }
    }

    /// Whether a camera that used Digest before now asks for Basic, which would reveal the password.
    fn is_weaker(&self, client: &PasswordClient) -> bool {
        matches!((&self.client, client), (Some(PasswordClient::Digest(_)), PasswordClient::Basic(_)))
    }

    fn refused(&self) -> SourceError {
        match self.proven {
            true => SourceError::Broken("the camera refused the login that it had accepted before".to_owned()),
            false => SourceError::Unauthorised,
        }
    }
}

fn not_understood(refusal: &Response) -> SourceError {
    challenge::not_understood(refusal.fields.all("WWW-Authenticate"))
        .map_or(SourceError::Unauthorised, SourceError::Broken)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::rtsp::wire::{Incoming, Reader};

    fn challenge(fields: &[&str]) -> Response {
        let lines: String = fields.iter().map(|field| format!("WWW-Authenticate: {field}\r\n")).collect();
        let text = format!("RTSP/1.0 401 Unauthorized\r\n{lines}\r\n");
        match Reader::default().next(&mut BytesMut::from(text.as_str())) {
            Ok(Some(Incoming::Response(answer))) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn login() -> Login {
        Login::new(Some(Credentials { username: "admin".into(), password: "pass".into() }), true)
    }

    fn digest(nonce: &str, stale: bool) -> Response {
        challenge(&[&format!("Digest realm=\"cam\", nonce=\"{nonce}\", stale={stale}")])
    }

    #[test]
    fn a_wrong_password_is_told_after_one_try() {
        let mut login = login();
        assert_eq!(login.authorization("DESCRIBE", "rtsp://a/"), None);
        assert_eq!(login.challenged(&digest("a", false), 1), Ok(()));
        assert!(login.authorization("DESCRIBE", "rtsp://a/").unwrap().contains("nonce=\"a\""));
        assert_eq!(login.challenged(&digest("b", false), 2), Err(SourceError::Unauthorised));
        assert_eq!(Login::new(None, true).challenged(&digest("a", false), 1), Err(SourceError::Unauthorised));
        assert_eq!(self::login().challenged(&challenge(&[]), 1), Err(SourceError::Unauthorised));
    }

    #[test]
    fn a_nonce_that_ran_out_is_answered_with_the_new_one_and_is_no_wrong_password() {
        let mut login = login();
        assert_eq!(login.challenged(&digest("a", false), 1), Ok(()));
        assert_eq!(login.challenged(&digest("b", true), 2), Ok(()), "stale before anything was granted");
        login.accepted();
        assert_eq!(login.challenged(&digest("c", false), 1), Ok(()), "merely a new nonce");
        assert!(login.authorization("SETUP", "rtsp://a/").unwrap().contains("nonce=\"c\""));
        assert_eq!(login.challenged(&digest("d", true), 2), Ok(()));
        assert!(matches!(login.challenged(&digest("e", true), 4), Err(SourceError::Broken(_))));
        assert!(matches!(login.challenged(&digest("f", false), 2), Err(SourceError::Broken(_))));
    }

    #[test]
    fn the_best_challenge_that_is_known_is_answered() {
        let both = challenge(&["Basic realm=\"/\"", "Digest realm=\"cam\", nonce=\"a\", algorithm=SHA-256"]);
        let mut login = login();
        assert_eq!(login.challenged(&both, 1), Ok(()));
        assert!(login.authorization("DESCRIBE", "rtsp://a/").unwrap().starts_with("Digest "));
        for digest in ["Digest realm=r nonce=\"a\" algorithm=md5", "digest nonce=a,realm=\"cam\",algorithm=\"MD5\""] {
            let mut login = self::login();
            assert_eq!(login.challenged(&challenge(&["Basic realm=\"/\"", digest]), 1), Ok(()));
            assert!(login.authorization("DESCRIBE", "rtsp://a/").unwrap().starts_with("Digest "), "{digest}");
        }
        let unknown = self::login().challenged(&challenge(&["Negotiate"]), 1);
        assert!(matches!(unknown, Err(SourceError::Broken(why)) if why.contains("Negotiate")));
    }

    #[test]
    fn a_password_goes_out_in_clear_only_where_no_digest_was_ever_named() {
        let both = challenge(&["Digest realm=\"cam\", nonce=\"a\", algorithm=SM3", "Basic realm=\"/\""]);
        let mut login = login();
        assert!(matches!(login.challenged(&both, 1), Err(SourceError::Broken(why)) if why.contains("SM3")));
        assert_eq!(login.authorization("DESCRIBE", "rtsp://a/"), None);
        let basic = challenge(&["Basic realm=\"/\", stale=true"]);
        assert_eq!(login.challenged(&digest("a", false), 1), Ok(()));
        assert_eq!(login.challenged(&basic, 2), Err(SourceError::Unauthorised));
        login.accepted();
        assert!(matches!(login.challenged(&basic, 1), Err(SourceError::Broken(_))));
        assert!(login.authorization("SETUP", "rtsp://a/").unwrap().starts_with("Digest "));
        let mut open = self::login();
        assert_eq!(open.challenged(&basic, 1), Ok(()));
        assert!(open.authorization("DESCRIBE", "rtsp://a/").unwrap().starts_with("Basic "));
    }

    #[test]
    fn a_camera_that_may_not_get_the_password_in_clear_gets_none() {
        let basic = challenge(&["Basic realm=\"cam\""]);
        let mut login = Login { may_be_clear: false, ..login() };
        assert_eq!(login.challenged(&basic, 1), Err(clear_login_refused()));
        assert_eq!(login.authorization("DESCRIBE", "rtsp://a/"), None);
        assert_eq!(login.challenged(&digest("a", false), 1), Ok(()));
        assert!(login.authorization("DESCRIBE", "rtsp://a/").unwrap().starts_with("Digest "));
    }
}
