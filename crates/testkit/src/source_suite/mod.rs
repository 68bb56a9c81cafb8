//! One suite for every kind of source: each promise of [`strongroom_repository::backup::Source`] and its handles as a
//! test, and a way to read all of a source.
//!
//! A kind brings a constructor, in a test file of its own:
//!
//! ```text
//! fn fresh() -> SourceFixture { … }
//! strongroom_testkit::source_suite!(stdin, fresh);
//! ```
//!
//! which becomes a module with one test a promise. The source must have at least one entry, and must not change.

mod content;
mod tree;
mod walk;

use std::any::Any;

use strongroom_repository::backup::{Entry, Handle, Source};
use strongroom_repository::format::NodeKind;

pub use content::*;
pub use tree::*;
pub use walk::{Found, Walked, read, walk};

/// A source for one test, and what must live as long.
pub struct SourceFixture {
    source: Box<dyn Source>,
    /// Content can be opened once: it is a stream.
    reads_once: bool,
    _keep: Box<dyn Any>,
}

impl SourceFixture {
    /// A source whose content can be opened as often as one likes. `keep` is dropped after the test.
    pub fn new(source: impl Source + 'static, keep: impl Any) -> Self {
        Self {
            source: Box::new(source),
            reads_once: false,
            _keep: Box::new(keep),
        }
    }

    /// A source whose content is a stream.
    pub fn stream(source: impl Source + 'static) -> Self {
        Self {
            reads_once: true,
            ..Self::new(source, ())
        }
    }
}

/// Makes a module `$name` with every test of the suite; `$fresh` is a `fn() -> SourceFixture`.
#[macro_export]
macro_rules! source_suite {
    ($name:ident, $fresh:expr) => {
        $crate::source_suite!(@tests $name, $fresh,
            its_paths_are_absolute_and_clean
            the_root_is_a_directory_and_nothing_else
            names_come_in_order_and_once
            a_listing_can_be_repeated
            listed_nodes_have_what_costs_nothing_and_completed_ones_the_rest
            only_directories_can_be_listed_and_only_files_opened
            handles_work_when_all_else_is_dropped
            handles_work_on_any_thread
            content_ends_and_stays_at_its_end
            refreshing_keeps_name_and_kind
        );
    };
    (@tests $name:ident, $fresh:expr, $($test:ident)+) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[test]
                fn $test() {
                    $crate::source_suite::$test($fresh());
                }
            )+
        }
    };
}

/// Entries of a directory that must be readable.
#[track_caller]
fn children(handle: &dyn Handle) -> Vec<Entry> {
    let children = handle.children().unwrap_or_else(|error| panic!("{error}"));
    children
        .map(|entry| entry.unwrap_or_else(|error| panic!("{error}")))
        .collect()
}

/// All entries.
fn all(source: &dyn Source) -> Vec<Entry> {
    let mut pending = children(source.root().as_ref());
    let mut entries = Vec::new();
    while let Some(entry) = pending.pop() {
        if entry.node.kind == NodeKind::Dir {
            pending.extend(children(entry.handle.as_ref()));
        }
        entries.push(entry);
    }
    assert!(!entries.is_empty(), "the suite needs an entry");
    entries
}

/// The regular files; there must be one.
fn files(source: &dyn Source) -> Vec<Entry> {
    let mut files = all(source);
    files.retain(|entry| entry.node.kind == NodeKind::File);
    assert!(!files.is_empty(), "the suite needs a file");
    files
}
