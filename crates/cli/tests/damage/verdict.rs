//! What the program says and does with a damaged repository, in the words of the document.

use std::path::{Path, PathBuf};

use strongroom_testkit::Ran;

use crate::action::Action;
use crate::scene::{FILES, FILES_BEFORE, Object, Scene};

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdicts {
    pub check: String,
    pub check_read_data: String,
    pub restore: String,
    pub partial_restore: String,
    pub next_backup: String,
    pub repair: String,
    pub repair_and_backup: String,
}

/// A damaged repository in a folder of its own.
struct Damaged<'a> {
    scene: &'a Scene,
    folder: PathBuf,
    /// The file that was damaged, where it is there and one.
    file: Option<String>,
    cell: String,
}

impl Verdicts {
    pub fn of(scene: &Scene, number: usize, object: Object, action: Action) -> Self {
        let damaged = |copy: &str| {
            let folder = scene.vault.path("cells").join(format!("{number}-{copy}"));
            let file = scene.damaged(&folder, object, action);
            Damaged {
                scene,
                folder,
                file: file.filter(|_| action != Action::Delete),
                cell: format!("{}, {}", object.name(), action.name()),
            }
        };
        let (repaired, damaged) = (damaged("repaired"), damaged("damaged"));
        if object == Object::Key && action != Action::Older {
            damaged.other_password_opens();
        }
        Self {
            check: damaged.check(&["check"]),
            check_read_data: damaged.check(&["check", "--read-data"]),
            restore: damaged.restore("latest", &[]),
            partial_restore: damaged.restore("latest", &["--allow-partial-restore"]),
            // The last: it changes the repository.
            next_backup: damaged.back_up(),
            repair: repaired.repair(),
            repair_and_backup: repaired.back_up_after_repair(),
        }
    }
}

impl Damaged<'_> {
    fn run(&self, args: &[&str]) -> Ran {
        let (vault, cache) = (self.folder.join("vault"), self.folder.join("cache"));
        let place = [
            "-r",
            vault.to_str().unwrap(),
            "--cache-dir",
            cache.to_str().unwrap(),
        ];
        let ran = self.scene.vault.run(&[args, &place].concat());
        assert!(
            !ran.stderr_text().contains("panicked"),
            "{}: {ran}",
            self.cell
        );
        ran
    }

    /// A damaged key costs the password that goes with it, and no other.
    fn other_password_opens(&self) {
        let vault = self.folder.join("vault");
        let mut command = self
            .scene
            .vault
            .program
            .command(["snapshots", "--no-cache"]);
        command
            .env("STRONGROOM_PASSWORD", "other")
            .env("STRONGROOM_REPOSITORY", vault);
        Ran::run(&mut command, b"").ok();
    }

    fn check(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        let told = ran.stdout_text() + &ran.stderr_text();
        let is_named = self
            .file
            .as_ref()
            .is_some_and(|file| told.contains(&file[..file.len().min(8)]));
        match ran.code {
            0 if is_named || told.contains("; the lock is stale") => "a hint".into(),
            0 => "no error".into(),
            21 if told.contains("the repository is damaged") => {
                assert!(is_named || self.file.is_none(), "{}: {ran}", self.cell);
                "found".into()
            }
            _ => not_open(&ran).unwrap(),
        }
    }

    /// Restores a snapshot into an empty folder.
    fn restore(&self, snapshot: &str, args: &[&str]) -> String {
        let target = self.folder.join("out");
        if target.exists() {
            std::fs::remove_dir_all(&target).unwrap();
        }
        let restore = ["restore", snapshot, "-t", target.to_str().unwrap()];
        let ran = self.run(&[&restore, args].concat());
        let whole = self.whole_files(&target);
        if let Some(verdict) = not_open(&ran) {
            assert_eq!(whole, 0, "{}: {ran}", self.cell);
            return verdict;
        }
        match (ran.code, whole) {
            (0, whole) if whole == FILES.len() => "all".into(),
            (0, whole) => {
                let is_older = whole == FILES_BEFORE && !target.join("source/new").exists();
                assert!(is_older, "{}: {ran}", self.cell);
                "the snapshot before".into()
            }
            (20, whole) => format!("{whole} of {} files", FILES.len()),
            (code, 0) => format!("nothing ({code})"),
            _ => panic!("{}: files without a word about it: {ran}", self.cell),
        }
    }

    /// The files that are there. One that is not as it was backed up, or that nobody asked for, must not be.
    fn whole_files(&self, target: &Path) -> usize {
        let source = self.scene.vault.path("source");
        let is_whole = |name: &&&str| match std::fs::read(target.join("source").join(name)) {
            Ok(content) => {
                let same = content == std::fs::read(source.join(name)).unwrap();
                assert!(same, "{}: {name} has the wrong content", self.cell);
                true
            }
            Err(_) => false,
        };
        let whole = FILES.iter().filter(is_whole).count();
        for folder in ["keep", "new"] {
            let entries = std::fs::read_dir(target.join("source").join(folder));
            for entry in entries.into_iter().flatten() {
                let name = format!("{folder}/{}", entry.unwrap().file_name().display());
                assert!(FILES.contains(&&*name), "{}: what is {name}?", self.cell);
            }
        }
        whole
    }

    /// Backs the source up again, and restores what that has made.
    fn back_up(&self) -> String {
        let ran = self.run(&["backup", "--json", "source"]);
        match ran.code {
            0 => {
                let id = ran.json_message("summary")["snapshot_id"].clone();
                match &*self.restore(id.as_str().unwrap(), &["--allow-partial-restore"]) {
                    "all" => "whole".into(),
                    less => less.to_owned(),
                }
            }
            11 => "locked (11)".into(),
            21 if not_open(&ran).is_none() => "refused (21)".into(),
            _ => not_open(&ran).unwrap_or_else(|| panic!("{}: {ran}", self.cell)),
        }
    }
}

