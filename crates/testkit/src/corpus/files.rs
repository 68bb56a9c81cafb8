//! Contents: sizes at every border that the format has, repetition, holes.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;

use super::plant::Plant;
use crate::Random;

/// Bounds of a chunk in restic's chunker.
const CHUNK_MIN_BYTES: usize = 512 * 1024;
const CHUNK_MAX_BYTES: usize = 8 * 1024 * 1024;

pub(super) fn small(plant: &Plant<'_>, random: &mut Random) -> io::Result<()> {
    for size in [
        0, 1, 2, 15, 16, 17, 63, 64, 65, 4095, 4096, 4097, 65_535, 65_536, 65_537,
    ] {
        plant.file(format!("random-{size}"), &random.bytes(size))?;
        plant.file(format!("text-{size}"), &random.text(size))?;
    }
    let content = random.bytes(10_000);
    plant.dir("copies")?;
    for n in 0..4 {
        plant.file(format!("copies/{n}"), &content)?;
    }
    for n in 0..60 {
        let size = random.below(3000) as usize;
        plant.file(format!("some-{n:02}.txt"), &random.text(size))?;
    }
    Ok(())
}

pub(super) fn large(plant: &Plant<'_>, random: &mut Random) -> io::Result<()> {
    for size in [CHUNK_MIN_BYTES - 1, CHUNK_MIN_BYTES, CHUNK_MIN_BYTES + 1] {
        plant.file(format!("random-{size}"), &random.bytes(size))?;
    }
    // Zeros have no cut point before the largest chunk; longer runs repeat one blob, which must not enter a pack twice (T-01).
    for size in [CHUNK_MAX_BYTES - 1, CHUNK_MAX_BYTES + 1] {
        plant.file(format!("zeros-{size}"), &vec![0; size])?;
    }
    let random_content = random.bytes(9 << 20);
    plant.file("random.bin", &random_content)?;
    plant.file("random-copy.bin", &random_content)?;
    plant.file("text.log", &random.text(6 << 20))?;
    // The same content shifted by some bytes: content-defined chunks find it again.
    plant.file(
        "random-shifted.bin",
        &[b"seven..".as_slice(), &random_content[..5 << 20]].concat(),
    )?;
    // Half random, half not.
    plant.file(
        "mixed.bin",
        &[
            random.bytes(1 << 20),
            vec![0xaa; 1 << 20],
            random.text(1 << 20),
        ]
        .concat(),
    )?;
    Ok(())
}

pub(super) fn sparse(plant: &Plant<'_>, random: &mut Random) -> io::Result<()> {
    const MIB: u64 = 1 << 20;
    let cases: [(&str, u64, &[u64]); 5] = [
        ("only-hole", 12 * MIB, &[]),
        ("hole-first", 3 * MIB, &[3 * MIB - 4096]),
        ("hole-last", 3 * MIB, &[0]),
        (
            "hole-between",
            10 * MIB,
            &[0, 5 * MIB + 123, 10 * MIB - 20_000],
        ),
        ("hole-odd-length", 2 * MIB + 7, &[MIB]),
    ];
    for (name, size_bytes, data_at) in cases {
        let file = fs::File::create(plant.path(name))?;
        file.set_len(size_bytes)?;
        for offset in data_at {
            file.write_all_at(&random.bytes(4096), *offset)?;
        }
        file.set_len(size_bytes)?;
    }
    Ok(())
}
