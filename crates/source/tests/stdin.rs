//! What comes in through a pipe is stored under a name, and an empty pipe is not taken for a good backup.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Cursor, Error, Read};

use jiff::Timestamp;
use strongroom_repository::backup::{Handle, Source};
use strongroom_repository::format::{NodeKind, Time};
use strongroom_source::stdin::Stdin;
use strongroom_testkit::source_suite::walk;

fn source(name: &[u8], reader: impl Read + Send + 'static) -> Stdin {
    Stdin::new(name, Time::utc(Timestamp::UNIX_EPOCH), Box::new(reader)).unwrap()
}

#[test]
fn one_file_is_stored_under_its_name() {
    let stdin = source(Stdin::DEFAULT_FILE_NAME.as_bytes(), Cursor::new(b"data"));
    assert_eq!(stdin.paths(), ["/stdin"]);
    assert!(stdin.all_or_nothing());
    let walked = walk(&stdin).without_errors();
    let file = walked.at("/stdin");
    assert_eq!(file.content.as_deref(), Some(&b"data"[..]));
    assert_eq!(
        (file.node.kind.clone(), file.node.mode.0),
        (NodeKind::File, 0o644)
    );
}

#[test]
fn the_name_may_have_folders_and_leads_nowhere_else() {
    for (name, paths) in [
        (&b"db/shop.sql"[..], &["/db", "/db/shop.sql"][..]),
        (b"/db//./shop.sql", &["/db", "/db/shop.sql"]),
        (b"../../shop.sql", &["/shop.sql"]),
    ] {
        let stdin = source(name, Cursor::new(b"data"));
        assert_eq!(walk(&stdin).without_errors().paths(), paths);
        assert_eq!(&stdin.paths(), &paths[paths.len() - 1..]);
    }
    for name in [&b""[..], b"/", b"..", b"a/", b"a\0b"] {
        let result = Stdin::new(
            name,
            Time::utc(Timestamp::UNIX_EPOCH),
            Box::new(Cursor::new(b"")),
        );
        assert!(result.is_err(), "{name:?}");
    }
}

#[test]
fn an_empty_pipe_is_an_error_and_so_is_a_broken_one() {
    assert_eq!(
        walk(&source(b"a", Cursor::new(b""))).only_error().message,
        "no data came"
    );
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(Error::other("broken"))
        }
    }
    assert_eq!(
        walk(&source(b"a", Cursor::new(b"x").chain(Broken)))
            .only_error()
            .message,
        "broken"
    );
}

#[test]
fn a_stream_is_read_once() {
    let stdin = source(b"a", Cursor::new(b"data"));
    let open = |root: Box<dyn Handle>| {
        root.children()
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .handle
            .open()
            .is_ok()
    };
    assert!(open(stdin.root()));
    assert!(!open(stdin.root()));
}
