//! Directories: empty ones, many entries in one, many of them.

use std::io;

use super::plant::{Plant, set_mode, set_time};

pub(super) fn dirs(plant: &Plant<'_>) -> io::Result<()> {
    let empty = plant.dir("empty")?;
    set_mode(&empty, 0o700)?;
    set_time(&empty, 1_500_000_000, 5)?;
    plant.dir("nested/empty/below")?;
    plant.dir("crowded")?;
    for n in 0..600 {
        plant.file(format!("crowded/{n:04}"), format!("{}", n % 50).as_bytes())?;
    }
    for n in 0..30 {
        plant.dir(format!("wide/{n}"))?;
        plant.file(format!("wide/{n}/same-name"), b"same content")?;
    }
    Ok(())
}
