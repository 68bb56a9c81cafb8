//! Which files are cached.

use crate::{Class, StoragePath};

/// Top-level folders that hold copies.
pub(super) const FOLDERS: [&str; 3] = ["index", "snapshots", "data"];

/// The folder of what was computed from files; see [`super::CacheTables`].
pub(super) const TABLES: &str = "tables";

/// Whether a file may be cached: it never changes, its name proves its content, and it is metadata.
pub(super) fn is_cached(path: &StoragePath, class: Class) -> bool {
    let top = path.as_str().split_once('/').map(|(top, _)| top);
    let is_kind = match top {
        Some("index" | "snapshots") => true,
        Some("data") => class == Class::Metadata,
        _ => false,
    };
    is_kind && is_hash(path.file_name())
}

/// Whether a folder of the storage can hold cached files, so that a listing of it says which copies to drop.
pub(super) fn holds_copies(folder: Option<&StoragePath>) -> bool {
    folder.is_none_or(|folder| FOLDERS.contains(&folder.as_str()))
}

fn is_hash(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_metadata_whose_name_proves_it_is_cached() {
        let hash = "ab".repeat(32);
        let cached = |path: &str, class| is_cached(&StoragePath::new(path).unwrap(), class);
        for folder in ["index", "snapshots", "data/ab"] {
            assert!(
                cached(&format!("{folder}/{hash}"), Class::Metadata),
                "{folder}"
            );
            assert!(!cached(
                &format!("{folder}/{}", &hash[1..]),
                Class::Metadata
            ));
            assert!(!cached(
                &format!("{folder}/{}", hash.to_uppercase()),
                Class::Metadata
            ));
        }
        for folder in ["keys", "locks", "strongroom", "config"] {
            assert!(
                !cached(&format!("{folder}/{hash}"), Class::Metadata),
                "{folder}"
            );
        }
        assert!(!cached("config", Class::Metadata));
        assert!(!cached(&hash, Class::Metadata));
        assert!(!cached(&format!("data/ab/{hash}"), Class::Data));
    }
}
