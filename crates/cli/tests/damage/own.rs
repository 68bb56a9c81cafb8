//! Repositories with files of ours beside restic's, one copy for each cell.

use std::path::{Path, PathBuf};

use strongroom_testkit::{Ran, Random, strongroom};

use crate::action::{self, Action};
use crate::scene::{FILES, FILES_BEFORE, place};
use crate::vault::{Vault, copy};

/// A home with the repository `vault`, its earlier state `before`, and `source`.
pub struct OwnScene {
    pub vault: Vault,
    /// Where in the repository the files are.
    folder: &'static str,
    /// Names of the files that the first backup brought, and of those of the second.
    pub names: [Vec<String>; 2],
}

/// A copy of the repository in a folder of its own, with something damaged.
pub struct Cell<'a> {
    vault: &'a Vault,
    folder: PathBuf,
    name: String,
}

impl OwnScene {
    /// `prepare` is run after the first backup, `args` are added to both.
    pub fn new(folder: &'static str, args: &[&str], prepare: impl FnOnce(&Vault)) -> Self {
        let vault = Vault::new(strongroom!());
        std::fs::remove_dir_all(vault.path("source")).unwrap();
        let mut random = Random::new(4);
        let mut backup = |files: &[&str]| {
            for name in files {
                let path = vault.path("source").join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, random.bytes(3000)).unwrap();
            }
            let backup = ["backup", "source", "--no-cache"];
            vault.run(&[&backup, args].concat()).ok();
        };
        let made = vault.run(&["sign", "generate-key", "--out", "sign.pem"]);
        std::fs::write(vault.path("public.pem"), made.ok().stdout).unwrap();
        backup(&FILES[..FILES_BEFORE]);
        prepare(&vault);
        copy(&vault.path("vault"), &vault.path("before"));
        backup(&FILES[FILES_BEFORE..]);
        let first = names(&vault.path("before").join(folder));
        let mut second = names(&vault.path("vault").join(folder));
        assert!(first.iter().all(|name| second.contains(name)));
        second.retain(|name| !first.contains(name));
        Self {
            vault,
            folder,
            names: [first, second],
        }
    }

    /// A copy in which this happened to a file; `other` is whose content it may get.
    pub fn cell(&self, label: &str, action: Action, file: &str, other: &str) -> Cell<'_> {
        let folder = self.vault.path("cells").join(label.replace(' ', "-"));
        copy(&self.vault.path("vault"), &folder.join("vault"));
        let own = folder.join("vault").join(self.folder);
        if action == Action::Older {
            std::fs::remove_dir_all(&own).unwrap();
            copy(&self.vault.path("before").join(self.folder), &own);
        } else {
            let path = own.join(file);
            let length = std::fs::metadata(&path).unwrap().len() as usize;
            action::damage(&path, &own.join(other), &place(0, length), action);
        }
        Cell {
            vault: &self.vault,
            folder,
            name: label.to_owned(),
        }
    }
}

impl Cell<'_> {
    /// Runs the program on the copy, with the copy's own memory of chains.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with_memory("state", args)
    }

    /// The same as another machine.
    pub fn run_with_memory(&self, memory: &str, args: &[&str]) -> Ran {
        let repository = self.folder.join("vault");
        let place = ["--no-cache", "-r", repository.to_str().unwrap()];
        let mut command = self.vault.program.command([args, &place].concat());
        command.env("STRONGROOM_STATE_DIR", self.folder.join(memory));
        let ran = Ran::run(&mut command, b"");
        assert!(
            !ran.stderr_text().contains("panicked"),
            "{}: {ran}",
            self.name
        );
        ran
    }

    /// The machine has seen the repository as it was.
    pub fn remember(&self, memory: &Path) {
        copy(memory, &self.folder.join("state"));
    }

    /// Files of the repository that vanish.
    pub fn lose(&self, paths: &[PathBuf]) {
        for path in paths {
            std::fs::remove_file(self.folder.join("vault").join(path)).unwrap();
        }
    }

    /// Restores a snapshot and says what came.
    pub fn restore(&self, snapshot: &str, args: &[&str]) -> String {
        let target = self.folder.join("out");
        let _ = std::fs::remove_dir_all(&target);
        let restore = ["restore", snapshot, "-t", target.to_str().unwrap()];
        let ran = self.run(&[&restore, args].concat());
        let source = self.vault.path("source");
        let is_whole = |name: &&&str| match std::fs::read(target.join("source").join(name)) {
            Ok(content) => {
                let same = content == std::fs::read(source.join(name)).unwrap();
                assert!(same, "{}: {name} has the wrong content", self.name);
                true
            }
            Err(_) => false,
        };
        let whole = FILES.iter().filter(is_whole).count();
        match (ran.code, whole) {
            (0, whole) if whole == FILES.len() => "all".into(),
            (20, whole) => format!("{whole} of {} files", FILES.len()),
            (code, 0) if code != 0 => format!("nothing ({code})"),
            _ => panic!("{}: {ran}", self.name),
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// The paths of all files below a folder of a repository, from the repository on.
pub fn paths(repository: &Path, folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(repository.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(paths(repository, &path)),
            false => found.push(path.into()),
        }
    }
    found.sort();
    found
}
