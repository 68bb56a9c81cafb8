//! Targets for what is serialized into a repository.

use strongroom_repository::crypto::{CryptoError, KdfParams, MasterKey};
use strongroom_repository::format::index::IndexEncoder;
use strongroom_repository::format::pack_header::{self, PackedBlob};
use strongroom_repository::format::{
    self, Config, Id, KeyFile, Lock, Mode, Node, NodeKind, RepositoryVersion, Snapshot, Time, Tree,
};

/// What is read, written, and read again is written in the same bytes.
pub(super) fn keeps_bytes<T, E: std::fmt::Debug>(
    input: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, E>,
    encode: impl Fn(&T) -> Vec<u8>,
) -> Option<T> {
    let first = decode(input).ok()?;
    let written = encode(&first);
    let second = decode(&written).expect("what was written can be read");
    assert_eq!(
        String::from_utf8_lossy(&encode(&second)),
        String::from_utf8_lossy(&written)
    );
    Some(second)
}

pub(super) fn config(input: &[u8]) {
    if let Some(config) = keeps_bytes(input, Config::decode, Config::encode) {
        assert_eq!(Config::decode(input).unwrap(), config);
    }
}

pub(super) fn key_file(input: &[u8]) {
    let Some(file) = keeps_bytes(input, KeyFile::decode, KeyFile::encode) else {
        return;
    };
    assert_eq!(KeyFile::decode(input).unwrap(), file);
    let params = KdfParams {
        n: file.n,
        r: file.r,
        p: file.p,
    };
    let work = [file.n, file.r, file.p]
        .into_iter()
        .fold(128_u128, |work, factor| work.saturating_mul(factor.into()));
    // What is cheap is tried; what no machine could do must be refused at once. What lies between takes too long here.
    if work <= 1 << 16 {
        let _ = file.unlock(b"password");
    } else if work > 1 << 36 {
        let refused = params.derive(b"password", &[0; 64]);
        assert!(matches!(refused, Err(CryptoError::KdfParams { .. })));
    }
}

/// The JSON inside a key file, sealed with a key that costs nothing to derive.
pub(super) fn master_key(input: &[u8]) {
    let params = KdfParams { n: 2, r: 1, p: 1 };
    let salt = [7; 64];
    let user = params.derive(b"password", &salt).unwrap();
    let file = KeyFile {
        created: Time::default(),
        username: String::new(),
        hostname: String::new(),
        kdf: "scrypt".into(),
        n: params.n,
        r: params.r,
        p: params.p,
        salt: salt.to_vec(),
        data: user.seal(input).unwrap(),
    };
    if let Ok(Some(key)) = file.unlock(b"password") {
        let sealed = key.seal(b"content").unwrap();
        assert_eq!(key.open(&sealed).unwrap(), b"content");
    }
}

pub(super) fn snapshot(input: &[u8]) {
    if let Some(snapshot) = keeps_bytes(input, Snapshot::decode, Snapshot::encode) {
        assert_eq!(Snapshot::decode(input).unwrap(), snapshot);
    }
}

pub(super) fn lock(input: &[u8]) {
    if let Some(lock) = keeps_bytes(input, Lock::decode, Lock::encode) {
        assert_eq!(Lock::decode(input).unwrap(), lock);
    }
}

pub(super) fn tree(input: &[u8]) {
    let Ok(tree) = Tree::decode(input) else {
        return;
    };
    let mut handed_over = 0;
    Tree::decode_each(input, |_| handed_over += 1).unwrap();
    assert_eq!(handed_over, tree.nodes.len());
    for node in &tree.nodes {
        let mode = Mode::from_unix(node.mode.to_unix());
        assert_eq!(mode.unix_permissions(), node.mode.unix_permissions());
        let _ = (node.mode.kind(), node.mode.to_string());
    }
    // Names that are none, twice, or out of order are read and not written.
    let Ok(written) = tree.encode() else {
        return;
    };
    let again = Tree::decode(&written).unwrap();
    assert_eq!(again, tree);
    assert_eq!(again.encode().unwrap(), written);
}

