//! The network ports.

use domain::Error;

use crate::codes::{Code, Fault, detail};
use crate::convert::network;
use crate::request::Call;
use crate::wire::Nothing;
use crate::wire::network::{Network, SetDefaultPort, SetNetwork};

/// Reads the network ports (1297, section 6.8).
pub(crate) async fn get_network(call: Call) -> Result<Network, Fault> {
    Ok(network::answer(call.reading()?.network().await?))
}

/// Sets one port; reverted unless a request arrives at the new address within a minute (1296, section 6.9).
pub(crate) async fn set_network(call: Call) -> Result<Nothing, Fault> {
    let port = network::port(call.read::<SetNetwork>()?)?;
    call.acts()?.set_port(port).await.map_err(refusal)?;
    Ok(Nothing::NOTHING)
}

/// Sets the default port and the name servers; reverted unless a request arrives within a minute (1295, section 6.10).
pub(crate) async fn set_default_port(call: Call) -> Result<Nothing, Fault> {
    let asked: SetDefaultPort = call.read()?;
    let name_servers = network::name_servers(&asked)?;
    call.acts()?.set_default_port(&asked.ethname.0, name_servers).await.map_err(refusal)?;
    Ok(Nothing::NOTHING)
}

/// A setting that is well formed but cannot be applied is a network error.
fn refusal(error: Error) -> Fault {
    match error {
        Error::Invalid { .. } | Error::Busy | Error::Unavailable { .. } => {
            Fault::with_detail(Code::Network, detail(&error).unwrap_or_else(|| error.to_string()))
        }
        error => error.into(),
    }
}
