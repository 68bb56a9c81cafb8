//! What lies beside the files of a repository and may be wrong: times, and what a machine remembers.

use std::fs::FileTimes;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use strongroom_storage::{
    CacheSettings, CacheStorage, Class, FileInfo, LocalStorage, Storage, WriteMode,
};

use crate::actions::{Action, Outcome};
use crate::run::alone;
use crate::scene::{Scene, Stage, prune_all};

fn operations(scene: &Scene, stage: &Stage) -> Vec<Action> {
    vec![
        stage.backup(&scene.trees[0]),
        prune_all(),
        Action::ForgetPolicy { last: 2 },
        Action::Tag {
            pick: 1,
            tag: "tagged".into(),
        },
        Action::Copy { pick: 0 },
        Action::Check,
        Action::Restore { pick: 1 },
        Action::Unlock,
        prune_all(),
    ]
}

/// A storage tells no times, so that nothing can be judged by them; and where the files of a directory have wrong ones, as
/// after a restore of a whole disk or on a file system that keeps none, all goes as it goes elsewhere.
#[test]
fn t03_no_time_of_a_file_decides_what_lives() {
    alone(async {
        let scene = Scene::new().await;
        for times in 0..4_u64 {
            let folder = tempfile::tempdir().unwrap();
            let disk: Arc<dyn Storage> = Arc::new(LocalStorage::new(folder.path()));
            let stage = scene.stage(["one", "two", "three"]);
            copy(stage.truth(0), &*disk).await;
            for action in operations(&scene, &stage) {
                set_times(folder.path(), times);
                let on_disk = |_: Arc<dyn Storage>| Arc::clone(&disk);
                let outcome = stage.run_over(0, 0, action, on_disk).await;
                assert!(
                    matches!(outcome, Outcome::Done),
                    "times {times}: {outcome:?}"
                );
                // The observer looks at the files in memory.
                empty(stage.truth(0)).await;
                copy(&*disk, stage.truth(0)).await;
                stage.assert_whole(&format!("times {times}")).await;
            }
        }
    });
}

async fn copy(from: &dyn Storage, to: &dyn Storage) {
    // Whoever adds a time here has to think of this story.
    for FileInfo { path, size_bytes } in from.list(None).await.unwrap() {
        let content = from.read(&path, None, Class::Data).await.unwrap();
        assert_eq!(content.len() as u64, size_bytes);
        to.write(&path, content, WriteMode::Replace, Class::Data)
            .await
            .unwrap();
    }
}

async fn empty(storage: &dyn Storage) {
    for file in storage.list(None).await.unwrap() {
        storage.delete(&file.path).await.unwrap();
    }
}

/// All in 1970, all in 2100, as they are, or a mixture.
fn set_times(folder: &Path, times: u64) {
    let long_ago = SystemTime::UNIX_EPOCH;
    let far_ahead = long_ago + Duration::from_secs(130 * 365 * 24 * 3600);
    for (number, entry) in std::fs::read_dir(folder).unwrap().enumerate() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            set_times(&path, times);
            continue;
        }
        let time = match times {
            0 => long_ago,
            1 => far_ahead,
            2 => continue,
            _ if number % 2 == 0 => long_ago,
            _ => far_ahead,
        };
        let changed = FileTimes::new().set_modified(time).set_accessed(time);
        std::fs::File::open(&path)
            .unwrap()
            .set_times(changed)
            .unwrap();
    }
}

/// A machine is put back to an image of last month: its cache remembers snapshots and index files that are gone, and knows
/// nothing of those that came. It must remove nothing for that.
#[test]
fn t11_an_old_cache_removes_nothing() {
    alone(async {
        let scene = Scene::new().await;
        let old = tempfile::tempdir().unwrap();
        let stage = scene.stage(["one", "two", "three"]);
        for action in [
            Action::Check,
            Action::Restore { pick: 0 },
            Action::Restore { pick: 1 },
        ] {
            let outcome = stage.run_over(0, 0, action, cached(old.path())).await;
            assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
        }
        assert!(files_below(old.path()) > 3);
        // Time goes by without this machine.
        for action in [
            stage.backup(&scene.trees[4]),
            Action::ForgetNamed { pick: 0 },
            prune_all(),
            stage.backup(&scene.trees[0]),
            stage.backup(&scene.trees[5]),
        ] {
            stage.done(1, 0, action).await;
        }
        let later = scene.at(&stage);
        for number in 0..operations(&later, &stage).len() {
            let image = tempfile::tempdir().unwrap();
            copy_directory(old.path(), image.path());
            let stage = later.stage(["one", "two", "three"]);
            let action = operations(&later, &stage).swap_remove(number);
            let when = format!("{action:?} with an old cache");
            let outcome = stage.run_over(0, 0, action, cached(image.path())).await;
            assert!(matches!(outcome, Outcome::Done), "{when}: {outcome:?}");
            stage.assert_whole(&when).await;
            let outcome = stage
                .run_over(0, 0, prune_all(), cached(image.path()))
                .await;
            assert!(matches!(outcome, Outcome::Done), "{when}: {outcome:?}");
            stage.assert_whole(&when).await;
        }
    });
}

fn cached(folder: &Path) -> impl Fn(Arc<dyn Storage>) -> Arc<dyn Storage> {
    let folder = folder.to_path_buf();
    move |inner| {
        let settings = CacheSettings::default();
        Arc::new(CacheStorage::new(inner, &folder, "repository", settings).unwrap())
    }
}

fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| if path.is_dir() { files_below(&path) } else { 1 })
        .sum()
}

fn copy_directory(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let copy = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&copy).unwrap();
            copy_directory(&entry.path(), &copy);
        } else {
            std::fs::copy(entry.path(), &copy).unwrap();
        }
    }
}
