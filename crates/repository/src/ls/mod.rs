//! Listing what is in a snapshot.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::format::Id;
use crate::index::Index;
use crate::repository::Repository;
use crate::walk::{Step, Walk};

/// What of a snapshot is listed. The default is all of it.
#[derive(Debug, Clone, Default)]
pub struct ListOptions {
    /// Only these directories and what is directly in them: absolute, cleaned paths. All directories where none is named.
    pub directories: Vec<Vec<u8>>,
    /// Everything below the directories, too.
    pub recursive: bool,
}

/// Lists the entries of a tree in the order of their paths, a directory before what is in it.
#[derive(Debug)]
pub struct Listing {
    walk: Walk,
    options: Arc<ListOptions>,
}

impl Listing {
    /// Lists what lies below `tree`; its own path is `/`.
    pub fn new(
        repository: Repository,
        index: Arc<Index>,
        tree: Id,
        options: ListOptions,
        cancel: CancellationToken,
    ) -> Self {
        let options = Arc::new(options);
        let for_descend = Arc::clone(&options);
        let walk = Walk::new(repository, index, tree, b"/", cancel)
            .descend_where(move |entry| for_descend.descends(&entry.path));
        Self { walk, options }
    }

    /// The next entry, or damage; `None` at the end.
    ///
    /// # Errors
    /// As [`Walk::next`].
    pub async fn next(&mut self) -> Result<Option<Step>> {
        loop {
            match self.walk.next().await? {
                Some(Step::Left(_)) => {}
                Some(Step::Entry(entry)) if !self.options.shows(&entry.path) => {}
                other => return Ok(other),
            }
        }
    }
}

impl ListOptions {
    /// Whether an entry is one of the directories or lies below one.
    fn shows(&self, path: &[u8]) -> bool {
        self.directories.is_empty() || self.directories.iter().any(|dir| is_within(path, dir))
    }

    fn descends(&self, path: &[u8]) -> bool {
        let leads_to = |dir: &Vec<u8>| is_within(dir, path);
        self.directories.is_empty()
            || self.directories.iter().any(leads_to)
            || (self.recursive && self.shows(path))
    }
}

/// Whether the path is the directory or lies below it.
fn is_within(path: &[u8], directory: &[u8]) -> bool {
    let directory = directory.strip_suffix(b"/").unwrap_or(directory);
    match path.strip_prefix(directory) {
        Some(rest) => rest.is_empty() || rest.first() == Some(&b'/'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::ListOptions;

    #[test]
    fn directories_are_shown_with_what_is_in_them() {
        let options = |directory: &str, recursive| ListOptions {
            directories: vec![directory.as_bytes().to_vec()],
            recursive,
        };
        let flat = options("/a/b", false);
        for (path, shown, descends) in [
            ("/a", false, true),
            ("/a/b", true, true),
            ("/a/b/c", true, false),
            ("/a/bc", false, false),
            ("/x", false, false),
        ] {
            assert_eq!(flat.shows(path.as_bytes()), shown, "{path}");
            assert_eq!(flat.descends(path.as_bytes()), descends, "{path}");
        }
        assert!(options("/a/b", true).descends(b"/a/b/c/d"));
        assert!(options("/", false).shows(b"/a") && !options("/", false).descends(b"/a"));
        assert!(ListOptions::default().descends(b"/a/b"));
    }
}
