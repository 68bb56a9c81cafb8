//! Promises about handles and contents.

use std::collections::BTreeMap;
use std::io::Read;

use super::{SourceFixture, files, read};

/// Entries wait in queues; nothing but their handle is kept.
pub fn handles_work_when_all_else_is_dropped(fixture: SourceFixture) {
    let SourceFixture { source, _keep, .. } = fixture;
    let mut entries = files(source.as_ref());
    drop(source);
    for entry in &mut entries {
        read(entry.handle.as_ref(), &mut entry.node).unwrap();
        entry.handle.complete(&mut entry.node).unwrap();
    }
}

/// What several threads read is what one reads.
pub fn handles_work_on_any_thread(fixture: SourceFixture) {
    let mut contents = BTreeMap::new();
    let entries = files(fixture.source.as_ref());
    std::thread::scope(|scope| {
        let readers: Vec<_> = entries
            .into_iter()
            .map(|mut entry| {
                scope.spawn(move || {
                    let content = read(entry.handle.as_ref(), &mut entry.node).unwrap();
                    (entry.source_path, content)
                })
            })
            .collect();
        contents.extend(readers.into_iter().map(|reader| reader.join().unwrap()));
    });
    if fixture.reads_once {
        return;
    }
    for mut entry in files(fixture.source.as_ref()) {
        let content = read(entry.handle.as_ref(), &mut entry.node).unwrap();
        assert!(
            contents[&entry.source_path] == content,
            "{:?}",
            entry.source_path
        );
    }
}

/// The end is told once and for all, and the content is whole then.
pub fn content_ends_and_stays_at_its_end(fixture: SourceFixture) {
    for entry in files(fixture.source.as_ref()) {
        let mut content = entry.handle.open().unwrap();
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).unwrap();
        assert_eq!(content.read(&mut [0; 16]).unwrap(), 0);
        content.finish().unwrap();
        drop(content);
        assert_eq!(entry.handle.open().is_err(), fixture.reads_once);
    }
}

/// Of an entry that has not changed, it changes nothing at all.
pub fn refreshing_keeps_name_and_kind(fixture: SourceFixture) {
    for entry in files(fixture.source.as_ref()) {
        let mut node = entry.node.clone();
        entry.handle.open().unwrap().refresh(&mut node).unwrap();
        assert_eq!(node, entry.node);
    }
}
