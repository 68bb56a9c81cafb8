//! How much work a restore does, in calls and bytes.

use std::sync::Arc;

use strongroom_repository::restore::{Overwrite, RestoreOptions};
use strongroom_storage::{LocalStorage, Operation};
use strongroom_testkit::{Random, RecordingStorage, assert_same_trees};

use crate::{Vault, below_root, write};

pub async fn recorded(vault: &mut Vault) -> RecordingStorage {
    let local = LocalStorage::new(vault.folder.path().join("vault"));
    let storage = RecordingStorage::new(Arc::new(local));
    vault.repository = vault.repository.with_storage(Arc::new(storage.clone()));
    storage
}

/// The ranges of data that were read, in all and per pack.
pub fn ranges(storage: &RecordingStorage) -> Vec<(String, std::ops::Range<u64>)> {
    storage
        .of(Operation::Read, "data/")
        .iter()
        .filter(|call| call.class == Some(strongroom_storage::Class::Data))
        .map(|call| {
            (
                call.path.as_ref().unwrap().to_string(),
                call.offsets().unwrap(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_needed_range_of_a_pack_is_read_once() {
    let mut vault = Vault::ours(|source| {
        let mut random = Random::new(51);
        for n in 0..1500 {
            write(
                source,
                &format!("small/{}/{n}", n % 20),
                random.bytes(200 + 4 * n),
            );
        }
        let big = random.bytes(20 << 20);
        write(source, "big/one", &big);
        write(source, "big/two", &big);
    })
    .await;
    let storage = recorded(&mut vault).await;
    let options = RestoreOptions {
        memory_bytes: 0,
        ..RestoreOptions::default()
    };
    assert!(vault.restore(&options).await.unwrap().is_complete());
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
    let mut ranges = ranges(&storage);
    ranges.sort_by_key(|(pack, range)| (pack.clone(), range.start));
    for pair in ranges.windows(2) {
        assert!(
            pair[0].0 != pair[1].0 || pair[0].1.end <= pair[1].1.start,
            "{pair:?}"
        );
    }
    // 20 MiB of the large file and 4.8 MB of small ones: no more than that is read, in few calls.
    let bytes: u64 = ranges
        .iter()
        .map(|(_, range)| range.end - range.start)
        .sum();
    assert!((24 << 20..26 << 20).contains(&bytes), "{bytes}");
    assert!(ranges.len() < 40, "{}", ranges.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_differs_is_fetched() {
    let mut vault = Vault::ours(|source| {
        write(source, "large", Random::new(52).bytes(80 << 20));
        write(source, "middle", Random::new(53).bytes(20 << 20));
    })
    .await;
    vault.restore_all().await;
    let inode = |name: &str| {
        std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(vault.target().join(name)).unwrap())
    };
    let before = inode("large");
    for name in ["large", "middle"] {
        let mut content = std::fs::read(vault.target().join(name)).unwrap();
        content[10 << 20] ^= 1;
        std::fs::write(vault.target().join(name), content).unwrap();
    }
    let storage = recorded(&mut vault).await;
    let plan = vault.plan(&RestoreOptions::default()).await.unwrap();
    assert!(plan.totals.fetched_bytes <= 16 << 20);
    assert_eq!(plan.totals.bytes, 100 << 20);
    assert!(vault.execute(plan).await.unwrap().is_complete());
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
    let bytes: u64 = ranges(&storage)
        .iter()
        .map(|(_, range)| range.end - range.start)
        .sum();
    assert!(bytes <= 17 << 20, "{bytes}");
    // The large one was written in place.
    let after = std::os::unix::fs::MetadataExt::ino(
        &std::fs::metadata(vault.target().join("large")).unwrap(),
    );
    assert_eq!(before, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_interrupted_restore_left_is_used() {
    let mut vault = Vault::ours(|source| write(source, "f", Random::new(54).bytes(20 << 20))).await;
    // As a restore leaves it that was killed after most of the file.
    let mut content = std::fs::read(vault.source().join("f")).unwrap();
    content.truncate(15 << 20);
    let partial = String::from_utf8(strongroom_repository::restore::partial_name(b"f")).unwrap();
    write(&vault.target(), &partial, content);
    let storage = recorded(&mut vault).await;
    vault.restore_all().await;
    assert_same_trees(&vault.source(), &vault.target(), &below_root());
    let bytes: u64 = ranges(&storage)
        .iter()
        .map(|(_, range)| range.end - range.start)
        .sum();
    assert!(bytes <= 14 << 20, "{bytes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_tree_is_not_fetched_and_with_if_changed_not_read() {
    let mut vault = Vault::ours(|source| write(source, "f", Random::new(55).bytes(3 << 20))).await;
    vault.restore_all().await;
    let storage = recorded(&mut vault).await;
    vault.restore_all().await;
    assert!(ranges(&storage).is_empty());
    // Same size and time: taken for the same although the content is not.
    let f = vault.target().join("f");
    let time = std::fs::metadata(&f).unwrap().modified().unwrap();
    let mut content = std::fs::read(&f).unwrap();
    content[0] ^= 1;
    std::fs::write(&f, &content).unwrap();
    std::fs::File::options()
        .write(true)
        .open(&f)
        .unwrap()
        .set_modified(time)
        .unwrap();
    let options = RestoreOptions {
        overwrite: Overwrite::IfChanged,
        ..RestoreOptions::default()
    };
    let report = vault.restore(&options).await.unwrap();
    assert!(report.is_complete());
    assert_eq!(report.summary.files_skipped, 1);
    assert!(std::fs::read(&f).unwrap() == content);
}
