//! How fast each path is on this machine: `cargo run --release -p strongroom-kernel --example speed [NAME]`, pinned to one core. Gigabytes of
//! input for a second of processor time, the median of eleven runs; NAME chooses the lines that contain it.
#![allow(clippy::print_stdout, clippy::expect_used, missing_docs)]

use std::hint::black_box;

use strongroom_kernel::{CodePath, FingerprintSearch};

const RUNS: usize = 11;

/// Nanoseconds that this thread has run, so that what runs beside it does not count.
fn processor_time_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux kernel");
    let run_ns = text.split(' ').next().and_then(|ns| ns.parse().ok());
    run_ns.expect("nanoseconds")
}

fn measure(name: &str, bytes: usize, mut work: impl FnMut()) {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if !name.contains(&wanted) {
        return;
    }
    work();
    let mut speeds: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begin = processor_time_ns();
            work();
            bytes as f64 / (processor_time_ns() - begin) as f64
        })
        .collect();
    speeds.sort_by(f64::total_cmp);
    println!(
        "{name:<44} {:6.2} GB/s ({:.2} to {:.2})",
        speeds[RUNS / 2],
        speeds[0],
        speeds[RUNS - 1]
    );
}

fn random_bytes(length: usize) -> Vec<u8> {
    let mut state = 0x0123_4567_89ab_cdef_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Every cut in the data, as a backup without a minimum size would find them.
fn fingerprint(data: &[u8]) {
    for path in CodePath::ALL {
        let search = FingerprintSearch::on_path(0x3D_A335_8B4D_C173, path);
        measure(
            &format!("fingerprint, {}", search.path().name()),
            data.len(),
            || {
                let mut first = strongroom_kernel::WINDOW;
                while let Some(cut) = search.find(black_box(data), first, data.len()) {
                    first = cut + 1;
                }
            },
        );
    }
}

fn main() {
    let data = random_bytes(64 << 20);
    fingerprint(&data);
}
