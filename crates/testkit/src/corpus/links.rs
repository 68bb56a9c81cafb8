//! Hard links and symlinks.

use std::fs;
use std::io;

use super::plant::{Plant, set_time};
use crate::Random;

pub(super) fn hard(plant: &Plant<'_>, random: &mut Random) -> io::Result<()> {
    plant.dir("one/deeper")?;
    plant.dir("two")?;
    let first = plant.file("one/first", &random.bytes(5000))?;
    fs::hard_link(&first, plant.path("one/same-folder"))?;
    fs::hard_link(&first, plant.path("one/deeper/below"))?;
    fs::hard_link(&first, plant.path("two/other-folder"))?;
    // The same content, yet another file: links must follow the file, not its content.
    let second = plant.file("one/second", &fs::read(&first)?)?;
    fs::hard_link(&second, plant.path("two/second-again"))?;
    let empty = plant.file("two/empty", b"")?;
    fs::hard_link(&empty, plant.path("two/empty-again"))?;
    Ok(())
}

pub(super) fn symbolic(plant: &Plant<'_>) -> io::Result<()> {
    plant.dir("folder")?;
    plant.file("folder/file", b"behind a symlink")?;
    let cases: [(&str, &[u8]); 14] = [
        ("relative", b"folder/file"),
        ("to-folder", b"folder"),
        ("to-folder-slash", b"folder/"),
        ("absolute", b"/etc/hostname"),
        ("up", b"../../.."),
        ("dangling", b"no/such/file"),
        ("dangling-absolute", b"/no/such/file"),
        ("self", b"self"),
        ("loop-a", b"loop-b"),
        ("loop-b", b"loop-a"),
        ("to-here", b"."),
        ("not-utf8", b"caf\xe9/\xff\xfe\x80"),
        ("newline-quote", b"a\n\"b\"\\'$(c)"),
        ("spaces", b" leading and trailing "),
    ];
    for (name, target) in cases {
        plant.symlink(name, target)?;
    }
    plant.symlink("long", [b"0123456789abcde/".as_slice(); 255].concat())?;
    let timed = plant.symlink("timed", "folder/file")?;
    set_time(&timed, 1_234_567_890, 987_654_321)
}
