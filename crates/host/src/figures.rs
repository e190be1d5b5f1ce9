//! CPU and memory figures of the machine.

use domain::{Memory, Processor};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// The CPU, and its load measured over the next 200 ms.
pub(crate) async fn processor() -> Processor {
    let what = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing().with_cpu_usage());
    let mut system = System::new_with_specifics(what);
    tokio::time::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL).await;
    system.refresh_cpu_usage();
    let name = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).filter(|name| !name.is_empty());
    Processor {
        name: name.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        cores: system.cpus().len(),
        busy_percent: f64::from(system.global_cpu_usage()).clamp(0.0, 100.0),
    }
}

/// Total and used memory.
pub(crate) fn memory() -> Memory {
    let what = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(what);
    let total_bytes = system.total_memory();
    Memory { total_bytes, used_bytes: total_bytes.saturating_sub(system.available_memory()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_figures_are_those_of_this_machine() {
        let cores = std::fs::read_to_string("/proc/cpuinfo").unwrap().matches("processor\t:").count();
        let processor = processor().await;
        assert_eq!(processor.cores, cores);
        assert!(!processor.name.is_empty() && (0.0..=100.0).contains(&processor.busy_percent), "{processor:?}");
        let info = std::fs::read_to_string("/proc/meminfo").unwrap();
        let total = info.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024;
        let memory = memory();
        assert_eq!(memory.total_bytes, total);
        assert!((1..total).contains(&memory.used_bytes), "{memory:?}");
    }
}
