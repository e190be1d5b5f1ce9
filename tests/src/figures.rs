//! What a process uses, as the kernel shows it.

use std::fs;
use std::io;

use serde::Serialize;

/// Clock ticks in a second in `/proc`.
const TICKS: f64 = 100.0;

/// What a process uses at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Memory in use, bytes.
    pub resident_bytes: u64,
    /// Of it what belongs to no file: the kernel cannot take it back when memory is short.
    pub anonymous_bytes: u64,
    /// Threads.
    pub threads: u64,
    /// Open file descriptors.
    pub descriptors: u64,
    /// Processor time so far, user and system, seconds.
    pub processor_seconds: f64,
}

impl Figures {
    /// Reads `/proc/PID`.
    ///
    /// # Errors
    /// The process is gone, or another user's.
    pub fn of(pid: u32) -> io::Result<Self> {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}"));
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))?.count() as u64;
        Self::parse(&read("status")?, &read("stat")?, descriptors).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn parse(status: &str, stat: &str, descriptors: u64) -> Option<Self> {
        let field = |name| status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next();
        // The name is in brackets and may hold anything; user and system time are the 12th and 13th field after it.
        let (_, after_name) = stat.rsplit_once(')')?;
        let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
        let bytes = |name| Some(field(name)?.parse::<u64>().ok()? * 1024);
        Some(Self {
            resident_bytes: bytes("VmRSS:")?,
            anonymous_bytes: bytes("RssAnon:")?,
            threads: field("Threads:")?.parse().ok()?,
            descriptors,
            processor_seconds: ticks.sum::<f64>() / TICKS,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_threads_descriptors_and_used_time() {
        let figures = Figures::of(std::process::id()).unwrap();
        assert!(figures.resident_bytes > 1 << 20 && figures.threads >= 1 && figures.descriptors >= 3);
        assert!(Figures::of(u32::MAX).is_err());
    }

    #[test]
    fn a_name_with_brackets_does_not_mislead() {
        let stat = "1 (a) b) S 1 1 1 0 -1 0 0 0 0 0 250 50 0 0 20 0 3 0 1";
        let figures = Figures::parse("VmRSS:\t 10 kB\nRssAnon:\t 4 kB\nThreads:\t3\n", stat, 7).unwrap();
        let (resident_bytes, anonymous_bytes) = (10_240, 4_096);
        let expected = Figures { resident_bytes, anonymous_bytes, threads: 3, descriptors: 7, processor_seconds: 3.0 };
        assert_eq!(figures, expected);
    }
}
