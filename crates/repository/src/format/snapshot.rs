//! A snapshot: one state of what was backed up.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::format::go_json::Object;
use crate::format::{FormatError, Id, Time, read};

/// The state of a source at a time. In the repository it is a file whose name is the snapshot's identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// When it was taken.
    pub time: Time,
    /// The snapshot it was compared with.
    pub parent: Option<Id>,
    /// Its root tree.
    pub tree: Id,
    /// Absolute paths that were backed up.
    pub paths: Vec<String>,
    /// Name of the machine.
    pub hostname: String,
    /// Name of the user.
    pub username: String,
    /// The user.
    pub uid: u32,
    /// The user's group.
    pub gid: u32,
    /// Patterns that were left out.
    pub excludes: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// The snapshot that this one is a changed copy of.
    pub original: Option<Id>,
    /// Program that wrote it: `strongroom 0.1.0`.
    pub program_version: String,
    /// Figures of the backup.
    pub summary: Option<SnapshotSummary>,
}

/// Figures of the backup that made a snapshot, in restic's terms.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SnapshotSummary {
    /// Begin.
    pub backup_start: Time,
    /// End.
    pub backup_end: Time,
    /// Files that the parent did not have.
    pub files_new: u64,
    /// Files that differ from the parent's.
    pub files_changed: u64,
    /// Files taken over from the parent.
    pub files_unmodified: u64,
    /// Directories that the parent did not have.
    pub dirs_new: u64,
    /// Directories that differ from the parent's.
    pub dirs_changed: u64,
    /// Directories equal to the parent's.
    pub dirs_unmodified: u64,
    /// Data blobs added.
    pub data_blobs: u64,
    /// Tree blobs added.
    pub tree_blobs: u64,
    /// Bytes added, before compression.
    pub data_added: u64,
    /// Bytes added, as stored.
    pub data_added_packed: u64,
    /// All files in the snapshot.
    pub total_files_processed: u64,
    /// Bytes of all files in the snapshot.
    pub total_bytes_processed: u64,
}

#[derive(Deserialize)]
struct Fields {
    time: Time,
    #[serde(default)]
    parent: Option<Id>,
    tree: Id,
    #[serde(default, deserialize_with = "read::null_is_default")]
    paths: Vec<String>,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
    #[serde(default, deserialize_with = "read::null_is_default")]
    excludes: Vec<String>,
    #[serde(default, deserialize_with = "read::null_is_default")]
    tags: Vec<String>,
    #[serde(default)]
    original: Option<Id>,
    #[serde(default)]
    program_version: String,
    #[serde(default)]
    summary: Option<SnapshotSummary>,
}

/// What [`Snapshot::encode`] writes.
const FIELDS: [&str; 13] = [
    "time",
    "parent",
    "tree",
    "paths",
    "hostname",
    "username",
    "uid",
    "gid",
    "excludes",
    "tags",
    "original",
    "program_version",
    "summary",
];

/// What stands in the summary.
const SUMMARY_FIELDS: [&str; 14] = [
    "backup_start",
    "backup_end",
    "files_new",
    "files_changed",
    "files_unmodified",
    "dirs_new",
    "dirs_changed",
    "dirs_unmodified",
    "data_blobs",
    "tree_blobs",
    "data_added",
    "data_added_packed",
    "total_files_processed",
    "total_bytes_processed",
];

impl Snapshot {
    /// Reads the JSON of a snapshot.
    ///
    /// # Errors
    /// [`FormatError::Json`] if it is none, or names no tree.
    pub fn decode(json: &[u8]) -> Result<Self, FormatError> {
        let fields: Fields =
            serde_json::from_slice(json).map_err(|error| FormatError::json("snapshot", &error))?;
        Ok(Self {
            time: fields.time,
            parent: fields.parent,
            tree: fields.tree,
            paths: fields.paths,
            hostname: fields.hostname,
            username: fields.username,
            uid: fields.uid,
            gid: fields.gid,
            excludes: fields.excludes,
            tags: fields.tags,
            original: fields.original,
            program_version: fields.program_version,
            summary: fields.summary,
        })
    }

    /// Names in the JSON of a snapshot that this program does not know: a newer one wrote them, and what is made of the
    /// snapshot here would lose them. Those of the summary have `summary.` before them.
    ///
    /// # Errors
    /// [`FormatError::Json`] if it is no object.
    pub fn unknown_fields(json: &[u8]) -> Result<Vec<String>, FormatError> {
        type Names = BTreeMap<String, IgnoredAny>;
        #[derive(Deserialize)]
        struct Summary {
            #[serde(default)]
            summary: Option<Names>,
        }
        let invalid = |error: serde_json::Error| FormatError::json("snapshot", &error);
        let names: Names = serde_json::from_slice(json).map_err(invalid)?;
        let summary: Summary = serde_json::from_slice(json).map_err(invalid)?;
        let known = |list: &[&str], name: &String| list.contains(&name.as_str());
        let mut unknown: Vec<String> = names
            .into_keys()
            .filter(|name| !known(&FIELDS, name))
            .collect();
        let inside = summary.summary.unwrap_or_default().into_keys();
        unknown.extend(
            inside
                .filter(|name| !known(&SUMMARY_FIELDS, name))
                .map(|name| format!("summary.{name}")),
        );
        Ok(unknown)
    }

