//! Serving over HTTPS.

use std::time::Duration;

use adapter::{CredentialError, Part, Piece};

use crate::call::Call;
use crate::codes::{Code, Fault};
use crate::core::Core;
use crate::wire::https::{HttpsFile, HttpsFiles, HttpsState, SwitchHttps};
use crate::wire::{Nothing, Text};

/// The state value that says `https` when the device is served encrypted.
const MODE: &str = "https.mode";
/// Time between two attempts to serve encrypted again.
const RETRY: Duration = Duration::from_secs(10);
/// The longest file name kept, characters.
const LONGEST_NAME: usize = 255;

/// Keeps a certificate or a private key (1302, section 8.1).
pub(crate) async fn upload_https_file(mut call: Call) -> Result<Nothing, Fault> {
    let piece = piece(&call.read::<HttpsFile>()?.file_type)?;
    let core = call.core.clone();
    let _order = core.https_order.lock().await;
    if core.encryption.is_on() {
        return Err(Code::CertificateImport.into());
    }
    let Part { file_name, bytes, .. } = call.take_file("file")?;
    let name = plain_name(&file_name.and_then(Result::ok).unwrap_or_default(), piece);
    core.encryption.put(piece, bytes).await.map_err(|error| match error {
        CredentialError::Unusable(_) => Fault::parameter(format!("file: {error}")),
        error => internal(error),
    })?;
    call.acts()?.configure(&core.state(), name_key(piece), Some(name)).await?;
    Ok(Nothing::NOTHING)
}

/// Removes the certificate or the private key (1303, section 8.2).
pub(crate) async fn delete_https_file(call: Call) -> Result<Nothing, Fault> {
    let piece = piece(&call.read::<HttpsFile>()?.file_type)?;
    let core = &call.core;
    let _order = core.https_order.lock().await;
    if core.encryption.is_on() {
        return Err(Code::CertificateDelete.into());
    }
    if name(core, piece).await?.is_empty() {
        return Err(Code::NoCertificate.into());
    }
    // While the name is there, it can be asked for again.
    core.encryption.remove(piece).await.map_err(internal)?;
    call.acts()?.configure(&core.state(), name_key(piece), None).await?;
    Ok(Nothing::NOTHING)
}

/// Reads the names of certificate and private key (1304, section 8.3).
pub(crate) async fn get_https_files(call: Call) -> Result<HttpsFiles, Fault> {
    let core = &call.core;
    Ok(HttpsFiles { https_cert: name(core, Piece::Certificate).await?, https_key: name(core, Piece::Key).await? })
}

/// Switches between HTTP and HTTPS; sessions and subscriptions end, running requests do not (1305, section 8.4).
pub(crate) async fn switch_https(call: Call) -> Result<Nothing, Fault> {
    let on = match call.read::<SwitchHttps>()?.prot_mode.0.trim() {
        "https" => true,
        "http" => false,
        _ => return Err(Fault::parameter("prot_mode is neither http nor https")),
    };
    let core = &call.core;
    let _order = core.https_order.lock().await;
    if core.encryption.is_on() == on {
        return Err(Code::AlreadyInMode.into());
    }
    let mut config = None;
    if on {
        require_files(core).await?;
        config = Some(core.encryption.server(Some(core.appliance.now())).await.map_err(failed)?);
    }
    // First what a restart goes by: what cannot be kept is not done.
    keep_mode(&call, on).await?;
    let switched = match config {
        Some(config) => core.encryption.turn_on(config).await,
        None => core.encryption.turn_off().await,
    };
    if let Err(error) = switched {
        keep_mode(&call, !on).await?;
        return Err(failed(error));
    }
    core.sessions.close_all();
    core.live.end_all();
    Ok(Nothing::NOTHING)
}

async fn keep_mode(call: &Call, on: bool) -> Result<(), Fault> {
    Ok(call.acts()?.configure(&call.core.state(), MODE, on.then(|| "https".to_owned())).await?)
}

async fn require_files(core: &Core) -> Result<(), Fault> {
    for piece in [Piece::Certificate, Piece::Key] {
        if name(core, piece).await?.is_empty() {
            return Err(Code::NoCertificate.into());
        }
    }
    Ok(())
}

/// Reads whether the device is served over HTTP or HTTPS (1306, section 8.5).
pub(crate) async fn get_https_state(call: Call) -> Result<HttpsState, Fault> {
    Ok(HttpsState { https_stat: if call.core.encryption.is_on() { "https" } else { "http" } })
}

/// Serves as before the last stop. What was encrypted is never served in clear, and an outdated certificate is better
/// than a device that nobody reaches.
pub(crate) async fn resume(core: &Core) {
    while let Err(error) = try_resume(core).await {
        tracing::error!(error, "cannot be served as before, trying again");
        tokio::time::sleep(RETRY).await;
    }
}

async fn try_resume(core: &Core) -> Result<(), String> {
    let mode = core.state().value(MODE).await.map_err(|error| error.chain())?;
    if mode.is_none() {
        return core.encryption.turn_off().await.map_err(|error| error.to_string());
    }
    core.encryption.refuse_clear();
    let config = core.encryption.server(None).await.map_err(|error| error.to_string())?;
    core.encryption.turn_on(config).await.map_err(|error| error.to_string())
}

fn piece(file_type: &Text) -> Result<Piece, Fault> {
    match file_type.0.trim() {
        "crt" => Ok(Piece::Certificate),
        "key" => Ok(Piece::Key),
        _ => Err(Fault::parameter("file_type is neither crt nor key")),
    }
}

/// The state value that holds the name a file was uploaded under.
fn name_key(piece: Piece) -> &'static str {
    match piece {
        Piece::Certificate => "https.certificate",
        Piece::Key => "https.key",
    }
}

/// The name a file was uploaded under; empty when there is none.
async fn name(core: &Core, piece: Piece) -> domain::Result<String> {
    Ok(core.state().value(name_key(piece)).await?.unwrap_or_default())
}

/// The name without the folders before it.
fn plain_name(path: &str, piece: Piece) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    match (name.is_empty(), piece) {
        (false, _) => name,
        (true, Piece::Certificate) => "server.crt".into(),
        (true, Piece::Key) => "server.key".into(),
    }
}

fn failed(error: impl std::fmt::Display) -> Fault {
    Fault::with_detail(Code::ToggleHttps, error.to_string())
}

fn internal(error: CredentialError) -> Fault {
    domain::Error::internal("keeping a file for HTTPS")(error).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_without_its_folders() {
        let name = |path| plain_name(path, Piece::Key);
        assert_eq!(name("C:\\keys\\a.key"), "a.key");
        assert_eq!(name("../../a\n.key"), "a.key");
        assert_eq!((name(""), plain_name("x/", Piece::Certificate)), ("server.key".into(), "server.crt".into()));
        assert_eq!(name(&"x".repeat(1000)).len(), LONGEST_NAME);
    }
}
