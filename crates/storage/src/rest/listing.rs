//! What a server lists, in both versions of the protocol and in ours.

use serde::Deserialize;

use crate::failure::Failure;
use crate::{ErrorKind, FileInfo, StoragePath};

use super::protocol;

/// A file of a listing; version 1 gives names alone.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    WithSize { name: String, size: u64 },
    Name(String),
}

/// The files of a folder, those whose size is known and those that have to be asked for it. What is no name of the
/// protocol is none of ours.
pub(super) fn of_folder(
    folder: &str,
    body: &[u8],
) -> Result<(Vec<FileInfo>, Vec<StoragePath>), Failure> {
    let (mut files, mut without_size) = (Vec::new(), Vec::new());
    for entry in entries(body)? {
        match entry {
            Entry::WithSize { name, size } => {
                files.extend(protocol::from_wire(folder, &name).map(|path| info(path, size)));
            }
            Entry::Name(name) => without_size.extend(protocol::from_wire(folder, &name)),
        }
    }
    Ok((files, without_size))
}

/// The files of a listing of ours, whose names begin at the root.
pub(super) fn of_files(body: &[u8]) -> Result<Vec<FileInfo>, Failure> {
    let mut files = Vec::new();
    for entry in entries(body)? {
        if let Entry::WithSize { name, size } = entry {
            files.extend(StoragePath::new(name).ok().map(|path| info(path, size)));
        }
    }
    Ok(files)
}

fn info(path: StoragePath, size_bytes: u64) -> FileInfo {
    FileInfo { path, size_bytes }
}

/// An empty list is `null` for some servers.
fn entries(body: &[u8]) -> Result<Vec<Entry>, Failure> {
    let parsed: Result<Option<Vec<Entry>>, _> = serde_json::from_slice(body);
    parsed.map(Option::unwrap_or_default).map_err(|error| {
        let message = format!("the listing is not in the protocol's form: {error}");
        Failure::passing(ErrorKind::Mismatch, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A listing with a hole costs snapshots.
    #[test]
    fn both_versions_are_read_and_nonsense_is_an_error() {
        let (files, without) = of_folder(
            "data",
            br#"[{"name":"abcd","size":7},{"name":"../x","size":1}]"#,
        )
        .unwrap();
        assert_eq!(files.len(), 1);
        assert_eq!(
            (files[0].path.as_str(), files[0].size_bytes),
            ("data/ab/abcd", 7)
        );
        assert!(without.is_empty());
        let (files, without) = of_folder("keys", br#"["a","b"]"#).unwrap();
        assert!(files.is_empty());
        assert_eq!(without.len(), 2);
        let (files, without) = of_folder("keys", b"null").unwrap();
        assert!(files.is_empty() && without.is_empty());
        for wrong in [&b"[{\"name\":\"a\"}]"[..], b"<html>", b"", b"[\"a\""] {
            let error = of_folder("keys", wrong).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Mismatch);
        }
        assert_eq!(
            of_files(br#"[{"name":"a/b/c","size":1}]"#).unwrap().len(),
            1
        );
    }
}
