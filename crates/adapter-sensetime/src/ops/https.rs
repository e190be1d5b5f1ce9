//! Serving over HTTPS.

use adapter::{CredentialError, Part, Piece};

use crate::codes::{Code, Fault};
use crate::device::Device;
use crate::request::Call;
use crate::settings::{HTTPS_MODE, https_file, https_file_name};
use crate::wire::https::{HttpsFile, HttpsFiles, HttpsState, SwitchHttps};
use crate::wire::{Nothing, Text};

/// The longest file name kept, characters.
const LONGEST_NAME: usize = 255;

/// Keeps a certificate or a private key (1302, section 8.1).
pub(crate) async fn upload_https_file(mut call: Call) -> Result<Nothing, Fault> {
    let piece = piece(&call.read::<HttpsFile>()?.file_type)?;
    let device = call.device.clone();
    let _order = device.https_order.lock().await;
    if device.encryption.is_on() {
        return Err(Code::CertificateImport.into());
    }
    let Part { file_name, bytes, .. } = call.take_file("file")?;
    let name = plain_name(&file_name.and_then(Result::ok).unwrap_or_default(), piece);
    device.encryption.put(piece, bytes).await.map_err(|error| match error {
        CredentialError::Unusable(_) => Fault::parameter(format!("file: {error}")),
        error => internal(error),
    })?;
    call.acts()?.configure(&device.state(), https_file(piece), Some(name)).await?;
    Ok(Nothing::NOTHING)
}

/// Removes the certificate or the private key (1303, section 8.2).
pub(crate) async fn delete_https_file(call: Call) -> Result<Nothing, Fault> {
    let piece = piece(&call.read::<HttpsFile>()?.file_type)?;
    let device = &call.device;
    let _order = device.https_order.lock().await;
    if device.encryption.is_on() {
        return Err(Code::CertificateDelete.into());
    }
    if https_file_name(&device.state(), piece).await?.is_empty() {
        return Err(Code::NoCertificate.into());
    }
    // As long as the name is kept, the client can repeat the request.
    device.encryption.remove(piece).await.map_err(internal)?;
    call.acts()?.configure(&device.state(), https_file(piece), None).await?;
    Ok(Nothing::NOTHING)
}

/// Reads the names of certificate and private key (1304, section 8.3).
pub(crate) async fn get_https_files(call: Call) -> Result<HttpsFiles, Fault> {
    let state = call.device.state();
    Ok(HttpsFiles {
        https_cert: https_file_name(&state, Piece::Certificate).await?,
        https_key: https_file_name(&state, Piece::Key).await?,
    })
}

/// Switches between HTTP and HTTPS; sessions and subscriptions end, running requests do not (1305, section 8.4).
pub(crate) async fn switch_https(call: Call) -> Result<Nothing, Fault> {
    let on = match call.read::<SwitchHttps>()?.prot_mode.0.trim() {
        "https" => true,
        "http" => false,
        _ => return Err(Fault::parameter("prot_mode is neither http nor https")),
    };
    let device = &call.device;
    let _order = device.https_order.lock().await;
    if device.encryption.is_on() == on {
        return Err(Code::AlreadyInMode.into());
    }
    let mut config = None;
    if on {
        require_files(device).await?;
        config = Some(device.encryption.server(Some(device.appliance.now())).await.map_err(failed)?);
    }
    // The mode is stored first, because a restart follows it; without it nothing is switched.
    keep_mode(&call, on).await?;
    let switched = match config {
        Some(config) => device.encryption.turn_on(config).await,
        None => device.encryption.turn_off().await,
    };
    if let Err(error) = switched {
        keep_mode(&call, !on).await?;
        return Err(failed(error));
    }
    device.sessions.close_all();
    device.live.end_all();
    Ok(Nothing::NOTHING)
}

async fn keep_mode(call: &Call, on: bool) -> Result<(), Fault> {
    Ok(call.acts()?.configure(&call.device.state(), HTTPS_MODE, on.then(|| "https".to_owned())).await?)
}

async fn require_files(device: &Device) -> Result<(), Fault> {
    for piece in [Piece::Certificate, Piece::Key] {
        if https_file_name(&device.state(), piece).await?.is_empty() {
            return Err(Code::NoCertificate.into());
        }
    }
    Ok(())
}

/// Reads whether the device is served over HTTP or HTTPS (1306, section 8.5).
pub(crate) async fn get_https_state(call: Call) -> Result<HttpsState, Fault> {
    Ok(HttpsState { https_stat: if call.device.encryption.is_on() { "https" } else { "http" } })
}

fn piece(file_type: &Text) -> Result<Piece, Fault> {
    match file_type.0.trim() {
        "crt" => Ok(Piece::Certificate),
        "key" => Ok(Piece::Key),
        _ => Err(Fault::parameter("file_type is neither crt nor key")),
    }
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
