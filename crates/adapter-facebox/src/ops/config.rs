//! Configuration.

use crate::codes::{Code, Fault};
use crate::convert;
use crate::convert::config::{no_storage_server, storage_server};
use crate::request::Caller;
use crate::wire::Done;
use crate::wire::config::{ConfigAnswer, GetConfig, NamedConfig, UpdateConfig};

/// The one configuration that the document names; it is kept and reported, and has no effect (quirk "7.1 names").
const STORAGE_SERVER: &str = "StorageServer";
/// Its key.
const KEY: &str = "config.storage_server";

/// Keeps a configuration (/UpdateSystemConfig, section 7.1).
pub(crate) async fn update_system_config(caller: Caller, request: UpdateConfig) -> Result<Done, Fault> {
    convert::remark(request.remark)?;
    require_known(&request.name)?;
    let config = storage_server(request.config)?;
    caller.acts().keep_value(&caller.device.state(), KEY, Some(config)).await?;
    Ok(Done::DONE)
}

/// Reads a configuration (/GetSystemConfig, section 7.2).
pub(crate) async fn get_system_config(caller: Caller, GetConfig { name }: GetConfig) -> Result<ConfigAnswer, Fault> {
    require_known(&name)?;
    let config = caller.device.state().value(KEY).await?.unwrap_or_else(no_storage_server);
    let info = NamedConfig { name, config };
    Ok(ConfigAnswer { code: 0, info: info.clone(), info_again: info, msg: "" })
}

fn require_known(name: &str) -> Result<(), Fault> {
    if name == STORAGE_SERVER { Ok(()) } else { Err(Code::NoData.into()) }
}
