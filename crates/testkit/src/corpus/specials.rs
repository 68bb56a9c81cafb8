//! Fifos, sockets, devices.

use std::io;

use rustix::fs::FileType;

use super::plant::{Plant, make_node, set_mode, set_time};

pub(super) fn fifos_and_sockets(plant: &Plant<'_>) -> io::Result<()> {
    make_node(&plant.path("fifo"), FileType::Fifo, (0, 0))?;
    make_node(&plant.path("fifo-600"), FileType::Fifo, (0, 0))?;
    set_mode(&plant.path("fifo-600"), 0o600)?;
    set_time(&plant.path("fifo-600"), 1_111_111_111, 1)?;
    make_node(&plant.path("socket"), FileType::Socket, (0, 0))
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
