//! How fast each path is on this machine: `cargo run --release -p strongroom-kernel --example speed [NAME]`, pinned to one core. Gigabytes of
//! input for a second of processor time, the median of eleven runs; NAME chooses the lines that contain it.
#![allow(clippy::print_stdout, missing_docs)]

use std::hint::black_box;

use strongroom_kernel::{CodePath, FingerprintSearch, SealKey, sha256_many_on};

const RUNS: usize = 11;

/// Nanoseconds that this thread has run, so that what runs beside it does not count.
fn processor_time_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
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

/// Many messages of one length: as many at once as named, over all of the data.
fn sha256(data: &[u8]) {
    for kib in [4, 16, 1024] {
        let messages: Vec<&[u8]> = data.chunks_exact(kib << 10).collect();
        for path in CodePath::ALL {
            for at_once in [1, 2, 4, 6, 8, 12, 16, 32, 64] {
                let name = format!("sha256, {}, {at_once} of {kib} KiB", path.name());
                let whole = messages.len() / at_once * at_once * (kib << 10);
                measure(&name, whole, || {
                    for batch in messages.chunks_exact(at_once) {
                        black_box(sha256_many_on(path, black_box(batch)));
                    }
                });
            }
        }
    }
    // As small files are: between 1 and 40 KiB.
    let mut rest = data;
    let mut messages = Vec::new();
    while let Some((message, behind)) = rest.split_at_checked(1024 + messages.len() * 7919 % 40_000)
    {
        messages.push(message);
        rest = behind;
    }
    for path in CodePath::ALL {
        let name = format!("sha256, {}, 64 of 1 to 40 KB", path.name());
        measure(&name, data.len(), || {
            for batch in messages.chunks(64) {
                black_box(sha256_many_on(path, black_box(batch)));
            }
        });
    }
}

/// Blobs of one length, sealed one after the other into memory that is used again.
fn seal(data: &[u8]) {
    let mut out = Vec::with_capacity(2 << 20);
    for kib in [4, 64, 1024] {
        for path in CodePath::ALL {
            if path == CodePath::Avx2 {
                continue;
            }
            let key = SealKey::on_path(path, &[1; 32], &[2; 16], &[3; 16]);
            let blobs = data.chunks_exact(kib << 10);
            let (of, path) = (format!("of {kib} KiB"), path.name());
            measure(&format!("seal, {path}, {of}"), data.len(), || {
                for blob in blobs.clone() {
                    out.clear();
                    key.seal(&[4; 16], black_box(blob), &mut out);
                    black_box(&out);
                }
            });
            measure(&format!("mac, {path}, {of}"), data.len(), || {
                for blob in blobs.clone() {
                    black_box(key.mac(&[4; 16], black_box(blob)));
                }
            });
            out.resize(kib << 10, 0);
            measure(
                &format!("key stream in place, {path}, {of}"),
                data.len(),
                || {
                    for _ in blobs.clone() {
                        key.apply_keystream(&[4; 16], black_box(&mut out));
                    }
                },
            );
        }
    }
}

fn main() {
    let data = random_bytes(64 << 20);
    fingerprint(&data);
    seal(&data);
    sha256(&data);
}
