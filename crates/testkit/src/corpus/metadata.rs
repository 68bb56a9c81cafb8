//! Attributes, access lists, modes, owners, times.

use std::io;

use super::plant::{Plant, set_mode, set_time, set_xattr};
use crate::Random;

pub(super) fn xattrs(plant: &mut Plant<'_>, random: &mut Random) -> io::Result<()> {
    let file = plant.file("file", b"with attributes")?;
    let folder = plant.dir("folder")?;
    for path in [&file, &folder] {
        set_xattr(path, "user.text", b"a value")?;
        set_xattr(path, "user.empty", b"")?;
        set_xattr(path, "user.binary", b"\x00\xff\n\"")?;
        set_xattr(path, "user.n\u{e4}me with space", b"1")?;
    }
    // ext4 holds all attributes of a file in one block of 4 KiB.
    set_xattr(
        &plant.file("large", b"")?,
        "user.large",
        &random.bytes(3000),
    )?;
    let many = plant.file("many", b"")?;
    for n in 0..40 {
        set_xattr(&many, &format!("user.n{n:02}"), &random.bytes(n))?;
    }
    let trusted = set_xattr(&file, "trusted.vault", b"root alone sees this");
    plant.allow_refusal("trusted attributes", trusted)?;
    let pointer = plant.symlink("pointer", "file")?;
    let of_symlink = set_xattr(&pointer, "trusted.vault", b"of the symlink itself");
    plant.allow_refusal("attributes of symlinks", of_symlink)?;
    // cap_net_bind_service=ep, as `struct vfs_cap_data` revision 2. A change of owner deletes it: the order of a restore matters.
    let capability = [0x0200_0001_u32, 1 << 10, 0, 0, 0]
        .map(u32::to_le_bytes)
        .concat();
    let program = plant.file("program", b"#!/bin/sh\n")?;
    set_mode(&program, 0o755)?;
    let capable = set_xattr(&program, "security.capability", &capability);
    plant.allow_refusal("capabilities of files", capable)
}

/// Tags of an access list as the kernel stores it (`linux/posix_acl_xattr.h`).
const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;
const NO_ID: u32 = u32::MAX;

/// The stored form of an access list: version 2, then tag, permissions and id of each entry, little-endian.
fn access_list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&permissions.to_le_bytes());
        bytes.extend_from_slice(&id.to_le_bytes());
    }
    bytes
}

pub(super) fn access_lists(plant: &Plant<'_>) -> io::Result<()> {
    let list = access_list(&[
        (USER_OBJ, 7, NO_ID),
        (USER, 5, 1234),
        (USER, 0, 4321),
        (GROUP_OBJ, 4, NO_ID),
        (GROUP, 6, 1234),
        (MASK, 5, NO_ID),
        (OTHER, 0, NO_ID),
    ]);
    let file = plant.file("file", b"with an access list")?;
    set_xattr(&file, "system.posix_acl_access", &list)?;
    let folder = plant.dir("folder")?;
    set_xattr(&folder, "system.posix_acl_access", &list)?;
    set_xattr(&folder, "system.posix_acl_default", &list)?;
    // Inherits from the folder; then an entry of the folder whose own list was removed again.
    plant.file("folder/inherits", b"")?;
    plant.dir("folder/inherits-too")?;
    let plain = plant.file("folder/plain", b"")?;
    rustix::fs::lremovexattr(&plain, "system.posix_acl_access")?;
    set_mode(&plain, 0o604)
}

pub(super) fn modes(plant: &mut Plant<'_>) -> io::Result<()> {
    for mode in [
        0o400, 0o444, 0o600, 0o644, 0o755, 0o777, 0o1644, 0o2755, 0o2644, 0o4755, 0o6711, 0o7777,
    ] {
        set_mode(&plant.file(format!("file-{mode:04o}"), b"content")?, mode)?;
    }
    for mode in [0o700, 0o755, 0o1777, 0o2775, 0o3770, 0o4755] {
        let name = format!("folder-{mode:04o}");
        plant.dir(&name)?;
        plant.file(format!("{name}/inside"), b"")?;
        set_mode(&plant.path(&name), mode)?;
    }
    if !rustix::process::geteuid().is_root() {
        plant.leave_out("what its owner may not read: only root can back it up");
        return Ok(());
    }
    for mode in [0o000, 0o200, 0o111] {
        set_mode(&plant.file(format!("file-{mode:04o}"), b"content")?, mode)?;
    }
    plant.dir("folder-0000")?;
    plant.file("folder-0000/inside", b"content")?;
    plant.dir("folder-0555")?;
    plant.file("folder-0555/inside", b"content")?;
    set_mode(&plant.path("folder-0000"), 0o000)?;
    set_mode(&plant.path("folder-0555"), 0o555)
}

pub(super) fn owners(plant: &mut Plant<'_>) -> io::Result<()> {
    for (user, group) in [
        (1, 1),
        (1234, 5678),
        (65_534, 65_534),
        (4_000_000_000, 4_000_000_001),
    ] {
        let paths = [
            plant.file(format!("file-{user}"), b"content")?,
            plant.dir(format!("folder-{user}"))?,
            plant.symlink(format!("pointer-{user}"), "nowhere")?,
        ];
        for path in paths {
            let changed = std::os::unix::fs::lchown(path, Some(user), Some(group));
            plant.allow_refusal("other owners", changed)?;
        }
    }
    // A change of owner takes setuid away: a restore must set the mode after it.
    let program = plant.file("setuid-1234", b"content")?;
    let changed = std::os::unix::fs::lchown(&program, Some(1234), Some(1234));
    plant.allow_refusal("other owners", changed)?;
    set_mode(&program, 0o4755)
}

pub(super) fn times(plant: &Plant<'_>) -> io::Result<()> {
    // Inside of what ext4 keeps: 1901-12-13 to 2446-05-10.
    let cases = [
        ("epoch", 0, 0),
        ("one-nanosecond", 0, 1),
        ("before-1970", -1, 999_999_999),
        ("long-before", -2_000_000_000, 500_000_000),
        ("2038", 2_147_483_648, 0),
        ("2255", 9_000_000_000, 123_456_789),
        ("microseconds", 1_700_000_000, 123_456_000),
        ("nanoseconds", 1_700_000_000, 123_456_789),
    ];
    for (name, seconds, nanoseconds) in cases {
        let file = plant.file(format!("file-{name}"), b"content")?;
        let folder = plant.dir(format!("folder-{name}"))?;
        plant.file(format!("folder-{name}/inside"), b"content")?;
        let pointer = plant.symlink(format!("pointer-{name}"), "nowhere")?;
        for path in [file, folder, pointer] {
            set_time(&path, seconds, nanoseconds)?;
        }
    }
    Ok(())
}
