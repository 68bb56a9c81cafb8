//! Path templates, in restic's notation: `hosts/%h/%T`.

use std::str::FromStr;

use strongroom_repository::snapshots::SnapshotFile;

use super::TimeTemplate;
use crate::error::{Error, ErrorKind};

/// A file name has at most so many bytes on Linux.
const NAME_BYTES: usize = 255;

/// Where a snapshot is shown. `%i` stands for the short identifier, `%I` for the long one, `%u` for the user, `%h` for the host,
/// `%t` for each of the tags, `%T` for the time; any other letter behind `%` for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate {
    /// The names of the path, none of them empty.
    names: Vec<Vec<Part>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    ShortId,
    LongId,
    User,
    Host,
    Tag,
    Time,
}

/// Where one snapshot is shown by one template.
#[derive(Debug, PartialEq, Eq)]
pub struct Paths {
    /// The names of each path; more than one path where the snapshot has several tags.
    pub paths: Vec<Vec<String>>,
    /// How many names at their end are the time, so that the newest can be linked to beside them; 0 where the template
    /// ends otherwise.
    pub time_names: usize,
}

impl PathTemplate {
    /// restic's four: by identifier, by time, by host and time, by tag and time.
    pub fn defaults() -> Vec<Self> {
        let texts = ["ids/%i", "snapshots/%T", "hosts/%h/%T", "tags/%t/%T"];
        texts.iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// The folders that are there even without a snapshot.
    pub fn fixed(&self) -> Vec<String> {
        let names = self.names.iter().map_while(|parts| match parts.as_slice() {
            [Part::Text(text)] => Some(text.clone()),
            _ => None,
        });
        names.collect()
    }

    /// Where a snapshot is shown; nowhere if the template wants a tag and there is none.
    pub fn paths(&self, file: &SnapshotFile, times: &TimeTemplate) -> Paths {
        let time = times.format(&file.snapshot.time);
        let mut paths = vec![Vec::new()];
        for parts in &self.names {
            let names = self::names(parts, file, &time);
            paths = paths
                .iter()
                .flat_map(|path: &Vec<String>| {
                    let longer = names.iter().map(|more| [path.as_slice(), more].concat());
                    longer.collect::<Vec<_>>()
                })
                .collect();
        }
        let mut unique: Vec<Vec<String>> = Vec::with_capacity(paths.len());
        for path in paths {
            if !unique.contains(&path) {
                unique.push(path);
            }
        }
        let ends_in_time = matches!(self.names.last().map(Vec::as_slice), Some([Part::Time]));
        Paths {
            paths: unique,
            time_names: if ends_in_time { split(&time).len() } else { 0 },
        }
    }
}

/// What the parts of one name become: usually one name; several where a tag stands for each; a time may hold `/`.
fn names(parts: &[Part], file: &SnapshotFile, time: &str) -> Vec<Vec<String>> {
    let snapshot = &file.snapshot;
    let mut texts = vec![String::new()];
    for part in parts {
        let values: Vec<String> = match part {
            Part::Text(text) => vec![text.clone()],
            Part::ShortId => vec![file.id.short()],
            Part::LongId => vec![file.id.to_hex()],
            Part::User => vec![safe_value(&snapshot.username)],
            Part::Host => vec![safe_value(&snapshot.hostname)],
            Part::Tag => snapshot.tags.iter().map(|tag| safe_value(tag)).collect(),
            Part::Time => vec![time.to_owned()],
        };
        texts = texts
            .iter()
            .flat_map(|text| values.iter().map(move |value| format!("{text}{value}")))
            .collect();
    }
    texts.iter().map(|text| split(text)).collect()
}

/// What a snapshot says must not make folders of its own.
fn safe_value(value: &str) -> String {
    match value {
        "" => "_".to_owned(),
        _ => value.replace(['/', '\0'], "_"),
    }
}

fn split(text: &str) -> Vec<String> {
    let names = text.split('/').filter(|name| !name.is_empty());
    names.map(safe_name).collect()
}

/// Text as a name that any file system can have.
pub fn safe_name(name: &str) -> String {
    let mut end = name.len().min(NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    match name.get(..end).unwrap_or_default() {
        "" | "." => "_".to_owned(),
        ".." => "__".to_owned(),
        name => name.replace('\0', "_"),
    }
}

impl FromStr for PathTemplate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |what: &str| {
            Error::new(
                ErrorKind::Template,
                format!("the path template {text:?} {what}"),
            )
        };
        let names: Vec<Vec<Part>> = text
            .split('/')
            .filter(|name| !name.is_empty())
            .map(parts)
            .collect::<Option<_>>()
            .ok_or_else(|| wrong("ends in a single %"))?;
        let is_variable = |part: &Part| !matches!(part, Part::Text(_));
        if !names.iter().flatten().any(is_variable) {
            return Err(wrong(
                "says nothing of the snapshot; use %i, %I, %u, %h, %t or %T",
            ));
        }
        if names.iter().any(
            |parts| matches!(parts.as_slice(), [Part::Text(text)] if text == "." || text == ".."),
        ) {
            return Err(wrong("leads out of the mount"));
        }
        Ok(Self { names })
    }
}

/// `None` for a `%` at the end.
fn parts(name: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        let part = match letter {
            '%' => match letters.next()? {
                'i' => Part::ShortId,
                'I' => Part::LongId,
                'u' => Part::User,
                'h' => Part::Host,
                't' => Part::Tag,
                'T' => Part::Time,
                other => Part::Text(other.into()),
            },
            other => Part::Text(other.into()),
        };
        match (parts.last_mut(), part) {
            (Some(Part::Text(text)), Part::Text(more)) => text.push_str(&more),
            (_, part) => parts.push(part),
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::{PathTemplate, Paths, safe_name};
    use crate::layout::example;
    use crate::template::TimeTemplate;

    fn paths(template: &str, tags: &[&str]) -> Paths {
        let template: PathTemplate = template.parse().unwrap();
        let file = example("2024-01-02T03:04:05Z", "h/../x", tags);
        template.paths(&file, &TimeTemplate::default())
    }

    #[test]
    fn what_a_snapshot_says_makes_no_folders() {
        let time = "2024-01-02T03:04:05Z";
        for (template, tags, expected, time_names) in [
            (
                "hosts/%h/%T",
                &[][..],
                vec![vec!["hosts", "h_.._x", time]],
                1,
            ),
            ("%t/%T", &[], vec![], 1),
            ("%t", &["a", "b/c", "b_c"], vec![vec!["a"], vec!["b_c"]], 0),
            (
                "x-%t-%u",
                &["", ".."],
                vec![vec!["x-_-_"], vec!["x-..-_"]],
                0,
            ),
            ("%t", &["", ".", "..", "\0"], vec![vec!["_"], vec!["__"]], 0),
            ("/%%//%q%T/", &[], vec![vec!["%", &format!("q{time}")]], 0),
        ] {
            let found = paths(template, tags);
            assert_eq!(found.paths, expected, "{template}");
            assert_eq!(found.time_names, time_names, "{template}");
        }
        assert_eq!(safe_name(&"ö".repeat(200)).len(), 254);
    }

    #[test]
    fn a_template_that_says_nothing_is_refused() {
        for wrong in ["", "/", "fixed", "%%", "a/%", "../%i", "a/./%i"] {
            assert!(wrong.parse::<PathTemplate>().is_err(), "{wrong}");
        }
        assert_eq!(PathTemplate::defaults().len(), 4);
        assert_eq!(PathTemplate::defaults()[2].fixed(), ["hosts"]);
    }
}
