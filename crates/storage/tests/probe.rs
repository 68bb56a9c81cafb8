//! Probing a storage: one that keeps its promises is told to be good, and one that lies is told what it did (T-34). A lie that
//! is not seen here costs somebody a backup later.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use strongroom_storage::probe::{
    Ability, Leftovers, ProbeReport, ProbeSettings, ProbeStep, Verdict,
};
use strongroom_storage::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, LocalStorage, MemoryStorage, Operation,
    Probe, Result, Retry, Storage, StorageError, StoragePath, WriteMode,
};
use strongroom_testkit::engine::FakeClock;
use strongroom_testkit::simulated_storage::PER;
use strongroom_testkit::{
    Asked, Fault, Faults, FaultyStorage, ResticLayoutStorage, SimulatedStorage,
};

const SIZE: ProbeSettings = ProbeSettings {
    size_bytes: Some(1 << 20),
};

/// The probe from one end to the other, with its clean-up.
async fn probe(storage: impl Storage + 'static) -> (ProbeReport, Leftovers) {
    let probe = Probe::new(Arc::new(storage), SIZE).unwrap();
    let report = probe.run(|_| {}).await;
    (report, probe.clean_up().await)
}

fn broken(report: &ProbeReport) -> Vec<(ProbeStep, String)> {
    let broken = report.broken();
    broken.map(|(step, what)| (step, what.to_owned())).collect()
}

#[track_caller]
fn assert_says(report: &ProbeReport, step: ProbeStep, what: &str) {
    let broken = broken(report);
    let is_said = broken
        .iter()
        .any(|(at, said)| *at == step && said.contains(what));
    assert!(is_said, "{step:?} {what:?} is not among {broken:#?}");
}

fn observed(report: &ProbeReport, ability: Ability) -> Option<bool> {
    let mut found = report.found.iter();
    found
        .find(|found| found.ability == ability)
        .unwrap()
        .observed
}

/// What a lying storage does otherwise than it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    Replaces,
    ForgetsToReplace,
    LargerListed,
    LargerShown,
    NamesTwice,
    ListsLate,
    ListsRemoved,
    ReadsBeyond,
    Vanishes,
}

/// Memory that lies in one way.
#[derive(Debug)]
struct Liar {
    truth: MemoryStorage,
    lie: Lie,
    asked: AtomicUsize,
    removed: Mutex<Vec<FileInfo>>,
    listed: Mutex<HashMap<StoragePath, usize>>,
}

impl Liar {
    fn new(lie: Lie) -> Self {
        Self {
            truth: MemoryStorage::new(),
            lie,
            asked: AtomicUsize::new(0),
            removed: Mutex::default(),
            listed: Mutex::default(),
        }
    }
}

#[async_trait]
impl Storage for Liar {
    fn location(&self) -> String {
        self.truth.location()
    }

    fn capabilities(&self) -> Capabilities {
        self.truth.capabilities()
    }

    async fn create(&self) -> Result<()> {
        self.truth.create().await
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let mut files = self.truth.list(folder).await?;
        match self.lie {
            Lie::NamesTwice => files.extend(files.clone()),
            Lie::LargerListed => files.iter_mut().for_each(|file| file.size_bytes += 1),
            Lie::ListsRemoved => files.extend(self.removed.lock().unwrap().clone()),
            Lie::ListsLate => {
                let mut listed = self.listed.lock().unwrap();
                files.retain(|file| {
                    let times = listed.entry(file.path.clone()).or_default();
                    *times += 1;
                    *times > 2
                });
            }
            _ => {}
        }
        Ok(files)
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let mut info = self.truth.stat(path).await?;
        if self.lie == Lie::LargerShown {
            info.size_bytes += 1;
        }
        Ok(info)
    }

    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        if self.lie == Lie::Vanishes && self.asked.fetch_add(1, Ordering::Relaxed) == 8 {
            for file in self.truth.list(None).await? {
                self.truth.delete(&file.path).await?;
            }
        }
        let read = self.truth.read(path, range, class).await;
        match read {
            Err(error) if self.lie == Lie::ReadsBeyond && error.kind == ErrorKind::RangeOutside => {
                Ok(Bytes::from_static(&[0; 200]))
            }
            read => read,
        }
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        let mode = match (self.lie, mode) {
            (Lie::Replaces, _) => WriteMode::Replace,
            (Lie::ForgetsToReplace, WriteMode::Replace) => return Ok(()),
            (_, mode) => mode,
        };
        self.truth.write(path, data, mode, class).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        if let Ok(info) = self.truth.stat(path).await {
            self.removed.lock().unwrap().push(info);
        }
        self.truth.delete(path).await
    }
}

