use super::super::{Checksum, ChecksumTable, ParityMemberKind};
use super::*;

fn group() -> ParityGroup {
    let member = |kind, name: &[u8], size_bytes| ParityMember {
        kind,
        id: Id::of(name),
        size_bytes,
        removed: false,
    };
    ParityGroup {
        percent: 5,
        window_bytes: 128,
        members: vec![
            member(ParityMemberKind::Pack, b"1", 300),
            member(ParityMemberKind::Config, b"2", 64),
            member(ParityMemberKind::Snapshot, b"3", 1),
        ],
        files: vec![
            ParityFile {
                id: Id::of(b"4"),
                parts: 2,
            },
            ParityFile {
                id: Id::of(b"5"),
                parts: 1,
            },
        ],
        table: Id::of(b"6"),
    }
}

/// Nobody could read what an earlier version wrote.
#[test]
fn a_descriptor_has_these_bytes() {
    let mut group = group();
    group.members.truncate(2);
    group.files.truncate(1);
    group.members[1].removed = true;
    let json = String::from_utf8(group.encode().unwrap()).unwrap();
    let [one, two, four, six] = [b"1", b"2", b"4", b"6"].map(|name| Id::of(name));
    assert_eq!(
        json,
        format!(
            r#"{{"format":"strongroom parity group","version":1,"percent":5,"window":128,"members":[{{"kind":"pack","id":"{one}","size":300}},{{"kind":"config","id":"{two}","size":64,"removed":true}}],"parity":[{{"id":"{four}","parts":2}}],"table":"{six}"}}"#
        )
    );
    assert_eq!(ParityGroup::decode(json.as_bytes()).unwrap(), group);
}

#[test]
fn everything_follows_from_the_descriptor() {
    let group = group();
    assert_eq!(
        (group.parts(), group.part_bytes(), group.rows()),
        (3, 320, 3)
    );
    // Three windows, one, one, and three for each part.
    assert_eq!(group.table_bytes(), (3 + 1 + 1 + 9) * 16);
    assert_eq!(group.file_bytes(2), 2 * 320 + group.table_bytes());
    assert_eq!(group.parity_bytes(), 3 * 320 + 2 * group.table_bytes());
    assert_eq!(group.window(2, 300), (256, 44));
    assert_eq!(group.window(2, 64), (256, 0));
}

#[test]
fn a_table_is_the_one_that_the_descriptor_names() {
    let mut group = group();
    let of = |count: usize, seed: u8| -> Vec<Checksum> {
        (0..count)
            .map(|at| Checksum::of(&[seed, at as u8]))
            .collect()
    };
    let members = vec![of(3, 1), of(1, 2), of(1, 3)];
    let table = ChecksumTable::new(members, vec![of(3, 4), of(3, 5), of(3, 6)]);
    let bytes = table.encode();
    group.table = Id::of(&bytes);
    assert_eq!(ChecksumTable::decode(&group, &bytes).unwrap(), table);
    assert_eq!(table.part(2), of(3, 6));
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(ChecksumTable::decode(&group, &damaged).is_err());
        assert!(ChecksumTable::decode(&group, &bytes[..at]).is_err());
    }
}

#[test]
fn what_would_cost_memory_or_make_no_sense_is_refused() {
    let refused = |change: &dyn Fn(&mut ParityGroup)| {
        let mut group = group();
        change(&mut group);
        assert!(group.encode().is_err(), "{group:?}");
    };
    refused(&|group| group.percent = 0);
    refused(&|group| group.percent = 101);
    refused(&|group| group.window_bytes = 0);
    refused(&|group| group.window_bytes = 100);
    refused(&|group| group.window_bytes = 8 << 20);
    refused(&|group| group.members.clear());
    refused(&|group| group.members[1] = group.members[0]);
    refused(&|group| group.members[0].size_bytes = 0);
    refused(&|group| group.members[0].size_bytes = 300 << 20);
    refused(&|group| group.files.clear());
    refused(&|group| group.files[1] = group.files[0]);
    refused(&|group| group.files[0].parts = 0);
    refused(&|group| group.files[0].parts = 3);
    refused(&|group| group.files[0].parts = u64::MAX);
    // A table of four million windows for each part.
    refused(&|group| {
        group.window_bytes = 64;
        group.members[0].size_bytes = 256 << 20;
    });
}

/// A group that was written would not be read again, or a descriptor of a stranger would cost what it likes.
#[test]
fn what_is_as_large_as_can_be_is_taken_and_nothing_larger() {
    let is_taken = |change: &dyn Fn(&mut ParityGroup)| {
        let mut group = group();
        change(&mut group);
        group.encode().is_ok()
    };
    let grow = |group: &mut ParityGroup, members: usize| {
        for number in group.members.len()..members {
            let mut member = group.members[2];
            member.id = Id::of(&number.to_le_bytes());
            group.members.push(member);
        }
    };
    assert!(is_taken(&|group| grow(group, MEMBERS_MAX)));
    assert!(!is_taken(&|group| grow(group, MEMBERS_MAX + 1)));
    assert!(is_taken(&|group| group.window_bytes = WINDOW_BYTES_MAX));
    assert!(!is_taken(
        &|group| group.window_bytes = WINDOW_BYTES_MAX + BLOCK_BYTES as u32
    ));
    let member = |group: &mut ParityGroup, bytes| {
        group.window_bytes = 1 << 20;
        group.members[0].size_bytes = bytes;
    };
    assert!(is_taken(&|group| member(group, MEMBER_BYTES_MAX)));
    assert!(!is_taken(&|group| member(group, MEMBER_BYTES_MAX + 1)));

    let mut json = group().encode().unwrap();
    json.resize(DESCRIPTOR_BYTES_MAX as usize, b' ');
    assert_eq!(ParityGroup::decode(&json).unwrap(), group());
    json.push(b' ');
    let refused = ParityGroup::decode(&json).unwrap_err();
    assert!(matches!(refused, FormatError::TooLarge { .. }), "{refused}");
}

#[test]
fn damage_is_an_error_or_another_group_but_no_panic() {
    let json = group().encode().unwrap();
    for length in 0..json.len() {
        assert!(ParityGroup::decode(&json[..length]).is_err());
    }
    for bit in 0..json.len() * 8 {
        let mut damaged = json.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        if let Ok(group) = ParityGroup::decode(&damaged) {
            let _ = (group.parity_bytes(), ChecksumTable::decode(&group, &json));
        }
    }
    assert!(ParityGroup::decode(&vec![b' '; 2 << 20]).is_err());
}

#[test]
fn names_are_those_of_the_document() {
    let id = Id::of(b"");
    for (name, expected) in [
        (
            format!("{id}.group"),
            Some(super::super::ParityName::Group(id)),
        ),
        (
            format!("{id}.parity"),
            Some(super::super::ParityName::Parity(id)),
        ),
        (id.to_hex(), None),
        ("x.group".to_owned(), None),
        (format!("a/{id}.group"), None),
    ] {
        assert_eq!(super::super::ParityName::parse(&name), expected);
    }
}
