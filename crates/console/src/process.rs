//! Metrics of the process, from `/proc`.

use std::fmt;
use std::fs;
use std::io;

/// Clock ticks per second in `/proc`, the same on all common Linux systems.
const TICKS: f64 = 100.0;

/// Resource usage of the process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    resident_bytes: u64,
    threads: u64,
    open_files: u64,
    cpu_seconds: f64,
}

impl Figures {
    /// Reads `/proc/self`.
    pub(crate) fn read() -> io::Result<Self> {
        let open_files = fs::read_dir("/proc/self/fd")?.count() as u64;
        let (status, stat) = (fs::read_to_string("/proc/self/status")?, fs::read_to_string("/proc/self/stat")?);
        Self::parse(&status, &stat, open_files).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn parse(status: &str, stat: &str, open_files: u64) -> Option<Self> {
        let field = |name| status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next();
        // The command name is in parentheses and may itself contain spaces and parentheses; utime and stime are the
        // 12th and 13th fields after it.
        let (_, after_name) = stat.rsplit_once(')')?;
        let ticks: f64 =
            after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
        Some(Self {
            resident_bytes: field("VmRSS:")?.parse::<u64>().ok()? * 1024,
            threads: field("Threads:")?.parse().ok()?,
            open_files,
            cpu_seconds: ticks / TICKS,
        })
    }
}

/// The Prometheus text format, with the metric names of its client libraries.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident_bytes, threads, open_files, cpu_seconds } = self;
        writeln!(f, "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {resident_bytes}\n")?;
        writeln!(f, "# TYPE process_threads gauge\nprocess_threads {threads}\n")?;
        writeln!(f, "# TYPE process_open_fds gauge\nprocess_open_fds {open_files}\n")?;
        writeln!(f, "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total {cpu_seconds}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_found_whatever_the_command_is_called() {
        let status = "Name:\tpolyfaced\nVmRSS:\t   20480 kB\nThreads:\t17\n";
        let stat = "42 (poly ) (face) S 1 42 42 0 -1 4194560 900 0 0 0 150 50 0 0 20 0 17 0 100 1 1";
        let expected = Figures { resident_bytes: 20 << 20, threads: 17, open_files: 9, cpu_seconds: 2.0 };
        assert_eq!(Figures::parse(status, stat, 9), Some(expected));
        assert_eq!(Figures::parse("", stat, 9), None);
    }

    #[test]
    fn a_running_process_uses_something() {
        let figures = Figures::read().unwrap();
        assert!(figures.resident_bytes > 1 << 20 && figures.threads > 0 && figures.open_files > 2);
    }
}
