//! `polyfaced`: reads the configuration, wires the crates together, and serves until SIGTERM or SIGINT.

mod accounts;
mod adapters;
mod audit;
mod clock;
mod config;
mod listeners;
mod logging;
mod printing;
mod run;
mod serial;
mod shutdown;
mod vitals;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use config::Config;
use logging::LogFormat;

/// For the whole process, including the inference and video libraries: it returns memory that the system's allocator
/// keeps for every thread, and is no slower.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Face-recognition appliance daemon.
#[derive(Parser)]
#[command(name = "polyfaced", version)]
struct Cli {
    /// Format of the log on standard error; journald logs to the journal instead.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon until SIGTERM or SIGINT; a second signal exits at once.
    Run {
        #[command(flatten)]
        file: File,
        /// Print each recognition on standard output: time, camera, name, similarity, verdict.
        #[arg(long)]
        print_recognitions: bool,
    },
    /// Check the configuration, including folders, files, models and devices, and print one line for each problem.
    Check {
        #[command(flatten)]
        file: File,
    },
    /// Print the version.
    Version,
    /// Set a user's password, read as one line from standard input; the daemon may be running.
    Passwd {
        #[command(flatten)]
        file: File,
        /// Login name.
        user: String,
    },
    /// Print the audit log and verify its chains of hashes; the daemon may be running. Fails when entries were changed
    /// or are missing.
    Audit {
        #[command(flatten)]
        file: File,
    },
}

#[derive(clap::Args)]
struct File {
    /// Configuration file.
    #[arg(long = "config", value_name = "FILE", default_value = "/etc/polyface/polyface.toml")]
    config: PathBuf,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match act(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("polyfaced: {problem}"));
            ExitCode::FAILURE
        }
    }
}

fn act(cli: Cli) -> Result<(), Vec<String>> {
    let one = |error: anyhow::Error| vec![format!("{error:#}")];
    match cli.command {
        Command::Run { file, print_recognitions } => {
            let config = Config::read(&file.config)?;
            logging::start(cli.log_format).map_err(one)?;
            config.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
            run::run(&config, print_recognitions).map_err(one)
        }
        Command::Check { file } => {
            let config = Config::read_and_try(&file.config)?;
            config.warnings().iter().for_each(|warning| eprintln!("polyfaced: warning: {warning}"));
            Ok(())
        }
        Command::Version => {
            println!("polyfaced {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Command::Passwd { file, user } => {
            let config = Config::read(&file.config)?;
            accounts::read_and_set_password(&config, &user).map_err(one)
        }
        Command::Audit { file } => {
            let config = Config::read(&file.config)?;
            let whole = audit::print_and_verify(&config).map_err(one)?;
            if whole { Ok(()) } else { Err(vec!["the audit log was changed".to_owned()]) }
        }
    }
}
