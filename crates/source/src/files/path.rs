//! Paths as bytes: the lexical rules of Go's `path/filepath`, since restic's layout follows from them.

use strongroom_repository::pattern::clean;

/// A clean path below another one.
pub(super) fn join(folder: &[u8], path: &[u8]) -> Vec<u8> {
    match folder {
        b"" => clean(path),
        _ => clean(&[folder, path].join(&b'/')),
    }
}

/// A clean path as an absolute one.
pub(super) fn absolute(working_directory: &[u8], path: &[u8]) -> Vec<u8> {
    if path.first() == Some(&b'/') {
        clean(path)
    } else {
        join(working_directory, path)
    }
}

/// Folder and last part of a clean path; `None` if it has no part that names an entry (`/`, `.`, `..`).
pub(super) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let (folder, name) = match path.iter().rposition(|&byte| byte == b'/') {
        None => (b".".as_slice(), path),
        Some(0) => path.split_at(1),
        Some(at) => (path.get(..at)?, path.get(at + 1..)?),
    };
    match name {
        b"" | b"." | b".." => None,
        _ => Some((folder, name)),
    }
}

/// `name` in `folder`, for messages: no cleaning, `folder` is clean.
pub(super) fn child(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(folder.len() + 1 + name.len());
    path.extend_from_slice(folder);
    if folder.last() != Some(&b'/') {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_names_no_entry_for_a_root() {
        assert_eq!(split(b"/a"), Some((b"/".as_slice(), b"a".as_slice())));
        assert_eq!(split(b"a/b"), Some((b"a".as_slice(), b"b".as_slice())));
        assert_eq!(split(b"a"), Some((b".".as_slice(), b"a".as_slice())));
        assert_eq!(split(b"../.."), None);
        assert_eq!(split(b"/"), None);
    }
}
