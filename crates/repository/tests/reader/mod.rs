//! Reads a repository on the local disk with nothing but the format and the keys, and checks all that can be checked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use strongroom_repository::compression;
use strongroom_repository::crypto::MasterKey;
use strongroom_repository::format::pack_header::{self, PackedBlob};
use strongroom_repository::format::{BlobKind, Config, Id, KeyFile, Tree, unpacked};

pub struct Reader {
    root: PathBuf,
    pub key: MasterKey,
    pub config: Config,
}

/// Path of a file in `testdata/restic-0.18.0-nasty`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../testdata/restic-0.18.0-nasty")
        .join(name)
}

/// restic with the password `test`, without a cache; panics if it fails.
pub fn restic(repository: &Path, arguments: &[&str]) -> String {
    let output = Command::new("restic")
        .args(["--no-cache", "--repo"])
        .arg(repository)
        .args(arguments)
        .env("RESTIC_PASSWORD", "test")
        .output()
        .expect("restic must be on the path");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

impl Reader {
    pub fn open(root: &Path, password: &str) -> Self {
        let files = files(&root.join("keys"));
        let mut keys = files.iter().map(|(_, json)| KeyFile::decode(json).unwrap());
        let key = keys.find_map(|file| file.unlock(password.as_bytes()).unwrap());
        let key = key.expect("no key opens with the password");
        let config = key.open(&fs::read(root.join("config")).unwrap()).unwrap();
        Self {
            root: root.to_owned(),
            config: Config::decode(&config).unwrap(),
            key,
        }
    }

    /// Name and plain content of all files of a folder that are not packs.
    pub fn unpacked(&self, folder: &str) -> Vec<(Id, Vec<u8>)> {
        let open = |(id, sealed): (Id, Vec<u8>)| {
            let content = self.key.open(&sealed).unwrap();
            (
                id,
                unpacked::decode(self.config.version, content, unpacked::LENGTH_MAX).unwrap(),
            )
        };
        files(&self.root.join(folder))
            .into_iter()
            .map(open)
            .collect()
    }

    /// All packs with what their headers name.
    pub fn packs(&self) -> BTreeMap<Id, Vec<PackedBlob>> {
        self.each_pack().map(|(id, _, blobs)| (id, blobs)).collect()
    }

    fn each_pack(&self) -> impl Iterator<Item = (Id, Vec<u8>, Vec<PackedBlob>)> + '_ {
        let folders = fs::read_dir(self.root.join("data")).unwrap();
        let packs = folders.flat_map(|folder| files(&folder.unwrap().path()));
        packs.map(|(id, pack)| {
            let (rest, field) = pack.split_last_chunk::<4>().unwrap();
            let sealed = pack_header::sealed_length(*field, pack.len() as u64).unwrap() as usize;
            let (blobs, header) = rest.split_at(rest.len() - sealed);
            let header = self.key.open(header).unwrap();
            let decoded = pack_header::decode(&header, blobs.len() as u64).unwrap();
            assert_eq!(pack_header::encode(&decoded), header);
            assert_eq!(
                decoded
                    .iter()
                    .map(|blob| blob.length as usize)
                    .sum::<usize>(),
                blobs.len()
            );
            (id, pack, decoded)
        })
    }

    /// The plain content of all blobs of a kind.
    pub fn blobs(&self, kind: BlobKind) -> BTreeMap<Id, Vec<u8>> {
        let mut found = BTreeMap::new();
        for (_, pack, blobs) in self.each_pack() {
            for blob in blobs.into_iter().filter(|blob| blob.kind == kind) {
                let sealed = &pack[blob.offset as usize..][..blob.length as usize];
                let content = self.key.open(sealed).unwrap();
                let content = match blob.uncompressed_length {
                    Some(length) => {
                        compression::decompress(&content, length.get() as usize).unwrap()
                    }
                    None => content,
                };
                assert_eq!(Id::of(&content), blob.id);
                assert_eq!(content.len(), blob.plain_length() as usize);
                found.insert(blob.id, content);
            }
        }
        found
    }

    pub fn trees(&self) -> BTreeMap<Id, Tree> {
        let blobs = self.blobs(BlobKind::Tree);
        blobs
            .into_iter()
            .map(|(id, json)| (id, Tree::decode(&json).unwrap()))
            .collect()
    }
}

/// Name and content of each file of a folder; the name is the hash of the content.
pub fn files(folder: &Path) -> Vec<(Id, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let content = fs::read(&path).unwrap();
        let id = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        assert_eq!(Id::of(&content), id, "{}", path.display());
        (id, content)
    };
    entries.map(read).collect()
}
