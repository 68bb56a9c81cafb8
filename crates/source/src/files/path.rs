//! Paths as bytes: lexical rules, the same as those of Go's `path/filepath`, since restic's layout follows from them.

/// The shortest equal path by lexical rules alone: no double slashes, no `.`, no inner `..`; an empty path is `.`.
pub(super) fn clean(path: &[u8]) -> Vec<u8> {
    let absolute = path.first() == Some(&b'/');
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match parts.last() {
                Some(&last) if last != b".." => {
                    parts.pop();
                }
                _ if absolute => {}
                _ => parts.push(part),
            },
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (absolute, joined.is_empty()) {
        (true, _) => [b"/".as_slice(), &joined].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

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
    fn clean_follows_the_lexical_rules() {
        for (path, cleaned) in [
            ("", "."),
            (".", "."),
            ("./", "."),
            ("/", "/"),
            ("//", "/"),
            ("/..", "/"),
            ("/../a", "/a"),
            ("a//b/./c/", "a/b/c"),
            ("a/../b", "b"),
            ("a/..", "."),
            ("../../a", "../../a"),
            ("a/../../b", "../b"),
            ("/a/b/../..", "/"),
        ] {
            assert_eq!(clean(path.as_bytes()), cleaned.as_bytes(), "{path:?}");
        }
    }

    #[test]
    fn split_names_no_entry_for_a_root() {
        assert_eq!(split(b"/a"), Some((b"/".as_slice(), b"a".as_slice())));
        assert_eq!(split(b"a/b"), Some((b"a".as_slice(), b"b".as_slice())));
        assert_eq!(split(b"a"), Some((b".".as_slice(), b"a".as_slice())));
        assert_eq!(split(b"../.."), None);
        assert_eq!(split(b"/"), None);
    }
}
