use super::*;
use crate::format::{ExtendedAttribute, Id, Mode, NodeKind, Time};

fn file(name: &[u8]) -> Node {
    let mut node = Node::new(name, NodeKind::File, Mode(0o644));
    node.content = Some(Vec::new());
    node
}

fn full() -> Node {
    let time: Time = "2026-11-20T12:15:24.18641716+01:00".parse().unwrap();
    let mut node = Node::new(
        *b"full <\xff>",
        NodeKind::Symlink,
        Mode(0o777 | Mode::SYMLINK),
    );
    (node.mtime, node.atime, node.ctime) = (time, time, time);
    (node.uid, node.gid) = (1000, 100);
    (node.user, node.group) = ("ann".to_owned(), "users".to_owned());
    (
        node.inode,
        node.device_id,
        node.size_bytes,
        node.links,
        node.device,
    ) = (1, 2, 3, 4, 5);
    node.link_target = b"to \xfe".to_vec();
    node.extended_attributes = vec![ExtendedAttribute {
        name: "user.x".to_owned(),
        value: vec![0, 1, 255],
    }];
    node.generic_attributes
        .insert("windows.creation_time".to_owned(), r#""AAA=""#.to_owned());
    node.generic_attributes
        .insert("a&b".to_owned(), r#"{"x":[1]}"#.to_owned());
    node.content = Some(vec![Id::of(b"1"), Id::of(b"2")]);
    node.subtree = Some(Id::of(b"3"));
    node.error = "went \"wrong\"".to_owned();
    node
}

const FULL: &str = concat!(
    r#"{"nodes":[{"name":"full \u003c\\xff\u003e","type":"symlink","mode":134218239,"#,
    r#""mtime":"2026-11-20T12:15:24.18641716+01:00","atime":"2026-11-20T12:15:24.18641716+01:00","#,
    r#""ctime":"2026-11-20T12:15:24.18641716+01:00","uid":1000,"gid":100,"user":"ann","group":"users","inode":1,"#,
    r#""device_id":2,"size":3,"links":4,"linktarget":"to \ufffd","linktarget_raw":"dG8g/g==","#,
    r#""extended_attributes":[{"name":"user.x","value":"AAH/"}],"#,
    r#""generic_attributes":{"a\u0026b":{"x":[1]},"windows.creation_time":"AAA="},"device":5,"#,
    r#""content":["6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b","#,
    r#""d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"],"#,
    r#""subtree":"4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce","#,
    r#""error":"went \"wrong\""}]}"#,
    "\n"
);

#[test]
fn every_field_is_written_in_restics_order_and_read_back() {
    let tree = Tree {
        nodes: vec![full()],
    };
    assert_eq!(String::from_utf8(tree.encode().unwrap()).unwrap(), FULL);
    assert_eq!(Tree::decode(FULL.as_bytes()).unwrap(), tree);
}

#[test]
fn empty_fields_are_left_out_but_times_owners_and_content_are_not() {
    let mut node = Node::new(*b"d", NodeKind::Dir, Mode(0));
    let json = |node: &Node| {
        String::from_utf8(
            Tree {
                nodes: vec![node.clone()],
            }
            .encode()
            .unwrap(),
        )
        .unwrap()
    };
    let times = r#""mtime":"0001-01-01T00:00:00Z","atime":"0001-01-01T00:00:00Z","ctime":"0001-01-01T00:00:00Z""#;
    let expected = format!(
        r#"{{"nodes":[{{"name":"d","type":"dir",{times},"uid":0,"gid":0,"content":null}}]}}"#
    );
    assert_eq!(json(&node), expected.clone() + "\n");
    node.content = Some(Vec::new());
    assert_eq!(json(&node), expected.replace("null", "[]") + "\n");
    assert_eq!(Tree::decode(json(&node).as_bytes()).unwrap().nodes, [node]);
    assert_eq!(Tree::default().encode().unwrap(), b"{\"nodes\":[]}\n");
}

#[test]
fn names_are_ordered_by_their_bytes_and_unique() {
    let mut builder = TreeBuilder::new();
    for name in [
        &b"A"[..],
        b"a",
        b"a.",
        b"a.b",
        b"a0",
        b"aa",
        b"\xc3\xa4",
        b"\xff",
    ] {
        builder.add(&file(name)).unwrap();
        assert!(builder.add(&file(name)).is_err(), "twice");
        assert!(builder.add(&file(b"0")).is_err(), "out of order");
    }
    let tree = Tree::decode(&builder.finish()).unwrap();
    assert_eq!(tree.nodes.len(), 8);
    assert!(tree.find(b"a.b").is_some() && tree.find(b"b").is_none());
}

#[test]
fn names_that_lead_elsewhere_are_not_written_and_are_told_when_read() {
    for name in [&b""[..], b".", b"..", b"a/b", b"/", b"a\0b"] {
        assert!(TreeBuilder::new().add(&file(name)).is_err());
        let json = format!(
            r#"{{"nodes":[{{"name":{:?},"type":"file"}}]}}"#,
            String::from_utf8_lossy(name).replace('\0', r"\x00")
        );
        let tree = Tree::decode(json.as_bytes()).unwrap();
        assert!(!tree.nodes[0].has_safe_name() && tree.nodes[0].name == name);
    }
    for name in [&b"..."[..], b"..a", b" ", b"\\", b"\n", b"\xff"] {
        assert!(TreeBuilder::new().add(&file(name)).is_ok());
    }
}

#[test]
fn fields_of_newer_programs_are_ignored() {
    let json = FULL.replacen(r#""uid""#, r#""new":[{"a":null},"\ud83d\ude00"],"uid""#, 1);
    let json = json.replacen(r#"{"nodes""#, r#"{"version":3,"nodes""#, 1);
    assert_eq!(Tree::decode(json.as_bytes()).unwrap().nodes, [full()]);
    let kind = FULL.replacen(r#""type":"symlink""#, r#""type":"door""#, 1);
    let tree = Tree::decode(kind.as_bytes()).unwrap();
    assert_eq!(tree.nodes[0].kind, NodeKind::Other("door".into()));
    assert_eq!(tree.encode().unwrap(), kind.as_bytes());
}

#[test]
fn what_is_no_tree_is_refused() {
    for json in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"nodes":1}"#,
        r#"{"nodes":[1]}"#,
        r#"{"nodes":[{}]}"#,
        r#"{"nodes":[{"name":"a"}]}"#,
        r#"{"nodes":[{"name":"\\q","type":"file"}]}"#,
        r#"{"nodes":[{"name":"a","type":"file","content":["x"]}]}"#,
        r#"{"nodes":[{"name":"a","type":"file","mtime":"yesterday"}]}"#,
        r#"{"nodes":[{"name":"a","type":"file","uid":-1}]}"#,
        r#"{"nodes":[{"name":"a","type":"file","uid":4294967296}]}"#,
        r#"{"nodes":[]} x"#,
    ] {
        assert!(Tree::decode(json.as_bytes()).is_err(), "{json}");
    }
    assert!(Tree::decode(br#"{"nodes":null}"#).unwrap().nodes.is_empty());
}

#[test]
fn truncated_and_damaged_trees_do_not_panic() {
    let json = FULL.as_bytes();
    for length in 0..json.len() - 1 {
        assert!(Tree::decode(&json[..length]).is_err(), "{length}");
    }
    for bit in 0..json.len() * 8 {
        let mut damaged = json.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        if let Ok(tree) = Tree::decode(&damaged) {
            let _ = tree.encode();
        }
    }
    let deep = format!(
        r#"{{"nodes":[{{"name":"a","type":"file","generic_attributes":{{"x":{}"#,
        "[".repeat(100_000)
    );
    assert!(Tree::decode(deep.as_bytes()).is_err());
}
