//! The manifests in `testdata/`; `scripts/testdata/entries.py` says how a line is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

pub struct Manifest {
    pub passwords: Vec<String>,
    pub snapshots: Vec<Snapshot>,
}

pub struct Snapshot {
    pub id: String,
    pub host: String,
    pub tags: Vec<String>,
    /// Only kind and content are known: it was made from a pipe.
    pub content_only: bool,
    /// By path.
    pub entries: BTreeMap<Vec<u8>, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub kind: String,
    pub mode: u32,
    /// Seconds and nanoseconds.
    pub modified: (i64, u32),
    pub size_bytes: u64,
    /// SHA-256 of the content in hex, or the target of a symlink.
    pub content: Vec<u8>,
    /// Those of the user's own name space.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Another name of the same file.
    pub same: Option<Vec<u8>>,
}

impl Manifest {
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let (mut passwords, mut snapshots) = (Vec::new(), Vec::<Snapshot>::new());
        for line in text.lines() {
            let fields: Vec<&str> = line.split(' ').collect();
            match fields[0] {
                "release" | "version" => {}
                "password" => passwords.push(fields[1].to_owned()),
                "snapshot" => snapshots.push(snapshot(&fields)),
                _ => {
                    let (path, entry) = entry(&fields);
                    let last = snapshots.last_mut().unwrap();
                    assert!(last.entries.insert(path, entry).is_none(), "{line}");
                }
            }
        }
        assert!(passwords.len() > 1 && snapshots.len() > 1);
        assert!(
            snapshots
                .iter()
                .all(|snapshot| !snapshot.entries.is_empty())
        );
        Self {
            passwords,
            snapshots,
        }
    }

    /// What `snapshots` has to list: id, host, tags.
    pub fn headings(&self) -> BTreeSet<(String, String, Vec<String>)> {
        self.snapshots
            .iter()
            .map(|it| (it.id.clone(), it.host.clone(), it.tags.clone()))
            .collect()
    }

    /// The same from the output of `snapshots --json`.
    pub fn headings_in(&self, listed: &Value) -> BTreeSet<(String, String, Vec<String>)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let heading = |row: &Value| {
            let tags = row["tags"].as_array().cloned().unwrap_or_default();
            (
                text(&row["id"]),
                text(&row["hostname"]),
                tags.iter().map(text).collect(),
            )
        };
        listed.as_array().unwrap().iter().map(heading).collect()
    }
}

fn snapshot(fields: &[&str]) -> Snapshot {
    let tags = fields[3].strip_prefix("tags=").unwrap();
    Snapshot {
        id: fields[1].to_owned(),
        host: fields[2].strip_prefix("host=").unwrap().to_owned(),
        tags: tags
            .split(',')
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect(),
        content_only: fields.contains(&"content-only"),
        entries: BTreeMap::new(),
    }
}

fn entry(fields: &[&str]) -> (Vec<u8>, Entry) {
    let (seconds, nanoseconds) = fields[2].split_once('.').unwrap();
    let mut entry = Entry {
        kind: fields[0].to_owned(),
        mode: u32::from_str_radix(fields[1], 8).unwrap(),
        modified: (seconds.parse().unwrap(), nanoseconds.parse().unwrap()),
        size_bytes: fields[3].parse().unwrap(),
        content: unquote(fields[4]),
        xattrs: BTreeMap::new(),
        same: None,
    };
    for extra in &fields[6..] {
        if let Some(xattr) = extra.strip_prefix("xattr:") {
            let (name, value) = xattr.split_once('=').unwrap();
            entry.xattrs.insert(unquote(name), unquote(value));
        } else {
            entry.same = Some(unquote(extra.strip_prefix("same:").unwrap()));
        }
    }
    (unquote(fields[5]), entry)
}

fn unquote(text: &str) -> Vec<u8> {
    let mut parts = text.as_bytes().split(|byte| *byte == b'%');
    let mut out = parts.next().unwrap().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        out.push(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
        out.extend_from_slice(rest);
    }
    out
}
