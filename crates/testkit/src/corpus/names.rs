//! Names and paths that break what is careless with them.

use std::io;

use super::plant::Plant;
use crate::Random;

/// The longest name that Linux file systems hold.
const NAME_MAX_BYTES: usize = 255;

const HOSTILE: &[&[u8]] = &[
    b" ",
    b" leading",
    b"trailing ",
    b"trailing.",
    b"...",
    b"..a",
    b"-rf",
    b"--help",
    b"~",
    b"#comment",
    b"!bang",
    b"%s%n%d",
    b"a:b",
    b"a;b",
    b"a|b",
    b"a&b",
    b"a=b",
    b"a,b",
    b"*",
    b"?",
    b"[abc]",
    b"[",
    b"]",
    b"{a,b}",
    b"**",
    b"back\\slash",
    b"\\n",
    b"\"double\"",
    b"'single'",
    b"`touch pwned`",
    b"$(touch pwned)",
    b"$HOME",
    b"new\nline",
    b"\n",
    b"carriage\rreturn",
    b"tab\there",
    b"bell\x07",
    b"escape\x1b[31mred",
    b"delete\x7f",
    b"control\x01",
    b"caf\xc3\xa9",
    b"cafe\xcc\x81",
    b"caf\xe9",
    b"\xff",
    b"\xff\xfe\x80",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x97\x9d",
    b"\xe2\x80\xaertl.exe",
    b"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
    b"\xe2\x80\x8bzero-width",
    b"\xef\xbb\xbfbom",
    b"UPPER",
    b"upper",
    b"Upper",
    b"CON",
    b"nul.txt",
    b"config",
    b"latest",
    b"<img src=x onerror=alert(1)>",
];

pub(super) fn hostile(plant: &Plant<'_>, random: &mut Random) -> io::Result<()> {
    plant.dir("files")?;
    plant.dir("folders")?;
    for name in HOSTILE {
        plant.file([b"files/", *name].concat(), name)?;
        plant.dir([b"folders/", *name].concat())?;
        plant.file([b"folders/", *name, b"/", *name].concat(), name)?;
    }
    plant.file(
        [b"files/".as_slice(), &[b'x'; NAME_MAX_BYTES]].concat(),
        b"the longest name",
    )?;
    plant.file(
        [b"files/".as_slice(), &[0xfe; NAME_MAX_BYTES]].concat(),
        b"the longest name, no UTF-8",
    )?;
    let two_byte = "\u{e9}".repeat(NAME_MAX_BYTES / 2);
    plant.file(format!("files/{two_byte}"), b"127 characters, 254 bytes")?;
    for _ in 0..20 {
        let mut name = random.bytes(12);
        name.retain(|b| *b != 0 && *b != b'/');
        name.push(b'.');
        name.push(b'r');
        plant.file([b"files/", name.as_slice()].concat(), &name)?;
    }
    Ok(())
}

/// Folders within folders until the path of the last file, from the root of the corpus, has `path_bytes` bytes.
pub(super) fn deep(plant: &Plant<'_>, path_bytes: usize) -> io::Result<()> {
    const FOLDER_BYTES: usize = 199;
    let root_bytes = super::Part::Deep.folder().len() + 1;
    let mut path = String::new();
    while root_bytes + path.len() + FOLDER_BYTES + 1 < path_bytes {
        path.push_str(&"d".repeat(FOLDER_BYTES));
        path.push('/');
        plant.dir(&path)?;
        plant.file(format!("{path}f"), b"on the way")?;
    }
    let rest = path_bytes.saturating_sub(root_bytes + path.len()).max(1);
    plant.file(format!("{path}{}", "e".repeat(rest)), b"the end")?;
    Ok(())
}
