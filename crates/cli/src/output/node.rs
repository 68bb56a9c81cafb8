//! Entries of snapshots as people and programs see them.

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use strongroom_repository::format::{Mode, Node, NodeKind};

use super::{escape, figures};

/// `drwxr-xr-x` from a mode in the format's layout (Go's `os.FileMode`), in Go's notation.
pub fn permissions(mode: Mode) -> String {
    const TYPES: [(u32, char); 13] = [
        (31, 'd'),
        (30, 'a'),
        (29, 'l'),
        (28, 'T'),
        (27, 'L'),
        (26, 'D'),
        (25, 'p'),
        (24, 'S'),
        (23, 'u'),
        (22, 'g'),
        (21, 'c'),
        (20, 't'),
        (19, '?'),
    ];
    let mut text: String = TYPES
        .iter()
        .filter(|(bit, _)| mode.0 >> bit & 1 == 1)
        .map(|(_, letter)| *letter)
        .collect();
    if text.is_empty() {
        text.push('-');
    }
    for (position, letter) in "rwxrwxrwx".chars().enumerate() {
        let set = mode.0 >> (8 - position) & 1 == 1;
        text.push(if set { letter } else { '-' });
    }
    text
}

/// restic's JSON of an entry in `ls`.
pub fn listed(node: &Node, path: &[u8]) -> Value {
    let mut value = Map::new();
    let mut put = |name: &str, member: Value| value.insert(name.to_owned(), member);
    put("name", json!(String::from_utf8_lossy(&node.name)));
    put("type", json!(node.kind.as_str()));
    put("path", json!(String::from_utf8_lossy(path)));
    put("uid", json!(node.uid));
    put("gid", json!(node.gid));
    if node.kind == NodeKind::File {
        put("size", json!(node.size_bytes));
    }
    if node.mode.0 != 0 {
        put("mode", json!(node.mode.0));
    }
    put("permissions", json!(permissions(node.mode)));
    put("mtime", json!(node.mtime.to_string()));
    put("atime", json!(node.atime.to_string()));
    put("ctime", json!(node.ctime.to_string()));
    if node.inode != 0 {
        put("inode", json!(node.inode));
    }
    put("message_type", json!("node"));
    put("struct_type", json!("node"));
    Value::Object(value)
}

/// restic's JSON of an entry in `find`.
pub fn found(node: &Node, path: &[u8]) -> Value {
    let mut value = Map::new();
    let mut put = |name: &str, member: Value| value.insert(name.to_owned(), member);
    put("path", json!(String::from_utf8_lossy(path)));
    put("permissions", json!(permissions(node.mode)));
    put("type", json!(node.kind.as_str()));
    if node.mode.0 != 0 {
        put("mode", json!(node.mode.0));
    }
    put("mtime", json!(node.mtime.to_string()));
    put("atime", json!(node.atime.to_string()));
    put("ctime", json!(node.ctime.to_string()));
    put("uid", json!(node.uid));
    put("gid", json!(node.gid));
    for (name, text) in [("user", &node.user), ("group", &node.group)] {
        if !text.is_empty() {
            put(name, json!(text));
        }
    }
    for (name, number) in [
        ("inode", node.inode),
        ("device_id", node.device_id),
        ("size", node.size_bytes),
        ("links", node.links),
    ] {
        if number != 0 {
            put(name, json!(number));
        }
    }
    if !node.link_target.is_empty() {
        put(
            "linktarget",
            json!(String::from_utf8_lossy(&node.link_target)),
        );
    }
    Value::Object(value)
}

/// A line of a listing: the path, or with `long` mode, owner, size and time before it.
pub fn line(node: &Node, path: &[u8], long: bool, human: bool, zone: &TimeZone) -> String {
    let shown = escape::name(path);
    if !long {
        return shown.into_owned();
    }
    let size = match human {
        true => figures::size(node.size_bytes),
        false => node.size_bytes.to_string(),
    };
    let target = match node.link_target.is_empty() {
        true => String::new(),
        false => format!(" -> {}", escape::name(&node.link_target)),
    };
    format!(
        "{} {:>5} {:>5} {size:>6} {} {shown}{target}",
        permissions(node.mode),
        node.uid,
        node.gid,
        figures::time(node.mtime, zone),
    )
}

#[cfg(test)]
mod tests {
    use strongroom_repository::format::Mode;

    use super::permissions;

    #[test]
    fn modes_read_as_in_restic() {
        assert_eq!(permissions(Mode(0o644)), "-rw-r--r--");
        assert_eq!(permissions(Mode(2_147_484_141)), "drwxr-xr-x");
        assert_eq!(permissions(Mode(134_218_239)), "Lrwxrwxrwx");
        assert_eq!(permissions(Mode(1 << 31 | 1 << 20 | 0o777)), "dtrwxrwxrwx");
        assert_eq!(permissions(Mode(0)), "----------");
    }
}