/// Any name of a file comes back through a tree.
pub(super) fn name(input: &[u8]) {
    let node = |name: &[u8]| Node::new(name, NodeKind::File, Mode(0o644));
    let mut tree = Tree {
        nodes: vec![node(input)],
    };
    assert_eq!(
        tree.nodes[0].has_safe_name(),
        strongroom_repository::restore::check_name(input).is_ok()
    );
    let Ok(written) = tree.encode() else {
        return;
    };
    assert_eq!(Tree::decode(&written).unwrap().nodes[0].name, input);
    // As the target of a symlink and inside of a string that Go quoted otherwise.
    tree.nodes[0].link_target = input.to_vec();
    let written = tree.encode().unwrap();
    assert_eq!(Tree::decode(&written).unwrap(), tree);
    let quoted = String::from_utf8_lossy(input).replace(['"', '\n', '\r', '\t'], "_");
    let json =
        format!("{{\"nodes\":[{{\"name\":\"{quoted}\",\"type\":\"file\",\"content\":null}}]}}");
    let _ = Tree::decode(json.as_bytes());
}

/// Pack and blob, in the order in which the fast decoder told them; the last pack that was named.
#[derive(Default)]
struct Told(Vec<(Id, PackedBlob)>, Option<Id>);

impl format::index::Sink for Told {
    fn pack(&mut self, pack: &Id) {
        self.1 = Some(*pack);
    }
    fn blob(&mut self, blob: PackedBlob) {
        let pack = self.1.expect("a pack comes before its blobs");
        self.0.push((pack, blob));
    }
    fn restart(&mut self) {
        *self = Self::default();
    }
}

pub(super) fn index(input: &[u8]) {
    let read = |json: &[u8]| {
        let mut packs: Vec<(Id, Vec<PackedBlob>)> = Vec::new();
        let supersedes = format::index::decode(json, |pack, blob| {
            match packs.last_mut().filter(|(last, _)| last == pack) {
                Some((_, blobs)) => blobs.push(blob),
                None => packs.push((*pack, vec![blob])),
            }
        })?;
        Ok::<_, format::FormatError>((packs, supersedes))
    };
    let general = read(input);
    let mut told = Told::default();
    let fast = format::index::decode_into(input, &mut told);
    assert_eq!(fast.err(), general.as_ref().err().cloned());
    let Ok((packs, _)) = general else {
        return;
    };
    let blobs = packs
        .iter()
        .flat_map(|(pack, blobs)| blobs.iter().map(|blob| (*pack, *blob)));
    assert_eq!(told.0, blobs.collect::<Vec<_>>());
    let mut encoder = IndexEncoder::new();
    for (pack, blobs) in &packs {
        encoder.pack(pack, blobs);
    }
    let expected_length = encoder.length();
    let written = encoder.finish();
    assert!(written.len() >= expected_length);
    assert_eq!(read(&written).unwrap().0, packs);
}

/// The first four bytes say where in a pack the header begins; they are also tried as the field of its length.
pub(super) fn pack_header(input: &[u8]) {
    let Some((length, header)) = input.split_first_chunk::<4>() else {
        return;
    };
    if let Ok(sealed) = pack_header::sealed_length(*length, input.len() as u64) {
        assert!(u64::from(sealed) < input.len() as u64 && sealed <= pack_header::HEADER_LENGTH_MAX);
    }
    let blobs_length = u64::from(u32::from_le_bytes(*length));
    if let Ok(blobs) = pack_header::decode(header, blobs_length) {
        assert_eq!(pack_header::encode(&blobs), header);
        let mut end = 0;
        for blob in &blobs {
            assert_eq!(u64::from(blob.offset), end);
            end += u64::from(blob.length);
        }
        assert!(end <= blobs_length);
    }
}

/// The first byte chooses the version of the format.
pub(super) fn unpacked(input: &[u8]) {
    const LIMIT: u64 = 1 << 16;
    let Some((version, content)) = input.split_first() else {
        return;
    };
    let version = match version % 2 {
        0 => RepositoryVersion::V1,
        _ => RepositoryVersion::V2,
    };
    let Ok(json) = format::unpacked::decode(version, content.to_vec(), LIMIT) else {
        return;
    };
    assert!(json.len() as u64 <= LIMIT);
    let written = format::unpacked::encode(version, &json).unwrap();
    assert_eq!(
        format::unpacked::decode(version, written, LIMIT).unwrap(),
        json
    );
}

/// The key that the fuzzer's sealed files are sealed with.
pub(super) fn known_key() -> MasterKey {
    MasterKey::from_parts([1; 32], [2; 16], [3; 16]).unwrap()
}