impl Damaged<'_> {
    /// What repairs bring back by themselves: as much of the latest snapshot as can be read after them.
    fn repair(&self) -> String {
        for command in [
            &["unlock", "--remove-all", "--yes"][..],
            &["repair", "packs", "--read-data", "--yes"],
            &["repair", "index", "--yes"],
        ] {
            let ran = self.run(command);
            if let Some(verdict) = not_open(&ran) {
                return verdict;
            }
            assert!([0, 21].contains(&ran.code), "{}: {ran}", self.cell);
        }
        self.restore("latest", &["--allow-partial-restore"])
    }

    /// What a backup of the source after that brings back: the check finds nothing any more, and every snapshot that can
    /// be listed can be restored.
    fn back_up_after_repair(&self) -> String {
        let ran = self.run(&["backup", "--json", "source"]);
        if let Some(verdict) = not_open(&ran) {
            return verdict;
        }
        assert_eq!(ran.code, 0, "{}: {ran}", self.cell);
        // Puts a snapshot that cannot be read aside. Of the others none lacks anything by now.
        let last = self.run(&["repair", "snapshots", "--forget", "--yes"]);
        assert_eq!(last.code, 0, "{}: {last}", self.cell);
        match &*self.check(&["check", "--read-data"]) {
            "no error" => self.restore("latest", &[]),
            verdict => {
                let id = ran.json_message("summary")["snapshot_id"].clone();
                let id = id.as_str().unwrap();
                format!(
                    "{}; check: {verdict}",
                    self.restore(id, &["--allow-partial-restore"])
                )
            }
        }
    }
}

/// The verdict on a repository that did not open.
fn not_open(ran: &Ran) -> Option<String> {
    let is_damaged = ran
        .stderr_text()
        .contains("without the file `config` and one whole file");
    match ran.code {
        code @ (10 | 12) => Some(format!("does not open ({code})")),
        21 if is_damaged => Some("does not open (21)".into()),
        _ => None,
    }
}
