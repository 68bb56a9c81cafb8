//! Where on the server the storage lies.

use crate::StoragePath;

/// The folder of a storage, as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Without a slash at its end, unless it is the root of the server. Relative to where a session begins (the home
    /// folder, most often) if it does not begin with a slash.
    root: String,
}

impl Place {
    pub(super) fn new(root: &str) -> Self {
        let root = match root.trim_end_matches('/') {
            "" if root.starts_with('/') => "/",
            "" => ".",
            root => root,
        };
        Self {
            root: root.to_owned(),
        }
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// A file or folder of the storage.
    pub(super) fn of(&self, path: &StoragePath) -> String {
        self.named(path.as_str())
    }

    /// What lies at these parts below the root.
    pub(super) fn named(&self, relative: &str) -> String {
        match (self.root.as_str(), relative) {
            (root, "") => root.to_owned(),
            ("/", relative) => format!("/{relative}"),
            (root, relative) => format!("{root}/{relative}"),
        }
    }

    /// The folders between the root and the file, the outermost first.
    pub(super) fn folders_of(path: &StoragePath) -> impl DoubleEndedIterator<Item = &str> {
        let path = path.as_str();
        path.match_indices('/').filter_map(|(at, _)| path.get(..at))
    }

    /// The folder that the file lies in.
    pub(super) fn folder_of(&self, path: &StoragePath) -> String {
        self.named(Self::folders_of(path).next_back().unwrap_or(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_server_lie_below_the_root() {
        let path = StoragePath::new("data/ab/c").unwrap();
        for (root, file, folder) in [
            ("/srv/r", "/srv/r/data/ab/c", "/srv/r/data/ab"),
            ("/srv/r//", "/srv/r/data/ab/c", "/srv/r/data/ab"),
            ("r", "r/data/ab/c", "r/data/ab"),
            ("/", "/data/ab/c", "/data/ab"),
            ("", "./data/ab/c", "./data/ab"),
        ] {
            let place = Place::new(root);
            assert_eq!(place.of(&path), file);
            assert_eq!(place.folder_of(&path), folder);
        }
        let config = StoragePath::new("config").unwrap();
        assert_eq!(Place::new("/r").folder_of(&config), "/r");
        let folders: Vec<_> = Place::folders_of(&path).collect();
        assert_eq!(folders, ["data", "data/ab"]);
    }
}
