//! `polyfaced`: reads the configuration, wires the crates together, and serves until SIGTERM or SIGINT.

mod accounts;
mod adapters;
mod audit;
mod backup;
mod clock;
mod config;
mod doctor;
mod key;
mod listeners;
mod logging;
mod models;
mod packages;
mod printing;
mod refusal;
mod reset;
mod run;
mod sealing;
mod serial;
mod shutdown;
mod telemetry;
mod upgrades;
mod upkeep;
mod vitals;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use daemon::cli::{Cli, Command};

use config::Config;

/// For the whole process, including the inference and video libraries: it returns memory that the system's allocator
/// keeps for every thread, and is no slower.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Err(error) = telemetry::switch_off() {
        eprintln!("polyfaced: the telemetry of ONNX Runtime cannot be switched off: {error}");
        return ExitCode::FAILURE;
    }
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
        Command::Doctor { file, json } => {
            let healthy = doctor::examine(&file.config, json).map_err(one)?;
            if healthy { Ok(()) } else { Err(Vec::new()) }
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
        Command::Backup(options) => {
            let config = Config::read(&options.file.config)?;
            backup::command(&config, &options).map_err(one)
        }
        Command::Restore(options) => {
            let config = Config::read(&options.file.config)?;
            backup::restore(&config, &options).map_err(one)
        }
        Command::Schema { stored: false, .. } => {
            println!("{}", store::supported_schema());
            Ok(())
        }
        Command::Schema { file, stored: true } => {
            let config = Config::read(&file.config)?;
            let version =
                store::stored_schema(&config.storage.dir).context("the database cannot be read").map_err(one)?;
            println!("{}", version.unwrap_or_default());
            Ok(())
        }
        Command::RotateKeys { file, new_key } => {
            let config = Config::read(&file.config)?;
            logging::start(cli.log_format).map_err(one)?;
            sealing::rotate(&config, new_key.as_deref()).map_err(one)
        }
        Command::Erase(options) => {
            let config = Config::read(&options.file.config)?;
            reset::command(&config, &options).map_err(one)
        }
        Command::InstallPackages { file } => {
            let config = Config::read(&file.config)?;
            packages::run(&config, &packages::Places::default()).map_err(one)
        }
        Command::Decode { arguments } => video::decode(&arguments).map_err(|why| vec![why]),
    }
}
