//! Targets for files of ours beside restic's.

use strongroom_repository::format::parity::{
    self, ChecksumTable, MEMBERS_MAX, PARTS_MAX, ParityGroup, ParityName, TABLE_BYTES_MAX,
};
use strongroom_repository::format::{
    Id, Receipt, SignatureKeyFile, SignedStatement, StatementName, TrashRecord,
};
use strongroom_repository::signature::{SigningKey, VerifyingKey};

use super::format::keeps_bytes;

/// A descriptor, which anybody can write: it is not encrypted.
pub(super) fn parity_group(input: &[u8]) {
    let encode = |group: &ParityGroup| group.encode().expect("what was read can be written");
    let Some(group) = keeps_bytes(input, ParityGroup::decode, encode) else {
        return;
    };
    assert!(group.members.len() <= MEMBERS_MAX && group.parts() <= PARTS_MAX);
    assert!(group.table_bytes() <= TABLE_BYTES_MAX);
    for member in &group.members {
        assert!(member.size_bytes <= group.part_bytes());
        assert!(group.windows(member.size_bytes) <= group.rows());
        let (begin, length) = group.window(group.rows() - 1, member.size_bytes);
        assert!(length == 0 || begin + length <= member.size_bytes);
    }
    let _ = (group.parity_bytes(), group.rows());
    parity_table(group);
}

/// A table of zeros for the group, where it is not too large to make here.
fn parity_table(mut group: ParityGroup) {
    let length = group.table_bytes();
    if length > 1 << 20 {
        return;
    }
    let bytes = vec![0; usize::try_from(length).unwrap()];
    assert!(ChecksumTable::decode(&group, &bytes[1..]).is_err());
    group.table = Id::of(&bytes);
    let table = ChecksumTable::decode(&group, &bytes).unwrap();
    assert_eq!(table.encode(), bytes);
}

/// The name of a file in the folder of parity.
pub(super) fn parity_name(input: &[u8]) {
    let Ok(name) = std::str::from_utf8(input) else {
        return;
    };
    match ParityName::parse(name) {
        Some(ParityName::Group(id)) => assert_eq!(parity::group_name(&id), name),
        Some(ParityName::Parity(id)) => assert_eq!(parity::parity_name(&id), name),
        None => {}
    }
}

pub(super) fn trash_record(input: &[u8]) {
    if let Some(record) = keeps_bytes(input, TrashRecord::decode, TrashRecord::encode) {
        assert_eq!(Id::of(&record.stored), record.snapshot);
        assert!(record.counted_from <= record.kept_until);
    }
}

/// A receipt, which a server writes in the clear.
pub(super) fn receipt(input: &[u8]) {
    if Receipt::decode(input).is_ok() {
        assert!(input.len() <= Receipt::BYTES_MAX);
    }
}

/// A statement, which anybody can write: it has one text alone, or a signature would hold for two.
pub(super) fn statement(input: &[u8]) {
    if let Ok(signed) = SignedStatement::decode(input) {
        assert_eq!(signed.encode(), input);
        assert!(input.starts_with(&signed.statement.encode()));
        statement_name(signed.name().to_string().as_bytes());
    }
}

/// The name of a file in the folder of signatures.
pub(super) fn statement_name(input: &[u8]) {
    let name = std::str::from_utf8(input).unwrap_or_default();
    if let Ok(read) = name.parse::<StatementName>() {
        assert_eq!(read.to_string(), name);
    }
}

/// A file with a key for signatures.
pub(super) fn signature_key(input: &[u8]) {
    let text = std::str::from_utf8(input).unwrap_or_default();
    if let Ok(file) = SignatureKeyFile::decode(text) {
        let written = file.encode();
        let again = SignatureKeyFile::decode(&written).expect("what was written can be read");
        assert_eq!(*again.encode(), *written);
    }
    let verifying = VerifyingKey::decode(text);
    if let Ok(key) = SigningKey::decode(text) {
        assert_eq!(
            verifying.expect("a half of it").id(),
            key.verifying_key().id()
        );
    }
}