#[tokio::test(start_paused = true)]
async fn t34_each_lie_is_seen_where_it_is_told() {
    let lies = [
        (Lie::Replaces, ProbeStep::NewOverExisting, "replaced a file"),
        (Lie::Replaces, ProbeStep::TwoWriters, "told both"),
        (
            Lie::ForgetsToReplace,
            ProbeStep::Replace,
            "holds other bytes",
        ),
        (
            Lie::LargerListed,
            ProbeStep::List,
            "lists a file of 4096 bytes with 4097",
        ),
        (Lie::LargerShown, ProbeStep::Stat, "shows 4097"),
        (Lie::NamesTwice, ProbeStep::List, "lists one file 2 times"),
        (Lie::ListsLate, ProbeStep::List, "only after 1.2 s"),
        (
            Lie::ListsRemoved,
            ProbeStep::ReadAfterDelete,
            "still lists a file that was removed",
        ),
        (Lie::ReadsBeyond, ProbeStep::Range, "does not have"),
        (Lie::Vanishes, ProbeStep::StillThere, "has lost a file"),
    ];
    for (lie, step, what) in lies {
        let (report, left) = probe(Liar::new(lie)).await;
        assert_says(&report, step, what);
        assert!(left.paths.is_empty(), "{lie:?}: {left:?}");
    }
}

/// The same with the faults that other tests use: lost and short writes, listings of some changes ago and with names twice.
#[tokio::test(start_paused = true)]
async fn t34_a_storage_that_loses_or_shortens_what_it_takes_is_told() {
    let memory = || Arc::new(MemoryStorage::new());
    let is_write = |asked: &Asked| asked.is(Operation::Write, "");
    let (report, _) = probe(FaultyStorage::every(memory(), is_write, Fault::Lose)).await;
    assert_says(&report, ProbeStep::Stat, "does not show it");
    assert_says(&report, ProbeStep::Read, "has lost a file");
    assert_eq!(observed(&report, Ability::ConfirmsWrites), Some(false));

    let (report, _) = probe(FaultyStorage::every(memory(), is_write, Fault::Truncate(7))).await;
    assert_says(&report, ProbeStep::Stat, "shows 7");
    assert_says(&report, ProbeStep::Read, "7 of 4096 bytes");

    let (report, _) = probe(FaultyStorage::every(memory(), is_write, Fault::Flip(5))).await;
    assert_says(&report, ProbeStep::Read, "other bytes");

    for (faults, what) in [
        (
            Faults {
                stale_list: PER,
                ..Faults::none()
            },
            "list",
        ),
        (
            Faults {
                list_twice: PER,
                ..Faults::none()
            },
            "lists one file 2 times",
        ),
    ] {
        let truth = MemoryStorage::new();
        let storage = SimulatedStorage::new(truth.clone(), FakeClock::new(), 7);
        let (report, _) = probe(storage.client("probe", &faults)).await;
        assert_says(&report, ProbeStep::List, what);
        assert_eq!(truth.list(None).await.unwrap(), [], "something is left");
    }
}

