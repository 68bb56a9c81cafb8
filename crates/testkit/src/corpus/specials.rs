//! Fifos, devices, and what restic leaves out.

use std::io;

use rustix::fs::{AtFlags, CWD, FileType};

use super::plant::{Plant, make_node, set_mode, set_time};

pub(super) fn fifos(plant: &Plant<'_>) -> io::Result<()> {
    make_node(&plant.path("fifo"), FileType::Fifo, (0, 0))?;
    make_node(&plant.path("fifo-600"), FileType::Fifo, (0, 0))?;
    set_mode(&plant.path("fifo-600"), 0o600)?;
    set_time(&plant.path("fifo-600"), 1_111_111_111, 1)
}

pub(super) fn beyond_restic(plant: &Plant<'_>) -> io::Result<()> {
    make_node(&plant.path("socket"), FileType::Socket, (0, 0))?;
    let pointer = plant.symlink("pointer", "nowhere")?;
    // Without a flag this links the symlink itself, not what it points to.
    rustix::fs::linkat(
        CWD,
        &pointer,
        CWD,
        plant.path("pointer-again"),
        AtFlags::empty(),
    )?;
    let names = [
        plant.file("file-2445", b"content")?,
        plant.dir("folder-2445")?,
    ];
    for path in [&names[0], &names[1], &pointer] {
        // 64 bits of nanoseconds since 1970 end in April 2262; ext4 goes on to 2446.
        set_time(path, 15_000_000_000, 123_456_789)?;
    }
    Ok(())
}

pub(super) fn devices(plant: &mut Plant<'_>) -> io::Result<()> {
    // Numbers above 255 use the wider encoding. Nothing opens these: the numbers are of no device or harmless.
    let cases = [
        ("null", FileType::CharacterDevice, (1, 3)),
        ("char-wide", FileType::CharacterDevice, (511, 70_000)),
        ("loop0", FileType::BlockDevice, (7, 0)),
        ("block-wide", FileType::BlockDevice, (300, 300)),
    ];
    for (name, kind, device) in cases {
        let made = make_node(&plant.path(name), kind, device);
        plant.allow_refusal("devices", made)?;
    }
    Ok(())
}
