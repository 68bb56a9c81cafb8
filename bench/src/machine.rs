//! Facts of the machine, so that figures of two machines are not taken for a change of ours.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::results::Machine;

/// Of all that a processor lists, what the inner loops of a backup tool may use.
const INSTRUCTIONS: [&str; 14] = [
    "aes",
    "pclmulqdq",
    "sha_ni",
    "avx2",
    "avx512f",
    "avx512bw",
    "avx512vbmi",
    "avx512ifma",
    "vaes",
    "vpclmulqdq",
    "gfni",
    "pmull",
    "sha2",
    "asimd",
];

/// This machine, with the file system of a folder.
pub fn facts(work: &Path) -> Machine {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |names: [&str; 2]| {
        let line = processor
            .lines()
            .find(|line| names.iter().any(|name| line.starts_with(name)));
        line.and_then(|line| line.split_once(':'))
            .map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let flags = field(["flags", "Features"]);
    let has = |name: &&str| flags.split_whitespace().any(|flag| flag == *name);
    Machine {
        processor: field(["model name", "CPU implementer"]),
        cores: std::thread::available_parallelism().map_or(0, |cores| cores.get() as u64),
        instructions: INSTRUCTIONS
            .iter()
            .copied()
            .filter(has)
            .map(str::to_owned)
            .collect(),
        memory_bytes: memory("MemTotal"),
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
            .unwrap_or_default()
            .trim()
            .to_owned(),
        file_system: file_system(work),
    }
}

/// Memory that could be had now, in bytes.
pub fn available_memory() -> u64 {
    memory("MemAvailable")
}

fn memory(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// The kind of the file system below which a folder lies: the mount point with the longest matching path.
pub fn file_system(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let kinds = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        Some((fields.nth(1)?, fields.next()?))
    });
    let below = kinds.filter(|(point, _)| folder.starts_with(point));
    below
        .max_by_key(|(point, _)| point.len())
        .map_or_else(|| "unknown".to_owned(), |(_, kind)| kind.to_owned())
}

/// Processes that wanted to run, on average of the last minute.
pub fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}
