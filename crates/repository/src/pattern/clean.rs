//! Lexical cleaning of a path, with the meaning of Go's `filepath.Clean`.

/// The shortest path that names the same without looking at a file system: no empty, `.` or inner `..` components and no
/// trailing slash; `.` for the empty path.
pub fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let mut components: Vec<&[u8]> = Vec::new();
    for component in path.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => match components.last() {
                Some(&last) if last != b".." => {
                    components.pop();
                }
                _ if rooted => {}
                _ => components.push(component),
            },
            _ => components.push(component),
        }
    }
    let mut cleaned = if rooted { vec![b'/'] } else { Vec::new() };
    cleaned.extend(components.join(&b'/'));
    if cleaned.is_empty() {
        cleaned.push(b'.');
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn paths_are_cleaned_as_in_go() {
        for (path, expected) in [
            ("", "."),
            ("/", "/"),
            ("//", "/"),
            ("a/", "a"),
            ("a//b/./c", "a/b/c"),
            ("/a/../b", "/b"),
            ("/../a", "/a"),
            ("../a/..", ".."),
            ("../../a", "../../a"),
            ("a/..", "."),
            ("./a", "a"),
            ("/.", "/"),
        ] {
            assert_eq!(clean(path.as_bytes()), expected.as_bytes(), "{path:?}");
        }
    }
}
