//! Writes the manual pages and the shell completions of `polyfaced` into a folder:
//! `cargo run --package daemon --example manual -- DIR`.
//!
//! | file | content |
//! |---|---|
//! | `man/polyfaced.8`, `man/polyfaced-COMMAND.8` | manual pages |
//! | `completions/polyfaced.bash`, `completions/_polyfaced`, `completions/polyfaced.fish` | for bash, zsh and fish |

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate_to};
use clap_mangen::Man;
use daemon::cli::Cli;

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: manual DIR");
        return ExitCode::FAILURE;
    };
    match write(Path::new(&folder)) {
        Ok(files) => {
            files.iter().for_each(|file| println!("{}", file.display()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("manual: {}: {error}", Path::new(&folder).display());
            ExitCode::FAILURE
        }
    }
}

/// Writes everything below a folder; returns the files.
fn write(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (pages, completions) = (folder.join("man"), folder.join("completions"));
    fs::create_dir_all(&pages)?;
    fs::create_dir_all(&completions)?;
    let mut files = Vec::new();
    for (name, command) in commands() {
        let file = pages.join(format!("{name}.8"));
        fs::write(&file, page(&name, command)?)?;
        files.push(file);
    }
    for shell in SHELLS {
        files.push(generate_to(shell, &mut Cli::command(), "polyfaced", &completions)?);
    }
    Ok(files)
}

/// The program and each of its commands, by the name of its page.
fn commands() -> Vec<(String, Command)> {
    let program = Cli::command().disable_help_subcommand(true);
    let of_command = |command: &Command| {
        let shown = command.clone().bin_name(format!("polyfaced {}", command.get_name()));
        (format!("polyfaced-{}", command.get_name()), shown.version(env!("CARGO_PKG_VERSION")))
    };
    let shown = program.get_subcommands().filter(|command| !command.is_hide_set());
    let commands: Vec<_> = shown.map(of_command).collect();
    std::iter::once(("polyfaced".to_owned(), program)).chain(commands).collect()
}

fn page(name: &str, command: Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let source = format!("polyface {}", env!("CARGO_PKG_VERSION"));
    let command = command.display_name(name.to_owned());
    Man::new(command).title(name.to_uppercase()).section("8").source(source).manual("polyface").render(&mut page)?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_that_explains_it() {
        let dir = tempfile::tempdir().unwrap();
        let files = write(dir.path()).unwrap();
        for (name, command) in commands() {
            let page = fs::read_to_string(dir.path().join(format!("man/{name}.8"))).unwrap().replace("\\-", "-");
            let about = command.get_about().unwrap().to_string();
            let first_word = about.split_whitespace().next().unwrap();
            assert!(page.contains(&format!(".TH {}", name.to_uppercase())), "{page}");
            assert!(page.contains(first_word), "{name}: {page}");
        }
        assert!(files.iter().all(|file| file.metadata().unwrap().len() > 200), "{files:?}");
    }

    #[test]
    fn completions_know_every_command() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path()).unwrap();
        for file in ["polyfaced.bash", "_polyfaced", "polyfaced.fish"] {
            let completion = fs::read_to_string(dir.path().join("completions").join(file)).unwrap();
            for command in ["run", "check", "doctor", "backup", "restore", "erase"] {
                assert!(completion.contains(command), "{file} lacks {command}");
            }
        }
    }
}
