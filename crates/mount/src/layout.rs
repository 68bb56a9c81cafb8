//! The folders above the snapshots.

use std::collections::BTreeMap;

use jiff::Timestamp;
use strongroom_repository::format::{Id, Time};
use strongroom_repository::snapshots::SnapshotFile;

use crate::template::{PathTemplate, TimeTemplate, safe_name};

/// A name in a folder above the snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Above {
    /// A folder.
    Folder(Folder),
    /// The root of a snapshot.
    Snapshot {
        /// Its tree.
        tree: Id,
        /// When it was taken.
        time: Time,
    },
    /// A link to a snapshot below the same folder.
    Link(String),
}

/// Names and what they stand for.
pub type Folder = BTreeMap<Vec<u8>, Above>;

/// How snapshots become folders.
pub struct Rules<'a> {
    /// Where they are shown.
    pub paths: &'a [PathTemplate],
    /// How their times are written.
    pub times: &'a TimeTemplate,
    /// Snapshots after this are passed over by `latest` where there is another.
    pub now: Timestamp,
    /// Whether the newest is known: not where a snapshot cannot be read, since that one may be it.
    pub latest: bool,
}

/// The newest snapshot beside which `latest` goes: in the past first, then by time, then the one that is shown last.
type Newest = BTreeMap<Vec<String>, ((bool, Timestamp), String)>;

/// The topmost folder. Snapshots come oldest first.
pub fn build(snapshots: &[SnapshotFile], rules: &Rules<'_>) -> Folder {
    let mut root = Folder::new();
    for template in rules.paths {
        make_folders(&mut root, &template.fixed());
    }
    let mut newest = Newest::new();
    for file in snapshots {
        for template in rules.paths {
            let found = template.paths(file, rules.times);
            for names in found.paths {
                let shown = show(&mut root, &names, file);
                if found.time_names > 0 {
                    let base = names.len().saturating_sub(found.time_names);
                    note_newest(&mut newest, &shown, base, file, rules.now);
                }
            }
        }
    }
    if rules.latest {
        for (base, (_, target)) in newest {
            if let Some(folder) = make_folders(&mut root, &base) {
                let entry = folder.entry(b"latest".to_vec());
                entry.or_insert(Above::Link(target));
            }
        }
    }
    root
}

fn note_newest(
    newest: &mut Newest,
    shown: &[String],
    base: usize,
    file: &SnapshotFile,
    now: Timestamp,
) {
    let (Some(folder), Some(target)) = (shown.get(..base), shown.get(base..)) else {
        return;
    };
    let time = file.snapshot.time.instant();
    // The same choice as that of `latest` on the command line.
    let rank = (time <= now, time);
    let target = target.join("/");
    match newest.get_mut(folder) {
        Some(known) if known.0 >= rank => {}
        Some(known) => *known = (rank, target),
        None => {
            newest.insert(folder.to_vec(), (rank, target));
        }
    }
}

/// Puts a snapshot under a path; the names that it got: where the last one is taken, `-1`, `-2` and so on is appended.
fn show(root: &mut Folder, names: &[String], file: &SnapshotFile) -> Vec<String> {
    let Some((last, above)) = names.split_last() else {
        return Vec::new();
    };
    let mut shown = Vec::with_capacity(names.len());
    let mut folder = root;
    for name in above {
        let name = free_name(name, |name| {
            matches!(folder.get(name), None | Some(Above::Folder(_)))
        });
        folder = match enter(folder, &name) {
            Some(folder) => folder,
            None => return Vec::new(),
        };
        shown.push(name);
    }
    let name = free_name(last, |name| !folder.contains_key(name));
    let snapshot = Above::Snapshot {
        tree: file.snapshot.tree,
        time: file.snapshot.time,
    };
    folder.insert(name.clone().into_bytes(), snapshot);
    shown.push(name);
    shown
}

fn free_name(name: &str, is_free: impl Fn(&[u8]) -> bool) -> String {
    let mut free = name.to_owned();
    let mut number = 0_u64;
    while !is_free(free.as_bytes()) {
        number += 1;
        let end = format!("-{number}");
        // The number must survive where the name is as long as a name can be.
        let room = safe_name(&format!("{end}{name}"));
        free = format!("{}{end}", room.strip_prefix(&end).unwrap_or_default());
    }
    free
}

/// The folder of a name, made where there is none.
fn enter<'a>(folder: &'a mut Folder, name: &str) -> Option<&'a mut Folder> {
    let entry = folder.entry(name.as_bytes().to_vec());
    match entry.or_insert_with(|| Above::Folder(Folder::new())) {
        Above::Folder(folder) => Some(folder),
        _ => None,
    }
}

