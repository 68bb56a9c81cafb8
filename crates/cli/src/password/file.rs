//! A password from a file.

use std::io::Read;
use std::path::Path;

use secrecy::SecretString;

use crate::error::{Error, Result};
use crate::exit::ExitCode;

/// No password is longer; a path to something huge is a mistake.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reads the password. As restic does, a byte order mark is skipped and white space around the text is cut off.
pub fn read(path: &Path) -> Result<SecretString> {
    let doing = || format!("read the password from {}", path.display());
    let wrong = |why: &str| Error::new(ExitCode::Usage, format!("{}: {why}", doing()));
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|e| wrong(&e.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(wrong("the file is longer than 1 MiB, which is no password"));
    }
    let text = decode(&bytes)
        .ok_or_else(|| wrong("it is not UTF-8 (or UTF-16 with a byte order mark)"))?;
    Ok(SecretString::from(text.trim()))
}

fn decode(bytes: &[u8]) -> Option<String> {
    let utf16 = |bytes: &[u8], number: fn([u8; 2]) -> u16| {
        let units = bytes
            .chunks(2)
            .map(|pair| Some(number(pair.try_into().ok()?)));
        String::from_utf16(&units.collect::<Option<Vec<u16>>>()?).ok()
    };
    match bytes {
        [0xef, 0xbb, 0xbf, text @ ..] => String::from_utf8(text.to_vec()).ok(),
        [0xff, 0xfe, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => utf16(text, u16::from_be_bytes),
        text => String::from_utf8(text.to_vec()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    #[test]
    fn a_password_is_the_text_without_what_editors_add() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            super::read(&path).map(|secret| secret.expose_secret().to_owned())
        };
        assert_eq!(read(b"  pass word\r\n\n").unwrap(), "pass word");
        assert_eq!(read(b"\xef\xbb\xbfpa\xc3\xa4").unwrap(), "pa\u{e4}");
        assert_eq!(read(b"\xff\xfep\0\xe4\0\n\0").unwrap(), "p\u{e4}");
        assert_eq!(read(b"\xfe\xff\0p\0\xe4").unwrap(), "p\u{e4}");
        assert_eq!(read(b"caf\xe9").unwrap_err().code.number(), 2);
        assert_eq!(super::read(dir.path()).unwrap_err().code.number(), 2);
    }
}
