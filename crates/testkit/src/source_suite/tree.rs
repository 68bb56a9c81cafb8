//! Promises about the tree of entries.

use strongroom_repository::format::{Node, NodeKind};
use strongroom_repository::pattern::clean;

use super::{SourceFixture, all, children};

/// They become the snapshot's, by which its successors find it.
pub fn its_paths_are_absolute_and_clean(fixture: SourceFixture) {
    let paths = fixture.source.paths();
    assert!(!paths.is_empty());
    for path in paths {
        assert!(path.starts_with('/'), "{path:?}");
        assert_eq!(clean(path.as_bytes()), path.as_bytes());
    }
}

/// Completing it changes nothing, opening it fails.
pub fn the_root_is_a_directory_and_nothing_else(fixture: SourceFixture) {
    let root = fixture.source.root();
    let mut node = Node::new("", NodeKind::Dir, Default::default());
    let before = node.clone();
    root.complete(&mut node).unwrap();
    assert_eq!(node, before);
    assert!(root.open().is_err());
    assert!(!children(root.as_ref()).is_empty());
}

/// The format wants it so, and names must lead nowhere else.
pub fn names_come_in_order_and_once(fixture: SourceFixture) {
    let mut pending = vec![fixture.source.root()];
    while let Some(directory) = pending.pop() {
        let entries = children(directory.as_ref());
        let names: Vec<_> = entries
            .iter()
            .map(|entry| entry.node.name.clone())
            .collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        assert!(
            entries.iter().all(|entry| entry.node.has_safe_name()),
            "{names:?}"
        );
        let directories = entries
            .into_iter()
            .filter(|entry| entry.node.kind == NodeKind::Dir);
        pending.extend(directories.map(|entry| entry.handle));
    }
}

/// Two listings of a directory are equal, one beside the other too.
pub fn a_listing_can_be_repeated(fixture: SourceFixture) {
    let (root, again) = (fixture.source.root(), fixture.source.root());
    let beside = root.children().unwrap().zip(again.children().unwrap());
    for (one, other) in beside {
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.node, other.node);
        if one.node.kind == NodeKind::Dir {
            let nodes = |handle| {
                children(handle)
                    .into_iter()
                    .map(|e| e.node)
                    .collect::<Vec<_>>()
            };
            let first = nodes(one.handle.as_ref());
            assert_eq!(first, nodes(one.handle.as_ref()));
            assert_eq!(first, nodes(other.handle.as_ref()));
        }
    }
}

/// Content and subtree are the engine's; completing twice gives the same.
pub fn listed_nodes_have_what_costs_nothing_and_completed_ones_the_rest(fixture: SourceFixture) {
    for entry in all(fixture.source.as_ref()) {
        let listed = &entry.node;
        assert!(!entry.source_path.is_empty());
        assert!(listed.content.is_none() && listed.subtree.is_none() && listed.error.is_empty());
        assert!(listed.link_target.is_empty() && listed.extended_attributes.is_empty());
        assert_eq!(listed.mode.kind(), listed.kind);
        let mut completed = listed.clone();
        entry.handle.complete(&mut completed).unwrap();
        assert_eq!(
            completed.kind == NodeKind::Symlink,
            !completed.link_target.is_empty()
        );
        let mut again = completed.clone();
        entry.handle.complete(&mut again).unwrap();
        assert_eq!(again, completed);
        completed.extended_attributes.clear();
        completed.link_target.clear();
        assert_eq!(&completed, listed);
    }
}

/// Anything else is an error that names the entry.
pub fn only_directories_can_be_listed_and_only_files_opened(fixture: SourceFixture) {
    for entry in all(fixture.source.as_ref()) {
        let kind = entry.node.kind;
        if kind != NodeKind::Dir {
            let error = entry.handle.children().err();
            assert!(
                error.is_some_and(|error| !error.path.is_empty()),
                "{kind:?} was listed"
            );
        }
        if kind != NodeKind::File {
            let error = entry.handle.open().err();
            assert!(
                error.is_some_and(|error| !error.path.is_empty()),
                "{kind:?} was opened"
            );
        }
    }
}
