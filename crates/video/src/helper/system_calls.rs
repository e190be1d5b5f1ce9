//! The system calls that decoding needs, for x86-64 and aarch64; every other one fails with EPERM.
//!
//! An allow list: what a later kernel adds is refused until it is listed here. A refused call fails instead of ending
//! the process, because libraries of other versions try calls that they can do without.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// Without conditions: memory, threads of this process, its own signals, time, and descriptors that are open already.
const ALWAYS: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_eventfd2,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getcpu,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getattr,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_sysinfo,
    libc::SYS_write,
    libc::SYS_writev,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];

/// For a hardware decoder in addition: its device files are opened and controlled. Landlock limits which files.
const WITH_DEVICES: &[i64] = &[
    libc::SYS_faccessat,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getuid,
    libc::SYS_ioctl,
    libc::SYS_lseek,
    libc::SYS_memfd_create,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pread64,
    libc::SYS_readlinkat,
    libc::SYS_statx,
    libc::SYS_sched_setaffinity,
    libc::SYS_uname,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
];

/// Operations of fcntl. Others could send signals to the daemon (`F_SETOWN`).
const DESCRIPTOR_FLAGS: [i32; 5] = [libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_SETFL, libc::F_DUPFD_CLOEXEC];

/// Operations of prctl: names of threads and of memory.
const NAMES: [i32; 3] = [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The filters, in the order in which they are installed. `devices`: for a hardware decoder.
pub(super) fn filters(devices: bool) -> Result<[BpfProgram; 2], BackendError> {
    let arch = std::env::consts::ARCH.try_into()?;
    // Its flags are in memory, where a filter cannot read them. The C library then uses clone.
    let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let absent = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let unknown = SeccompFilter::new(unknown, SeccompAction::Allow, absent, arch)?;
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let allowed = SeccompFilter::new(allowed(devices)?, refused, SeccompAction::Allow, arch)?;
    Ok([unknown.try_into()?, allowed.try_into()?])
}

fn allowed(devices: bool) -> Result<Rules, BackendError> {
    let mut rules = conditional()?;
    rules.extend(ALWAYS.iter().map(|call| (*call, Vec::new())));
    if devices {
        rules.extend(WITH_DEVICES.iter().map(|call| (*call, Vec::new())));
    }
    // The other filter answers it.
    rules.insert(libc::SYS_clone3, Vec::new());
    Ok(rules)
}

fn conditional() -> Result<Rules, BackendError> {
    let own = u64::from(std::process::id());
    let thread = libc::CLONE_THREAD.unsigned_abs().into();
    let execution = libc::PROT_EXEC.unsigned_abs().into();
    let one_of = |all: &[i32], argument| {
        all.iter().map(|one| equal(argument, one.unsigned_abs().into())).collect::<Result<Vec<_>, _>>()
    };
    Ok(BTreeMap::from([
        // Threads, no processes.
        (libc::SYS_clone, vec![masked(0, thread, thread)?]),
        // No new code. Drivers of devices compile theirs at run time.
        (libc::SYS_mmap, vec![masked(2, execution, 0)?]),
        (libc::SYS_mprotect, vec![masked(2, execution, 0)?]),
        (libc::SYS_fcntl, one_of(&DESCRIPTOR_FLAGS, 1)?),
        (libc::SYS_prctl, one_of(&NAMES, 0)?),
        // Its own limits, read only.
        (libc::SYS_prlimit64, vec![SeccompRule::new(vec![is(0, 0)?, is(2, 0)?])?]),
        // To abort.
        (libc::SYS_tgkill, vec![equal(0, own)?]),
    ]))
}

fn is(argument: u8, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, value)
}

fn equal(argument: u8, value: u64) -> Result<SeccompRule, BackendError> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)?;
    SeccompRule::new(vec![condition])
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompRule, BackendError> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(mask), value)?;
    SeccompRule::new(vec![condition])
}
