//! What only reads: a check, and a restore into a directory.

use std::collections::BTreeMap;
use std::path::Path;

use strongroom_repository::Result;
use strongroom_repository::progress::Silent;
use strongroom_testkit::engine_backup::try_restore;

use crate::actions::{Job, picked};
use crate::expected::number_of;
use crate::signing::verify;
use crate::verify::{Content, check};

impl Job {
    /// Where this machine signs, the signatures are verified too.
    pub async fn check(&self) -> Result<Option<String>> {
        let report = check(self.repository(), self.process.locks()).await?;
        if self.honest && !report.is_sound() {
            return Ok(Some(format!("a check found damage: {:#?}", report.errors)));
        }
        let Some(key) = &self.process.machine.signing else {
            return Ok(None);
        };
        let remembered = self.process.remembered(self.repository);
        let report = verify(self.repository(), key, &remembered).await?;
        let expected = self.expected.lock().unwrap();
        let wrong = expected.signatures(self.repository, &report, false);
        Ok(wrong.filter(|_| self.honest))
    }

    /// A machine that signs takes nothing that is not signed.
    pub async fn restore(&self, pick: usize) -> Result<Option<String>> {
        let repository = self.repository();
        let mut snapshots = repository.load_snapshots(&Silent).await?;
        if let Some(key) = &self.process.machine.signing {
            let remembered = self.process.remembered(self.repository);
            let report = verify(repository, key, &remembered).await?;
            snapshots.retain(|file| report.signed.contains(&file.id));
        }
        let index = repository.load_index(&Silent).await?;
        let Some(file) = picked(&snapshots, pick) else {
            return Ok(None);
        };
        let target = tempfile::tempdir_in("/dev/shm").unwrap();
        let tree = file.snapshot.tree;
        let report = try_restore(repository, &index, tree, target.path()).await?;
        let number = number_of(&file.snapshot).expect("all snapshots are of the model");
        let compared = {
            let expected = self.expected.lock().unwrap();
            expected.compare(number, &read_directory(target.path()))
        };
        Ok(compared.err().filter(|_| report.is_complete()).map(|what| {
            format!("a restore of backup {number} said that it was complete, but {what}")
        }))
    }
}

/// The files below a directory by their paths.
fn read_directory(root: &Path) -> Content {
    let mut files = BTreeMap::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            files.insert(name.to_owned(), std::fs::read(&path).unwrap());
        }
    }
    files
}
