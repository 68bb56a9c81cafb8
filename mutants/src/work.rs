//! The folder of the work: what is known from one command to the next.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::changes::{self, Change};
use crate::suite::Test;

/// The folder, and the list of changes in it.
pub struct Work {
    folder: PathBuf,
    /// All changes; the number of each is its position.
    pub changes: Vec<Change>,
}

#[derive(Serialize, Deserialize)]
struct Tests {
    /// The list of changes that the numbers of what is reached belong to.
    list: u64,
    tests: Vec<Test>,
}

impl Work {
    /// Opens the folder, which has the list already.
    pub fn open(folder: &Path) -> Result<Self> {
        let folder = folder
            .canonicalize()
            .with_context(|| format!("find {}", folder.display()))?;
        let changes = changes::read(&folder.join("list.json"))?;
        Ok(Self { folder, changes })
    }

    /// Where the copy of the workspace lies.
    pub fn copy(&self) -> PathBuf {
        self.folder.join("copy")
    }

    /// The file of what was found.
    pub fn outcomes(&self) -> PathBuf {
        self.folder.join("outcomes.jsonl")
    }

    /// Why changes are not tried, by their numbers; nothing, if that is not known. The file has their names, which stay when others go.
    pub fn left_out(&self) -> Result<BTreeMap<u32, String>> {
        let path = self.folder.join("left_out.json");
        if !path.exists() {
            return Ok(BTreeMap::new());
        }
        let by_name: BTreeMap<String, String> = load(&path)?;
        let numbered = (0..).zip(&self.changes);
        let reasons =
            numbered.map(|(number, change)| Some((number, by_name.get(&change.name)?.clone())));
        Ok(reasons.flatten().collect())
    }

    /// Notes why changes are not tried.
    pub fn store_left_out(&self, reasons: &BTreeMap<u32, String>) -> Result<()> {
        let named = reasons.iter().filter_map(|(number, reason)| {
            Some((&self.changes.get(*number as usize)?.name, reason))
        });
        store(
            &self.folder.join("left_out.json"),
            &named.collect::<BTreeMap<_, _>>(),
        )
    }

    /// The tests, and what they reach.
    ///
    /// # Errors
    /// If that was learnt with another list of changes.
    pub fn measured_tests(&self) -> Result<Vec<Test>> {
        let known: Tests = load(&self.tests_file())?;
        ensure!(
            known.list == self.fingerprint(),
            "the changes are others than those that the tests were measured with; prepare anew"
        );
        Ok(known.tests)
    }

    /// The tests.
    pub fn tests(&self) -> Result<Vec<Test>> {
        Ok(load::<Tests>(&self.tests_file())?.tests)
    }

    /// Notes the tests, and what they reach.
    pub fn store_measured(&self, tests: Vec<Test>) -> Result<()> {
        store(
            &self.tests_file(),
            &Tests {
                list: self.fingerprint(),
                tests,
            },
        )
    }

    /// Notes the tests of some executables. What was measured of them, and those of others, stay as they were.
    pub fn store_listed(&self, listed: &[Test]) -> Result<()> {
        let known = if self.tests_file().exists() {
            load(&self.tests_file())?
        } else {
            Tests {
                list: 0,
                tests: Vec::new(),
            }
        };
        let by_title: HashMap<String, &Test> = known
            .tests
            .iter()
            .map(|test| (test.title(), test))
            .collect();
        let built: HashSet<&str> = listed.iter().map(|test| test.binary.as_str()).collect();
        let others = known
            .tests
            .iter()
            .filter(|test| !built.contains(test.binary.as_str()))
            .cloned();
        let with_known = listed.iter().map(|test| match by_title.get(&test.title()) {
            Some(known) => Test {
                path: test.path.clone(),
                ..(*known).clone()
            },
            None => test.clone(),
        });
        let tests = others.chain(with_known).collect();
        store(
            &self.tests_file(),
            &Tests {
                list: known.list,
                tests,
            },
        )
    }

    fn tests_file(&self) -> PathBuf {
        self.folder.join("tests.json")
    }

    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.changes
            .iter()
            .for_each(|change| change.name.hash(&mut hasher));
        hasher.finish()
    }
}

fn load<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read(path)
        .with_context(|| format!("read {}; was everything prepared?", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("read {}", path.display()))
}

fn store<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    std::fs::write(path, serde_json::to_vec_pretty(value)?)
        .with_context(|| format!("write {}", path.display()))
}