#[tokio::test]
async fn a_storage_that_keeps_its_promises_is_good_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine"), "kept").unwrap();
    let (report, left) = probe(LocalStorage::new(folder.path())).await;
    assert_eq!(broken(&report), []);
    assert!(left.paths.is_empty(), "{left:?}");
    for found in &report.found {
        assert_eq!(found.observed, Some(true), "{found:?}");
    }
    let is_good = |verdict: &Verdict| matches!(verdict, Verdict::Good | Verdict::LeftOut(_));
    assert!(report.tried.iter().all(|tried| is_good(&tried.verdict)));
    assert_eq!(report.tried.len(), 17);
    let names = std::fs::read_dir(folder.path()).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["mine"], "something is left");
}

/// A server of restic's protocol has no place for a folder of ours: there the files are packs with right names.
#[tokio::test]
async fn where_only_restics_names_are_possible_the_files_have_such_names() {
    let truth = MemoryStorage::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let names = Arc::clone(&seen);
    let watched = FaultyStorage::new(Arc::new(truth.clone()), move |asked| {
        if asked.operation == Operation::Write {
            names.lock().unwrap().push(asked.path.clone().unwrap());
        }
        Fault::None
    });
    let (report, left) = probe(ResticLayoutStorage::new(Arc::new(watched))).await;
    assert_eq!(broken(&report), []);
    assert!(left.paths.is_empty(), "{left:?}");
    assert_eq!(truth.list(None).await.unwrap(), []);
    let seen = seen.lock().unwrap();
    let is_pack = |path: &StoragePath| {
        let name = path.file_name();
        path.as_str() == format!("data/{}/{name}", &name[..2]) && name.len() == 64
    };
    // The one beside them is the question whether it could be there.
    let others: Vec<_> = seen.iter().filter(|path| !is_pack(path)).collect();
    assert!(
        others.len() <= 1 && seen.len() > 20,
        "{others:?} {}",
        seen.len()
    );
}

/// What cannot be removed is told, and there is no large file among it that nobody asked for.
#[tokio::test]
async fn an_append_only_storage_is_no_liar_and_what_is_left_there_is_told() {
    let truth = MemoryStorage::new();
    let is_removal = |asked: &Asked| asked.is(Operation::Delete, "");
    let refused = Fault::Fail(ErrorKind::PermissionDenied, Retry::Never);
    let storage = FaultyStorage::every(Arc::new(truth.clone()), is_removal, refused);
    let probe = Probe::new(Arc::new(storage), ProbeSettings::default()).unwrap();
    let report = probe.run(|_| {}).await;
    assert_eq!(broken(&report), []);
    assert_eq!(observed(&report, Ability::Deletes), Some(false));
    let left = probe.clean_up().await;
    let there = truth.list(None).await.unwrap();
    let largest = there.iter().map(|file| file.size_bytes).max().unwrap();
    assert!(largest <= 64 << 10, "{largest}");
    assert_eq!(left.paths.len(), there.len());
    assert_eq!(left.why.unwrap().kind, ErrorKind::PermissionDenied);
}

/// Ctrl-C in the middle of a write.
#[tokio::test]
async fn a_probe_that_is_dropped_anywhere_can_be_cleaned_up() {
    for stop in 0..40 {
        let truth = MemoryStorage::new();
        let hangs = FaultyStorage::new(Arc::new(truth.clone()), move |asked| {
            match asked.number == stop {
                true => Fault::Hang,
                false => Fault::None,
            }
        });
        let probe = Probe::new(Arc::new(hangs), SIZE).unwrap();
        tokio::select! {
            biased;
            _ = probe.run(|_| {}) => {}
            () = tokio::task::yield_now() => {}
        }
        let left = probe.clean_up().await;
        assert!(left.paths.is_empty(), "{stop}: {left:?}");
        assert_eq!(
            truth.list(None).await.unwrap(),
            [],
            "stopped at call {stop}"
        );
    }
}

#[tokio::test]
async fn an_error_ends_it_and_is_told_as_it_is() {
    let gone = MemoryStorage::missing();
    let (report, _) = probe(gone).await;
    let failure: Option<StorageError> = report.into_failure();
    assert_eq!(failure.unwrap().kind, ErrorKind::NotFound);
}
