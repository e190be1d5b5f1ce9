//! The public key.

use crate::codes::Fault;
use crate::request::Caller;
use crate::wire::device::PublicKey;
use crate::wire::{Answer, Nothing};

/// Returns the key that passwords of cameras are encrypted for (/rsa/publickey, section 4.1).
pub(crate) async fn public_key(caller: Caller, _: Nothing) -> Result<Answer<PublicKey>, Fault> {
    caller.reading()?;
    Ok(Answer::of(PublicKey { public_key: caller.device.key.public().await? }))
}
