//! 1310.

use serde::Serialize;

/// The answer to 1310.
#[derive(Serialize)]
pub(crate) struct SipServer {
    pub(crate) server_sip_id: String,
}
