//! What the path of a request names. The path is a stranger's: nothing in it reaches the file system before every part of
//! it has been found to be a plain name.

use strongroom_storage::StoragePath;
use strongroom_storage::rest::protocol::{self, CONFIG, FILES_FOLDER, FOLDERS};

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The repository below the root; `None` is the root itself.
    pub(crate) repository: Option<StoragePath>,
    pub(crate) target: Target,
}

/// The part of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// All of it.
    Repository,
    /// A file by restic's protocol.
    File(StoragePath),
    /// A folder of restic's protocol.
    Folder(&'static str),
    /// A file by our addition.
    AnyFile(StoragePath),
    /// What lies below a folder, by our addition; `None` for everything.
    Below(Option<StoragePath>),
}

impl Address {
    /// Reads the path of a request; `None` for what names nothing here.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        let ends_with_slash = path.is_empty() || path.ends_with('/');
        let trimmed = path.strip_suffix('/').unwrap_or(path);
        let parts: Vec<&str> = match trimmed {
            "" => Vec::new(),
            _ => trimmed.split('/').collect(),
        };
        let is_ours = |part: &&str| *part == FILES_FOLDER;
        let is_folder = |part: &&str| FOLDERS.contains(part);
        let border = parts
            .iter()
            .position(|part| is_ours(part) || is_folder(part) || *part == CONFIG);
        let (repository, rest) = parts.split_at(border.unwrap_or(parts.len()));
        let repository = match repository {
            [] => None,
            _ => Some(StoragePath::new(repository.join("/")).ok()?),
        };
        let target = match (rest, ends_with_slash) {
            ([], _) => Target::Repository,
            ([config], false) if *config == CONFIG => Target::File(StoragePath::new(CONFIG).ok()?),
            ([ours], true) if is_ours(ours) => Target::Below(None),
            ([ours, below @ ..], _) if is_ours(ours) && !below.is_empty() => {
                let path = StoragePath::new(below.join("/")).ok()?;
                match ends_with_slash {
                    true => Target::Below(Some(path)),
                    false => Target::AnyFile(path),
                }
            }
            ([folder], true) => Target::Folder(FOLDERS.iter().find(|known| *known == folder)?),
            ([folder, name], false) => Target::File(protocol::from_wire(folder, name)?),
            _ => return None,
        };
        Some(Self { repository, target })
    }

    /// The first part of the repository's path, which belongs to a user where repositories are private.
    pub(crate) fn owner(&self) -> Option<&str> {
        let path = self.repository.as_ref()?.as_str();
        path.split('/').next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> StoragePath {
        StoragePath::new(text).unwrap()
    }

    #[test]
    fn paths_name_repositories_and_what_is_in_them() {
        for (text, repository, target) in [
            ("/", None, Target::Repository),
            ("/ada", Some("ada"), Target::Repository),
            ("/ada/photos/", Some("ada/photos"), Target::Repository),
            ("/config", None, Target::File(path("config"))),
            ("/ada/config", Some("ada"), Target::File(path("config"))),
            ("/ada/data/", Some("ada"), Target::Folder("data")),
            ("/data/abcd", None, Target::File(path("data/ab/abcd"))),
            ("/ada/locks/x", Some("ada"), Target::File(path("locks/x"))),
            ("/ada/strongroom-files/", Some("ada"), Target::Below(None)),
            (
                "/strongroom-files/strongroom/trash/",
                None,
                Target::Below(Some(path("strongroom/trash"))),
            ),
            (
                "/ada/strongroom-files/data/ab/abcd",
                Some("ada"),
                Target::AnyFile(path("data/ab/abcd")),
            ),
            (
                "/ada/strongroom-files/config",
                Some("ada"),
                Target::AnyFile(path("config")),
            ),
        ] {
            let expected = Address {
                repository: repository.map(path),
                target,
            };
            assert_eq!(Address::parse(text), Some(expected), "{text}");
        }
        assert_eq!(Address::parse("/ada/photos/").unwrap().owner(), Some("ada"));
        assert_eq!(Address::parse("/config").unwrap().owner(), None);
    }

    /// A path that leads out of the folder that is served gives away the machine.
    #[test]
    fn a_path_that_could_lead_elsewhere_names_nothing() {
        for text in [
            "",
            "ada",
            "/../etc/",
            "/ada/../bob/config",
            "/ada//config",
            "/%2e%2e/config",
            "/ada/data/../../config",
            "/ada/data/..",
            "/ada/data/ab/abcd",
            "/ada/data",
            "/ada/config/",
            "/ada/strongroom-files",
            "/ada/strongroom-files/../config",
            "/ada/strongroom-files/a//b",
            "/ada/locks/a/b",
            "/a\\b/config",
            "/ada/keys/a%00",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
