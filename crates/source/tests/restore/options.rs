use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use strongroom_repository::format::Node;
use strongroom_repository::pattern::PatternSet;
use strongroom_repository::progress::Silent;
use strongroom_repository::restore::{
    AttributeFilter, Attributes, ConflictKind, Existing, Listing, NewFile, OwnerPolicy, Place,
    ReadAt, RestoreOptions, Selection, Target, TargetError, TargetErrorKind, TargetFile,
    TargetPath, TargetResult, Withheld, plan_restore,
};
use strongroom_source::files::target::DirectoryTarget;
use strongroom_testkit::Random;
use tokio_util::sync::CancellationToken;

use crate::{Vault, names, write};

fn select(selection: Selection) -> RestoreOptions {
    RestoreOptions {
        selection,
        ..RestoreOptions::default()
    }
}

fn patterns(sensitive: &[&str], insensitive: &[&str]) -> PatternSet {
    PatternSet::parse(sensitive, insensitive).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_choose_what_is_restored() {
    let vault = Vault::ours(|source| {
        for name in [
            "a/x.txt",
            "a/y.TXT",
            "a/deep/z.log",
            "b/x.log",
            "[1]*/x",
            "empty/none",
        ] {
            write(source, name, name);
        }
    })
    .await;
    let restored = async |selection| {
        let _ = std::fs::remove_dir_all(vault.target());
        let report = vault.restore(&select(selection)).await.unwrap();
        assert!(report.is_complete());
        let output = std::process::Command::new("find")
            .args([".", "-type", "f", "-printf", "%P\n"])
            .current_dir(vault.target())
            .output()
            .unwrap();
        let mut files: Vec<_> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        files.sort();
        files
    };
    let include = |sensitive: &[&str], insensitive: &[&str]| {
        Selection::Include(patterns(sensitive, insensitive))
    };
    let exclude = |sensitive: &[&str], insensitive: &[&str]| {
        Selection::Exclude(patterns(sensitive, insensitive))
    };
    assert_eq!(restored(include(&["*.txt"], &[])).await, ["a/x.txt"]);
    assert_eq!(names(&vault.target()), ["a"]);
    assert_eq!(
        restored(include(&[], &["*.txt"])).await,
        ["a/x.txt", "a/y.TXT"]
    );
    assert_eq!(
        restored(include(&["/a/deep", "/b"], &[])).await,
        ["a/deep/z.log", "b/x.log"]
    );
    assert_eq!(restored(include(&[r"/\[1\]\*"], &[])).await, ["[1]*/x"]);
    assert_eq!(
        restored(exclude(&["/a", "/empty"], &[])).await,
        ["[1]*/x", "b/x.log"]
    );
    assert_eq!(
        restored(exclude(&["*.log"], &["X*"])).await,
        ["a/y.TXT", "empty/none"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_restored_as_asked_for() {
    let vault = Vault::ours(|source| {
        write(source, "f", "x");
        std::os::unix::fs::chown(source.join("f"), Some(1234), Some(4321)).unwrap();
        for name in ["user.yes", "user.no"] {
            rustix::fs::setxattr(
                source.join("f"),
                name,
                b"1",
                rustix::fs::XattrFlags::empty(),
            )
            .unwrap();
        }
    })
    .await;
    let attributes = Attributes {
        owner: OwnerPolicy::None,
        extended: AttributeFilter::new(|name| name != "user.no"),
        ..Attributes::default()
    };
    let options = RestoreOptions {
        attributes,
        ..RestoreOptions::default()
    };
    assert!(vault.restore(&options).await.unwrap().is_complete());
    let f = vault.target().join("f");
    assert_eq!(std::fs::metadata(&f).unwrap().uid(), 0);
    let mut list = [0; 100];
    let length = rustix::fs::listxattr(&f, &mut list[..]).unwrap();
    assert_eq!(&list[..length], b"user.yes\0");
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_of_zeros_are_holes_and_with_sparse_blocks_too() {
    let mut content = vec![0_u8; 40 << 20];
    content[..1 << 20].copy_from_slice(&Random::new(41).bytes(1 << 20));
    content[39 << 20] = 1;
    let vault = Vault::ours(|source| write(source, "f", &content)).await;
    let plan = vault.plan(&RestoreOptions::default()).await.unwrap();
    assert!(plan.totals.needed_bytes < 30 << 20, "{:?}", plan.totals);
    let allocated = || {
        std::fs::metadata(vault.target().join("f"))
            .unwrap()
            .blocks()
            * 512
    };
    assert!(vault.execute(plan).await.unwrap().is_complete());
    assert!(std::fs::read(vault.target().join("f")).unwrap() == content);
    let without = allocated();
    assert!(without < 30 << 20, "{without}");
    std::fs::remove_file(vault.target().join("f")).unwrap();
    let sparse = RestoreOptions {
        sparse: true,
        ..RestoreOptions::default()
    };
    assert!(vault.restore(&sparse).await.unwrap().is_complete());
    assert!(std::fs::read(vault.target().join("f")).unwrap() == content);
    assert!(allocated() < 3 << 20, "{}", allocated());
}

/// A target that takes names for the same that differ in case alone, and may do something else that is wrong.
struct Odd {
    inner: DirectoryTarget,
    fault: Option<Fault>,
}

/// What else is wrong with it.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// It stores something else than it was told.
    Corrupts,
    /// What was written cannot be brought to the disk.
    DoesNotFlush,
}

impl Odd {
    fn fold(&self, path: &TargetPath) -> TargetPath {
        let fold = |path: TargetPath, name: &[u8]| path.join(&name.to_ascii_lowercase()).unwrap();
        path.names().fold(TargetPath::root(), fold)
    }
}

impl Target for Odd {
    fn location(&self) -> String {
        self.inner.location()
    }
    fn exists(&self) -> TargetResult<bool> {
        self.inner.exists()
    }
    fn create(&self) -> TargetResult<()> {
        self.inner.create()
    }
    fn available_bytes(&self) -> TargetResult<Option<u64>> {
        self.inner.available_bytes()
    }
    fn list(&self, dir: &TargetPath) -> TargetResult<Listing> {
        self.inner.list(&self.fold(dir))
    }
    fn look(&self, path: &TargetPath) -> TargetResult<Option<Existing>> {
        self.inner.look(&self.fold(path))
    }
    fn is_immutable(&self, path: &TargetPath) -> TargetResult<bool> {
        self.inner.is_immutable(&self.fold(path))
    }
    fn sync(&self) -> TargetResult<()> {
        match self.fault {
            Some(Fault::DoesNotFlush) => Err(TargetError {
                kind: TargetErrorKind::Other,
                path: TargetPath::root(),
                during: "flush",
                message: "input/output error".to_owned(),
            }),
            _ => self.inner.sync(),
        }
    }
    fn read(&self, file: &TargetPath) -> TargetResult<Box<dyn ReadAt>> {
        if self.fault == Some(Fault::Corrupts) {
            let path = std::path::Path::new(&self.location())
                .join(file.to_string().trim_start_matches('/'));
            let mut content = std::fs::read(&path).unwrap();
            content[5000] ^= 1;
            std::fs::write(&path, content).unwrap();
        }
        self.inner.read(&self.fold(file))
    }
    fn create_dir(&self, dir: &TargetPath) -> TargetResult<()> {
        self.inner.create_dir(&self.fold(dir))
    }
    fn unlock_dir(&self, dir: &TargetPath) -> TargetResult<()> {
        self.inner.unlock_dir(&self.fold(dir))
    }
    fn relock_dir(&self, dir: &TargetPath) -> TargetResult<()> {
        self.inner.relock_dir(&self.fold(dir))
    }
    fn create_file(&self, file: &TargetPath, new: &NewFile) -> TargetResult<Box<dyn TargetFile>> {
        self.inner.create_file(&self.fold(file), new)
    }
    fn create_special(
        &self,
        path: &TargetPath,
        node: &Node,
        place: Place,
        attributes: &Attributes,
    ) -> TargetResult<Withheld> {
        self.inner
            .create_special(&self.fold(path), node, place, attributes)
    }
    fn link(&self, original: &TargetPath, link: &TargetPath, place: Place) -> TargetResult<()> {
        self.inner
            .link(&self.fold(original), &self.fold(link), place)
    }
    fn set_attributes(
        &self,
        path: &TargetPath,
        node: &Node,
        attributes: &Attributes,
    ) -> TargetResult<Withheld> {
        self.inner
            .set_attributes(&self.fold(path), node, attributes)
    }
    fn remove_entry(&self, path: &TargetPath) -> TargetResult<()> {
        self.inner.remove_entry(&self.fold(path))
    }
    fn remove_dir(&self, dir: &TargetPath) -> TargetResult<()> {
        self.inner.remove_dir(&self.fold(dir))
    }
}

async fn restore_into_odd(
    vault: &Vault,
    fault: Option<Fault>,
    options: &RestoreOptions,
) -> Vec<String> {
    let inner = DirectoryTarget::new(vault.target());
    let target = Arc::new(Odd { inner, fault });
    let cancel = CancellationToken::new();
    let (repository, index) = (&vault.repository, &vault.index);
    let plan = plan_restore(
        repository, index, vault.tree, target, options, &Silent, &cancel,
    );
    let report = plan
        .await
        .unwrap()
        .execute(repository, index, &Silent, &cancel)
        .await
        .unwrap();
    report.problems.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn t30_names_that_fall_together_on_the_target_are_told() {
    let vault = Vault::ours(|source| {
        write(source, "README", "upper");
        write(source, "readme", "lower");
        write(source, "DIR/a", "x");
        write(source, "dir/b", "x");
        write(source, "other", "x");
    })
    .await;
    let problems = restore_into_odd(&vault, None, &RestoreOptions::default()).await;
    // One of the two files, and one of the two folders with what is in it.
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert_eq!(names(&vault.target()), ["dir", "other", "readme"]);
    let kept = std::fs::read(vault.target().join("readme")).unwrap();
    assert!(kept == b"upper" || kept == b"lower");

    // Once they are there, the plan knows.
    let inner = DirectoryTarget::new(vault.target());
    let target = Arc::new(Odd { inner, fault: None });
    let cancel = CancellationToken::new();
    let (repository, index) = (&vault.repository, &vault.index);
    let options = RestoreOptions::default();
    let planning = plan_restore(
        repository, index, vault.tree, target, &options, &Silent, &cancel,
    );
    let plan = planning.await.unwrap();
    let clashes = plan
        .conflicts()
        .filter(|c| c.kind == ConflictKind::CaseClash);
    let clashes: Vec<String> = clashes.map(|c| c.path.to_string()).collect();
    assert_eq!(clashes, ["/DIR", "/README"]);
    assert_eq!(plan.problems.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn t30_verify_finds_what_the_target_did_not_keep() {
    let vault = Vault::ours(|source| write(source, "f", Random::new(42).bytes(9000))).await;
    let verify = RestoreOptions {
        verify: true,
        ..RestoreOptions::default()
    };
    let problems = restore_into_odd(&vault, Some(Fault::Corrupts), &verify).await;
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("verify /f"), "{problems:?}");
    let report = vault.restore(&verify).await.unwrap();
    assert!(report.is_complete());
    assert_eq!(report.summary.files_verified, 1);
}

/// After a power failure files of a restore that was called complete would be empty.
#[tokio::test(flavor = "multi_thread")]
async fn t29_what_cannot_be_brought_to_the_disk_is_told() {
    let vault = Vault::ours(|source| write(source, "f", "x")).await;
    let fault = Some(Fault::DoesNotFlush);
    let problems = restore_into_odd(&vault, fault, &RestoreOptions::default()).await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("flush"), "{problems:?}");
    let unflushed = RestoreOptions {
        sync: false,
        ..RestoreOptions::default()
    };
    let problems = restore_into_odd(&vault, fault, &unflushed).await;
    assert!(problems.is_empty(), "{problems:?}");
}
