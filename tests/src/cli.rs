//! What an owner does to a device from its command line, and accounts that no protocol makes.

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

use domain::ports::SettingsStore;
use domain::{NewAccount, Role, Timestamp, hash_password};

use crate::{Device, polyfaced};

impl Device {
    /// Sets a password with `polyfaced passwd`; panics unless that succeeds.
    pub fn passwd(&self, user: &str, password: &str) {
        let output = self.try_passwd(user, password);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// As [`Device::passwd`], and what it answers.
    pub fn try_passwd(&self, user: &str, password: &str) -> Output {
        self.command(&["passwd", user], password)
    }

    /// What `polyfaced audit` answers.
    pub fn audit(&self) -> Output {
        self.command(&["audit"], "")
    }

    /// Runs a command of `polyfaced` with the device's configuration and one line on its standard input.
    pub fn command(&self, arguments: &[&str], line: &str) -> Output {
        let mut child = self.start_command(arguments);
        let mut stdin = child.stdin.take().expect("a standard input");
        // It may refuse without reading.
        let _ = writeln!(stdin, "{line}");
        drop(stdin);
        child.wait_with_output().expect("the command ends")
    }

    /// Starts a command of `polyfaced` with the device's configuration.
    pub fn start_command(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(polyfaced());
        command.args(arguments).arg("--config").arg(self.config());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the command starts")
    }

    /// Makes an account beside the running daemon, with any role.
    pub fn add_account(&self, name: &str, role: Role, password: &str) {
        let store = store::Store::open_beside(&self.storage(), &self.storage_key()).expect("the store");
        let hashes = hash_password(name, None, password).expect("a password within the rules");
        let account = NewAccount { name: name.to_owned(), role, hashes, at: Timestamp::from_millis(0) };
        store.insert_account(&account).expect("an account");
    }
}
