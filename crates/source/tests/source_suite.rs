//! The promises of every source, kept by each of ours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use strongroom_repository::format::Time;
use strongroom_source::command::{Command, Invocation};
use strongroom_source::files::{Files, Options, Symlinks};
use strongroom_source::stdin::Stdin;
use strongroom_testkit::source_suite::SourceFixture;
use strongroom_testkit::{Corpus, Part};

/// A tree of everything but the parts that only add size.
fn corpus() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let corpus = Corpus::small(21).without(Part::Deep).without(Part::Dirs);
    corpus.grow(folder.path()).unwrap();
    folder
}

fn files_in(folder: &Path, symlinks: Symlinks) -> Options {
    let mut options = Options::new(folder.to_owned(), TimeZone::UTC);
    options.symlinks = symlinks;
    options
}

fn of_the_working_directory() -> SourceFixture {
    let folder = corpus();
    let options = files_in(folder.path(), Symlinks::ArchiveLink);
    SourceFixture::new(Files::new(&[b".".to_vec()], options).unwrap(), folder)
}

fn of_absolute_paths_with_one_descriptor() -> SourceFixture {
    let folder = corpus();
    let mut options = files_in(folder.path(), Symlinks::ArchiveLink);
    options.open_directories = 1;
    let path = |name: &str| {
        folder
            .path()
            .join(name)
            .to_str()
            .unwrap()
            .as_bytes()
            .to_vec()
    };
    let paths = [path("names"), path("xattrs/file"), path("symlinks")];
    SourceFixture::new(Files::new(&paths, options).unwrap(), folder)
}

fn of_followed_links() -> SourceFixture {
    let folder = tempfile::tempdir().unwrap();
    Corpus::of(21, &[Part::Names, Part::Xattrs])
        .grow(folder.path())
        .unwrap();
    for (target, link) in [
        ("names", "a"),
        ("xattrs/file", "b"),
        ("..", "xattrs/up"),
        ("nowhere", "c"),
    ] {
        std::os::unix::fs::symlink(target, folder.path().join(link)).unwrap();
    }
    let options = files_in(&folder.path().join("xattrs"), Symlinks::Follow);
    SourceFixture::new(Files::new(&[b"..".to_vec()], options).unwrap(), folder)
}

fn of_a_stream() -> SourceFixture {
    let input = std::io::Cursor::new(vec![7; 100_000]);
    let time = Time::utc(Timestamp::UNIX_EPOCH);
    SourceFixture::stream(Stdin::new(b"folder/stdin", time, Box::new(input)).unwrap())
}

fn of_a_command() -> SourceFixture {
    let invocation = Invocation {
        program: "seq".into(),
        arguments: vec!["10000".into()],
        on_stderr: Arc::new(|_| {}),
    };
    let time = Time::utc(Timestamp::UNIX_EPOCH);
    SourceFixture::stream(Command::new(b"stdout", time, invocation).unwrap())
}

strongroom_testkit::source_suite!(files, of_the_working_directory);
strongroom_testkit::source_suite!(
    files_by_absolute_paths,
    of_absolute_paths_with_one_descriptor
);
strongroom_testkit::source_suite!(files_behind_links, of_followed_links);
strongroom_testkit::source_suite!(stdin, of_a_stream);
strongroom_testkit::source_suite!(command, of_a_command);
