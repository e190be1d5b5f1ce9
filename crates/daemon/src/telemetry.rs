//! Switches off the telemetry of ONNX Runtime.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What ONNX Runtime reads when it is loaded.
const SWITCH: &str = "ORT_DISABLE_TELEMETRY";

/// Starts this program again, as the same process, unless its environment switches the telemetry off: otherwise ONNX
/// Runtime makes an identifier of the device and reports its start to its maker before it can be told not to. A process
/// cannot safely change its own environment.
///
/// # Errors
/// When the program cannot be started again.
pub(crate) fn switch_off() -> io::Result<()> {
    if env::var_os(SWITCH).is_some() {
        return Ok(());
    }
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_default();
    Err(Command::new(env::current_exe()?).arg0(name).args(arguments).env(SWITCH, "1").exec())
}
