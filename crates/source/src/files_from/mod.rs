//! Lists of paths to back up, as `--files-from`, `--files-from-verbatim` and `--files-from-raw` take them.
//!
//! What the lists yield goes to [`Files::new`](crate::files::Files::new) together with the paths of the command line.

mod glob;

use std::io::Read;
use std::path::Path;

use strongroom_repository::pattern::{decode_text, lines};

/// Why a list of paths cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FilesFromError {
    /// It cannot be read.
    #[error("the list of files cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// A malformed pattern.
    #[error("malformed pattern in the list of files: {0:?}")]
    Pattern(String),
    /// An empty name in a list with zero bytes.
    #[error("the list of files has an empty name")]
    EmptyName,
    /// A list with zero bytes that ends without one: it may have been cut off.
    #[error("the list of files does not end with a zero byte: it may be incomplete")]
    NotTerminated,
}

/// What a list of patterns stands for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// Paths to back up, in the order of the patterns, of each pattern in the order of the names.
    pub paths: Vec<Vec<u8>>,
    /// Patterns that match nothing, for [`Options::unmatched`](crate::files::Options::unmatched).
    pub unmatched: Vec<Vec<u8>>,
}

/// `--files-from`: a pattern a line. White space around it is removed; empty lines and those that begin with `#` are
/// left out; `*`, `?`, `[a-z]` and `\` have the meaning of Go's `filepath.Match`. A byte order mark is honoured.
///
/// Relative patterns are matched from `working_directory` and yield relative paths.
pub fn patterns(mut list: impl Read, working_directory: &Path) -> Result<Matched, FilesFromError> {
    let mut content = Vec::new();
    list.read_to_end(&mut content)?;
    let mut matched = Matched::default();
    for line in lines(&decode_text(&content)).map(trim) {
        if line.is_empty() || line.first() == Some(&b'#') {
            continue;
        }
        let paths = glob::expand(line, working_directory)?;
        if paths.is_empty() {
            matched.unmatched.push(line.to_vec());
        }
        matched.paths.extend(paths);
    }
    Ok(matched)
}

/// `--files-from-verbatim`: a path a line, taken as it is; empty lines are left out. A byte order mark is honoured.
pub fn verbatim(mut list: impl Read) -> Result<Vec<Vec<u8>>, FilesFromError> {
    let mut content = Vec::new();
    list.read_to_end(&mut content)?;
    let content = decode_text(&content);
    let paths = lines(&content).filter(|line| !line.is_empty());
    Ok(paths.map(<[u8]>::to_vec).collect())
}

/// `--files-from-raw`: paths with a zero byte after each, taken as they are.
pub fn raw(mut list: impl Read) -> Result<Vec<Vec<u8>>, FilesFromError> {
    let mut content = Vec::new();
    list.read_to_end(&mut content)?;
    let names = match content.strip_suffix(b"\0") {
        Some(names) => names,
        None if content.is_empty() => return Ok(Vec::new()),
        None => return Err(FilesFromError::NotTerminated),
    };
    let names: Vec<_> = names.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
    if names.iter().any(Vec::is_empty) {
        return Err(FilesFromError::EmptyName);
    }
    Ok(names)
}

fn trim(line: &[u8]) -> &[u8] {
    match str::from_utf8(line) {
        Ok(text) => text.trim().as_bytes(),
        Err(_) => line.trim_ascii(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[Vec<u8>]) -> Vec<&str> {
        paths
            .iter()
            .map(|path| str::from_utf8(path).unwrap())
            .collect()
    }

    #[test]
    fn patterns_match_as_in_a_shell_and_those_without_a_match_are_told() {
        let folder = tempfile::tempdir().unwrap();
        for file in [
            "a1",
            "a2",
            ".a3",
            "with space",
            "star*",
            "deep/er/b.txt",
            "deep/b.txt",
        ] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let list = "  a? \r\n\n# a comment\n*3\nwith space\nnone*\nstar\\*\nd*/*/b.txt\ndeep/\n";
        let matched = patterns(list.as_bytes(), folder.path()).unwrap();
        assert_eq!(
            names(&matched.paths),
            [
                "a1",
                "a2",
                ".a3",
                "with space",
                "star*",
                "deep/er/b.txt",
                "deep/"
            ]
        );
        assert_eq!(names(&matched.unmatched), ["none*"]);
        let absolute = format!("{}/d*/b*", folder.path().display());
        let matched = patterns(absolute.as_bytes(), Path::new("/")).unwrap();
        assert_eq!(
            matched.paths,
            [format!("{}/deep/b.txt", folder.path().display()).into_bytes()]
        );
    }

    #[test]
    fn a_malformed_pattern_is_an_error() {
        for pattern in ["[b", "a/[b/c", "nowhere/["] {
            let result = patterns(pattern.as_bytes(), Path::new("/"));
            assert!(
                matches!(result, Err(FilesFromError::Pattern(_))),
                "{pattern}: {result:?}"
            );
        }
    }

    #[test]
    fn verbatim_lines_are_taken_as_they_are() {
        let list = b"\xEF\xBB\xBF a*\n\n#b\r\nc\xff";
        assert_eq!(verbatim(&list[..]).unwrap(), [&b" a*"[..], b"#b", b"c\xff"]);
    }

    #[test]
    fn a_raw_list_that_was_cut_off_is_an_error() {
        assert_eq!(raw(&b"a\nb\0c\0"[..]).unwrap(), [&b"a\nb"[..], b"c"]);
        assert_eq!(raw(&b""[..]).unwrap(), Vec::<Vec<u8>>::new());
        assert!(matches!(
            raw(&b"a\0b"[..]),
            Err(FilesFromError::NotTerminated)
        ));
        assert!(matches!(
            raw(&b"a\0\0b\0"[..]),
            Err(FilesFromError::EmptyName)
        ));
    }
}
