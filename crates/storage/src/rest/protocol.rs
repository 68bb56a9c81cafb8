//! The names that travel, for both sides: the client here and our own server.
//!
//! restic's protocol: `POST /?create=true` makes a repository; `config` and the files of five folders are asked for with
//! `HEAD`, `GET`, `POST` and `DELETE`; `GET /FOLDER/` lists one, in version 2 with sizes.
//!
//! Ours adds to it. A server that has it says so in every answer with [`FILES_HEADER`]. Below [`FILES_FOLDER`] it has every
//! file of the storage under its own name, those of restic's layout too: `HEAD`, `GET`, `POST` and `DELETE` as before, and
//! `GET` on a name with a slash at its end lists what lies below, at any depth, with names from the root. A `POST` says
//! with [`WRITE_HEADER`] whether a file of that name may be replaced; the answer says with [`STORED_HEADER`] what was stored.
//! An existing file that was not to be replaced is 409, a repository that was never made is 404 with [`MISSING_HEADER`].

use sha2::{Digest, Sha256};

use crate::StoragePath;

/// Listings with sizes.
pub const VERSION_2: &str = "application/vnd.x.restic.rest.v2";
/// Listings of names alone.
pub const VERSION_1: &str = "application/vnd.x.restic.rest.v1";

/// Says `1` where the server has our addition.
pub const FILES_HEADER: &str = "strongroom-files";
/// The folder in a repository's address below which every file has its own name.
pub const FILES_FOLDER: &str = "strongroom-files";
/// `new` or `replace`.
pub const WRITE_HEADER: &str = "strongroom-write";
/// Size and SHA-256 of what was stored: `1234 e3b0…`.
pub const STORED_HEADER: &str = "strongroom-stored";
/// Says `repository` where not the file is missing but all of it.
pub const MISSING_HEADER: &str = "strongroom-missing";

/// The folders of the protocol. Their files have their SHA-256 as their name.
pub const FOLDERS: [&str; 5] = ["data", "index", "keys", "locks", "snapshots"];

/// The file of the protocol that lies in no folder.
pub const CONFIG: &str = "config";

/// The folder and the name in it as the protocol has them; `None` for what it does not know.
pub fn to_wire(path: &StoragePath) -> Option<(&'static str, &str)> {
    let (folder, name) = path.as_str().split_once('/')?;
    let folder = *FOLDERS.iter().find(|known| **known == folder)?;
    if folder != "data" {
        return (!name.contains('/')).then_some((folder, name));
    }
    let (shard, name) = name.split_once('/')?;
    let fits = !name.contains('/') && shard.len() == 2 && name.starts_with(shard);
    fits.then_some((folder, name))
}

/// The place of a name in a folder of the protocol; `None` for what can be no name here.
pub fn from_wire(folder: &str, name: &str) -> Option<StoragePath> {
    let path = match folder {
        "data" => format!("data/{}/{name}", name.get(..2)?),
        _ => format!("{folder}/{name}"),
    };
    let path = StoragePath::new(path).ok()?;
    to_wire(&path).is_some().then_some(path)
}

/// What [`STORED_HEADER`] says of these bytes.
pub fn stored(data: &[u8]) -> String {
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(data));
    format!("{} {digest}", data.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        let path = |text: &str| StoragePath::new(text).unwrap();
        for (text, wire) in [
            ("data/ab/abcd", Some(("data", "abcd"))),
            ("locks/a", Some(("locks", "a"))),
            ("index/a", Some(("index", "a"))),
            ("data/ab/cd", None),
            ("data/abcd", None),
            ("data/ab/ab/cd", None),
            ("locks/a/b", None),
            ("config", None),
            ("strongroom/trash/a", None),
        ] {
            let path = path(text);
            assert_eq!(to_wire(&path), wire, "{text}");
            if let Some((folder, name)) = wire {
                assert_eq!(from_wire(folder, name), Some(path));
            }
        }
        for (folder, name) in [
            ("data", "a"),
            ("data", "é"),
            ("keys", "a/b"),
            ("keys", ".."),
        ] {
            assert_eq!(from_wire(folder, name), None, "{name}");
        }
        assert!(stored(b"").starts_with("0 e3b0c44298fc1c14"));
    }
}
