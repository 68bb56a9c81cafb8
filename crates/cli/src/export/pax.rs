//! What a tar header has no room for: records of POSIX.1-2001's pax format.

use std::io::{self, Write};

use strongroom_repository::format::{Node, NodeKind};

/// Largest value in the seven octal digits of an owner's field.
const OWNER_MAX: u32 = 0o777_7777;

/// Largest value in the eleven octal digits of the size and time fields.
const NUMBER_MAX: u64 = 0o777_7777_7777;

/// Bytes of the name and link fields.
const NAME_MAX: usize = 100;

/// The records that an entry needs beside its header.
pub fn records(path: &[u8], link: Option<&[u8]>, size: u64, node: &Node) -> Vec<(String, Vec<u8>)> {
    let mut records = Vec::new();
    let mut add = |key: &str, value: Vec<u8>| records.push((key.to_owned(), value));
    let names = [Some(path), link];
    if names
        .iter()
        .flatten()
        .any(|name| std::str::from_utf8(name).is_err())
    {
        // Otherwise names are UTF-8 by definition.
        add("hdrcharset", b"BINARY".to_vec());
    }
    if path.len() > NAME_MAX || !path.is_ascii() {
        add("path", path.to_vec());
    }
    if let Some(link) = link.filter(|link| link.len() > NAME_MAX || !link.is_ascii()) {
        add("linkpath", link.to_vec());
    }
    if size > NUMBER_MAX {
        add("size", size.to_string().into_bytes());
    }
    for (key, id) in [("uid", node.uid), ("gid", node.gid)] {
        if id > OWNER_MAX {
            add(key, id.to_string().into_bytes());
        }
    }
    let (seconds, nanosecond) = (node.mtime.unix_seconds(), node.mtime.nanosecond());
    let plain =
        nanosecond == 0 && u64::try_from(seconds).is_ok_and(|seconds| seconds <= NUMBER_MAX);
    if !plain {
        add("mtime", decimal(seconds, nanosecond).into_bytes());
    }
    if node.kind != NodeKind::Symlink || !node.extended_attributes.is_empty() {
        for attribute in &node.extended_attributes {
            add(
                &format!("SCHILY.xattr.{}", attribute.name),
                attribute.value.clone(),
            );
        }
    }
    records
}

/// A time as a decimal number of seconds. `seconds` is rounded down, so that before 1970 the fraction counts upwards
/// from it: -1.75 is -2 seconds and a quarter.
fn decimal(seconds: i64, nanosecond: u32) -> String {
    if seconds >= 0 || nanosecond == 0 {
        return format!("{seconds}.{nanosecond:09}");
    }
    let whole = seconds.unsigned_abs().saturating_sub(1);
    let fraction = 1_000_000_000_u32.saturating_sub(nanosecond);
    format!("-{whole}.{fraction:09}")
}

/// The content of a pax header: each record with its own length in front.
pub fn encode(records: &[(String, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for (key, value) in records {
        // Length, space, key, `=`, value, newline; the length counts its own digits.
        let rest = key.len().saturating_add(value.len()).saturating_add(3);
        let mut length = rest;
        while length != rest.saturating_add(length.to_string().len()) {
            length = rest.saturating_add(length.to_string().len());
        }
        write!(out, "{length} {key}=")?;
        out.extend_from_slice(value);
        out.push(b'\n');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{decimal, encode};

    #[test]
    fn a_record_counts_its_own_length() {
        for length in 0..300 {
            let encoded = encode(&[("path".into(), vec![b'x'; length])]).unwrap();
            let digits: Vec<u8> = encoded
                .iter()
                .copied()
                .take_while(u8::is_ascii_digit)
                .collect();
            assert_eq!(
                String::from_utf8(digits).unwrap().parse::<usize>().unwrap(),
                encoded.len()
            );
        }
    }

    #[test]
    fn times_before_1970_are_not_a_second_off() {
        assert_eq!(decimal(-2, 250_000_000), "-1.750000000");
        assert_eq!(decimal(-1, 999_999_999), "-0.000000001");
        assert_eq!(decimal(-2, 0), "-2.000000000");
        assert_eq!(decimal(3, 5), "3.000000005");
    }
}