/// The folder of a path, made as far as it is missing; `None` where something else is in the way.
fn make_folders<'a>(root: &'a mut Folder, names: &[String]) -> Option<&'a mut Folder> {
    names
        .iter()
        .try_fold(root, |folder, name| enter(folder, name))
}

/// What stands at a path.
pub fn find<'a>(root: &'a Folder, names: &[Vec<u8>]) -> Option<&'a Above> {
    let (last, above) = names.split_last()?;
    let folder = above
        .iter()
        .try_fold(root, |folder, name| match folder.get(name) {
            Some(Above::Folder(folder)) => Some(folder),
            _ => None,
        })?;
    folder.get(last)
}

/// A snapshot for tests.
#[cfg(test)]
pub fn example(time: &str, host: &str, tags: &[&str]) -> SnapshotFile {
    use strongroom_repository::format::Snapshot;
    let json = format!(
        r#"{{"time":"{time}","tree":"{}"}}"#,
        Id::of(time.as_bytes())
    );
    let mut snapshot = Snapshot::decode(json.as_bytes()).unwrap();
    snapshot.hostname = host.to_owned();
    snapshot.tags = tags.iter().map(ToString::to_string).collect();
    SnapshotFile {
        id: Id::of(format!("{time} {host} {tags:?}").as_bytes()),
        snapshot,
    }
}

#[cfg(test)]
mod tests {
    use super::{Above, Folder, Rules, build, example, find};
    use crate::template::{PathTemplate, TimeTemplate};
    use strongroom_repository::snapshots::SnapshotFile;

    fn built(snapshots: &[SnapshotFile], paths: &[&str], latest: bool) -> Folder {
        let paths: Vec<PathTemplate> = paths.iter().map(|path| path.parse().unwrap()).collect();
        let rules = Rules {
            paths: &paths,
            times: &TimeTemplate::default(),
            now: "2025-01-01T00:00:00Z".parse().unwrap(),
            latest,
        };
        build(snapshots, &rules)
    }

    /// What is shown: each path, with `->` and the target for links.
    fn lines(folder: &Folder) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, above) in folder {
            let name = String::from_utf8(name.clone()).unwrap();
            match above {
                Above::Folder(below) if below.is_empty() => lines.push(format!("{name}/")),
                Above::Folder(below) => {
                    lines.extend(
                        self::lines(below)
                            .iter()
                            .map(|line| format!("{name}/{line}")),
                    );
                }
                Above::Snapshot { .. } => lines.push(name),
                Above::Link(target) => lines.push(format!("{name} -> {target}")),
            }
        }
        lines
    }

    #[test]
    fn snapshots_of_one_moment_get_numbers() {
        let same = "2024-01-02T03:04:05Z";
        let snapshots = ["a", "b", "c"].map(|host| example(same, host, &[]));
        let shown = lines(&built(&snapshots, &["s/%T", "x/%i"], true));
        assert_eq!(
            shown[..3],
            [
                format!("s/{same}"),
                format!("s/{same}-1"),
                format!("s/{same}-2")
            ]
        );
        // The one that `latest` chooses on the command line, too.
        assert_eq!(shown[3], format!("s/latest -> {same}"));
        assert_eq!(shown.len(), 7);
    }

    /// A clock that once ran ahead must not hide all that came later, and what is not known is not claimed.
    #[test]
    fn the_latest_lies_in_the_past_where_it_can() {
        let (past, future) = ("2024-01-02T03:04:05Z", "2033-01-01T00:00:00Z");
        let both = [example(past, "a", &[]), example(future, "a", &[])];
        let shown = |snapshots: &[SnapshotFile], latest| lines(&built(snapshots, &["%T"], latest));
        assert_eq!(shown(&both, true)[2], format!("latest -> {past}"));
        assert_eq!(shown(&both[1..], true)[1], format!("latest -> {future}"));
        assert_eq!(shown(&both, false).len(), 2);
    }

    #[test]
    fn snapshots_and_folders_of_one_name_stand_side_by_side() {
        let file = example("2024-01-02T03:04:05Z", "a", &["latest"]);
        let shown = lines(&built(&[file], &["%h", "%h/%T", "%t", "n/%T"], true));
        let time = "2024-01-02T03:04:05Z";
        assert_eq!(
            shown,
            [
                "a".to_owned(),
                format!("a-1/{time}"),
                format!("a-1/latest -> {time}"),
                "latest".to_owned(),
                format!("n/{time}"),
                format!("n/latest -> {time}"),
            ]
        );
        let none = built(&[], &["n/m/%T", "%i"], true);
        assert_eq!(lines(&none), ["n/m/"]);
        assert!(find(&none, &[b"n".to_vec(), b"m".to_vec()]).is_some());
        assert!(find(&none, &[b"n".to_vec(), b"x".to_vec()]).is_none());
    }
}
