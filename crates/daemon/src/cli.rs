//! Commands and options of `polyfaced`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Face-recognition appliance daemon.
///
/// polyfaced reads video from cameras, recognises enrolled people, stores records with pictures, and reports to platforms
/// in the protocols that they speak. The commands beside `run` check, maintain and back up a device.
#[derive(Debug, Parser)]
#[command(name = "polyfaced", version)]
pub struct Cli {
    /// Format of the log on standard error; journald logs to the journal instead.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Format and destination of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line per message, for people.
    Text,
    /// One JSON object per message.
    Json,
    /// Structured messages to the systemd journal.
    Journald,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon until SIGTERM or SIGINT; a second signal exits at once.
    Run {
        /// The configuration.
        #[command(flatten)]
        file: File,
        /// Print each recognition on standard output: time, camera, name, similarity, verdict.
        #[arg(long)]
        print_recognitions: bool,
    },
    /// Check the configuration, including folders, files, models and devices.
    ///
    /// Prints one line for each problem.
    Check {
        /// The configuration.
        #[command(flatten)]
        file: File,
    },
    /// Find out what is wrong with this device.
    ///
    /// Prints one line for each check: configuration, models, storage, network, clock, cameras and platforms, the running
    /// daemon. Fails when there is a problem. The daemon may be running.
    Doctor {
        /// The configuration.
        #[command(flatten)]
        file: File,
        /// Print the checks as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the version.
    Version,
    /// Set a user's password, read as one line from standard input.
    ///
    /// The daemon may be running.
    Passwd {
        /// The configuration.
        #[command(flatten)]
        file: File,
        /// Login name.
        user: String,
    },
    /// Print the audit log and verify its chains of hashes.
    ///
    /// Fails when entries were changed or are missing. The daemon may be running.
    Audit {
        /// The configuration.
        #[command(flatten)]
        file: File,
    },
    /// Print the newest version of the database that this program supports.
    Schema {
        /// The configuration.
        #[command(flatten)]
        file: File,
        /// Print the version of the stored database instead, 0 without one; the daemon may be running.
        #[arg(long)]
        stored: bool,
    },
    /// Write an encrypted backup of people, records, pictures and settings.
    ///
    /// It is encrypted for the recipients, given here or configured, or else with a pass phrase, which is read from the
    /// terminal or as one line from standard input. The daemon may be running.
    Backup(Backup),
    /// Replace everything that is stored by a backup.
    ///
    /// The daemon must be stopped. What was stored is kept until the device is healthy again.
    Restore(Restore),
    /// Seal everything that is stored again with a new data key.
    ///
    /// The daemon must be stopped. What is interrupted is finished by its next start.
    RotateKeys {
        /// The configuration.
        #[command(flatten)]
        file: File,
        /// File with a new storage key, which is used from now on.
        #[arg(long, value_name = "KEY")]
        new_key: Option<PathBuf>,
    },
    /// Erase what the device has stored: everything, its keys first, or parts of it.
    ///
    /// The daemon must be stopped.
    Erase(Erase),
    /// Install the signed package that the daemon has handed over; for polyface-upgrade.service.
    #[command(hide = true)]
    InstallPackages {
        /// The configuration.
        #[command(flatten)]
        file: File,
    },
    /// Decode a camera for the daemon that starts this.
    #[command(hide = true)]
    Decode {
        /// For `video::decode`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// Where the configuration is.
#[derive(Debug, Args)]
pub struct File {
    /// Configuration file.
    #[arg(long = "config", value_name = "FILE", default_value = "/etc/polyface/polyface.toml")]
    pub config: PathBuf,
}

/// Options of `backup`.
#[derive(Debug, Args)]
pub struct Backup {
    /// The configuration.
    #[command(flatten)]
    pub file: File,
    /// The file to be written.
    #[arg(value_name = "BACKUP")]
    pub to: PathBuf,
    /// Public key that can open the backup, as age-keygen prints it; may be repeated. Replaces `backup.recipients` of the
    /// configuration.
    #[arg(long = "recipient", value_name = "age1…")]
    pub recipients: Vec<String>,
    /// Encrypt with a pass phrase although recipients are configured.
    #[arg(long, conflicts_with = "recipients")]
    pub passphrase: bool,
    /// Include the certificates and private keys of the device's listeners, and its own sounds.
    #[arg(long)]
    pub with_keys: bool,
    /// Replace an existing file.
    #[arg(long)]
    pub force: bool,
}

/// Options of `erase`.
#[derive(Debug, Args)]
pub struct Erase {
    /// The configuration.
    #[command(flatten)]
    pub file: File,
    /// Restore the settings of the device and of every interface, and the first account's password.
    #[arg(long)]
    pub settings: bool,
    /// Erase all people, also from the records.
    #[arg(long)]
    pub people: bool,
    /// Erase all records.
    #[arg(long)]
    pub records: bool,
    /// Erase everything with its keys; the default.
    #[arg(long, conflicts_with_all = ["settings", "people", "records"])]
    pub all: bool,
    /// Erase without asking.
    #[arg(long)]
    pub yes: bool,
}

/// Options of `restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// The configuration.
    #[command(flatten)]
    pub file: File,
    /// The backup.
    #[arg(value_name = "BACKUP")]
    pub from: PathBuf,
    /// File with the private key of a recipient, as age-keygen writes it; may be repeated. Without it the pass phrase is
    /// read from the terminal or as one line from standard input.
    #[arg(long = "identity", value_name = "KEY")]
    pub identities: Vec<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_is_explained() {
        let cli = Cli::command();
        for command in cli.get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
        }
    }
}