    /// The JSON as restic 0.18 writes it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.time("time", &self.time);
        object.id_if("parent", self.parent.as_ref());
        object.id("tree", &self.tree);
        object.strings("paths", &self.paths);
        object.string_if("hostname", self.hostname.as_bytes());
        object.string_if("username", self.username.as_bytes());
        object.number_if("uid", self.uid.into());
        object.number_if("gid", self.gid.into());
        object.strings_if("excludes", &self.excludes);
        object.strings_if("tags", &self.tags);
        object.id_if("original", self.original.as_ref());
        object.string_if("program_version", self.program_version.as_bytes());
        if let Some(summary) = &self.summary {
            summary.push_json(object.name("summary"));
        }
        object.end();
        out
    }
}

impl SnapshotSummary {
    fn push_json(&self, out: &mut Vec<u8>) {
        let mut object = Object::begin(out);
        object.time("backup_start", &self.backup_start);
        object.time("backup_end", &self.backup_end);
        for (name, figure) in [
            ("files_new", self.files_new),
            ("files_changed", self.files_changed),
            ("files_unmodified", self.files_unmodified),
            ("dirs_new", self.dirs_new),
            ("dirs_changed", self.dirs_changed),
            ("dirs_unmodified", self.dirs_unmodified),
            ("data_blobs", self.data_blobs),
            ("tree_blobs", self.tree_blobs),
            ("data_added", self.data_added),
            ("data_added_packed", self.data_added_packed),
            ("total_files_processed", self.total_files_processed),
            ("total_bytes_processed", self.total_bytes_processed),
        ] {
            object.number(name, figure);
        }
        object.end();
    }
}

/// No work at Go's zero time, 0001-01-01.
impl Default for SnapshotSummary {
    fn default() -> Self {
        Self {
            backup_start: Time::default(),
            backup_end: Time::default(),
            files_new: 0,
            files_changed: 0,
            files_unmodified: 0,
            dirs_new: 0,
            dirs_changed: 0,
            dirs_unmodified: 0,
            data_blobs: 0,
            tree_blobs: 0,
            data_added: 0,
            data_added_packed: 0,
            total_files_processed: 0,
            total_bytes_processed: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = concat!(
        r#"{"time":"2026-11-20T12:15:24.18641716+01:00","#,
        r#""parent":"7f36954b4dc2a8f4e62384154979925818e30fb6daf257a015180de18ab66b10","#,
        r#""tree":"8f36954b4dc2a8f4e62384154979925818e30fb6daf257a015180de18ab66b10","#,
        r#""paths":["/a","/b\u003c"],"hostname":"vm","username":"ann","uid":1000,"gid":100,"excludes":["*.o"],"#,
        r#""tags":["x","y"],"original":"9f36954b4dc2a8f4e62384154979925818e30fb6daf257a015180de18ab66b10","#,
        r#""program_version":"restic 0.18.0","summary":{"backup_start":"2026-11-20T12:15:24.18641716+01:00","#,
        r#""backup_end":"2026-11-20T12:15:26.01120492+01:00","files_new":27802,"files_changed":1,"#,
        r#""files_unmodified":2,"dirs_new":1,"dirs_changed":3,"dirs_unmodified":4,"data_blobs":5,"tree_blobs":2,"#,
        r#""data_added":19543231,"data_added_packed":1663602,"total_files_processed":27802,"#,
        r#""total_bytes_processed":7}}"#
    );

    #[test]
    fn a_snapshot_keeps_its_bytes() {
        let snapshot = Snapshot::decode(JSON.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(snapshot.encode()).unwrap(), JSON);
        assert_eq!(snapshot.paths, ["/a", "/b<"]);
    }

    #[test]
    fn a_snapshot_of_an_old_program_has_little() {
        let json = r#"{"time":"2015-01-02T18:10:50+01:00","tree":"8f36954b4dc2a8f4e62384154979925818e30fb6daf257a015180de18ab66b10","paths":["/"]}"#;
        let snapshot = Snapshot::decode(json.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(snapshot.encode()).unwrap(), json);
        let null = json.replace(r#"["/"]"#, "null");
        assert!(Snapshot::decode(null.as_bytes()).unwrap().paths.is_empty());
    }

    #[test]
    fn a_snapshot_without_a_tree_is_refused() {
        for from in [r#""tree""#, r#""time""#] {
            assert!(Snapshot::decode(JSON.replacen(from, r#""other""#, 1).as_bytes()).is_err());
        }
    }

    #[test]
    fn damage_is_an_error_or_another_snapshot_but_no_panic() {
        for length in 0..JSON.len() {
            assert!(Snapshot::decode(&JSON.as_bytes()[..length]).is_err());
        }
        for bit in 0..JSON.len() * 8 {
            let mut damaged = JSON.as_bytes().to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = Snapshot::decode(&damaged);
        }
    }

    /// Nothing that is written here may count as unknown, nor anything else as known.
    #[test]
    fn t38_fields_of_a_newer_program_are_told() {
        assert_eq!(Snapshot::unknown_fields(JSON.as_bytes()).unwrap(), [""; 0]);
        let written: BTreeMap<String, IgnoredAny> = serde_json::from_str(JSON).unwrap();
        assert_eq!(written.len(), FIELDS.len());
        let newer = JSON
            .replacen('{', r#"{"delete_protection":true,"#, 1)
            .replace(r#""files_new""#, r#""files_moved":1,"files_new""#);
        assert_eq!(
            Snapshot::unknown_fields(newer.as_bytes()).unwrap(),
            ["delete_protection", "summary.files_moved"]
        );
        assert!(Snapshot::decode(newer.as_bytes()).is_ok());
        assert!(Snapshot::unknown_fields(b"[]").is_err());
    }
}
