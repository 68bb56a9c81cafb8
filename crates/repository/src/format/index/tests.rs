use super::*;

fn id(n: u8) -> String {
    Id::from_bytes([n; 32]).to_hex()
}

fn json() -> String {
    format!(
        concat!(
            r#"{{"packs":[{{"id":"{}","blobs":[{{"id":"{}","type":"data","offset":0,"length":38}},"#,
            r#"{{"id":"{}","type":"tree","offset":38,"length":112,"uncompressed_length":511}}]}},"#,
            r#"{{"id":"{}","blobs":[{{"id":"{}","type":"data","offset":0,"length":32}}]}}]}}"#,
            "\n"
        ),
        id(1),
        id(2),
        id(3),
        id(4),
        id(5)
    )
}

fn read(json: &str) -> Result<Vec<(Id, PackedBlob)>, FormatError> {
    let mut found = Vec::new();
    decode(json.as_bytes(), |pack, blob| found.push((*pack, blob)))?;
    Ok(found)
}

fn write(found: &[(Id, PackedBlob)]) -> String {
    let mut encoder = IndexEncoder::new();
    for pack in found.chunk_by(|a, b| a.0 == b.0) {
        encoder.pack(&pack[0].0, pack.iter().map(|(_, blob)| blob));
    }
    String::from_utf8(encoder.finish()).unwrap()
}

#[test]
fn an_index_keeps_its_bytes() {
    let found = read(&json()).unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(found[1].1.uncompressed_length.unwrap().get(), 511);
    assert_eq!(found[1].1.plain_length(), 511);
    assert_eq!(found[0].1.plain_length(), 6);
    assert_eq!(write(&found), json());
    assert_eq!(write(&[]), "{\"packs\":[]}\n");
}

#[test]
fn what_other_writers_add_or_reorder_is_read_the_same() {
    let expected = read(&json()).unwrap();
    let blobs_first = json().replacen(&format!(r#""id":"{}","#, id(1)), "", 1);
    let blobs_first = blobs_first.replacen("511}]}", &format!(r#"511}}],"id":"{}"}}"#, id(1)), 1);
    assert_eq!(read(&blobs_first).unwrap(), expected);
    let more = json().replacen('{', r#"{"packs_to_delete":[{"x":[1,{}]}],"#, 1);
    let more = more.replace(r#""offset""#, r#""new":{"a":[null]},"offset""#);
    assert_eq!(read(&more).unwrap(), expected);
    assert_eq!(read(r#" { "packs" : null } "#).unwrap(), []);
    let null_length = json().replace(
        r#""length":38"#,
        r#""length":38,"uncompressed_length":null"#,
    );
    assert_eq!(read(&null_length).unwrap(), expected);
}

#[test]
fn supersedes_is_returned() {
    let json = format!(r#"{{"supersedes":["{}","{}"],"packs":[]}}"#, id(1), id(2));
    let supersedes = decode(json.as_bytes(), |_, _| {}).unwrap();
    assert_eq!(
        supersedes,
        [Id::from_bytes([1; 32]), Id::from_bytes([2; 32])]
    );
}

#[test]
fn what_is_no_index_is_refused() {
    for json in [
        "",
        "[]",
        "{}",
        "null",
        r#"{"packs":{}}"#,
        r#"{"packs":[{}]}"#,
        r#"{"packs":[{"blobs":[]}]}"#,
        r#"{"packs":[{"id":"12","blobs":[]}]}"#,
        r#"{"packs":[]}}"#,
        r#"{"packs":[]"#,
    ] {
        assert!(read(json).is_err(), "{json}");
    }
    for (from, to) in [
        ("\"data\"", "\"other\""),
        (":38}", ":31}"),
        (":38}", ":4294967296}"),
        (":38}", ":-1}"),
        ("\"offset\":38", "\"offset\":4294967295"),
        (",\"offset\":38", ""),
    ] {
        assert!(
            read(&json().replacen(from, to, 1)).is_err(),
            "{from} -> {to}"
        );
    }
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    let deep = format!(
        r#"{{"x":{}{},"packs":[]}}"#,
        "[".repeat(1_000_000),
        "]".repeat(1_000_000)
    );
    assert_eq!(read(&deep).unwrap(), []);
    assert!(read(&"[".repeat(1_000_000)).is_err());
    assert!(read(&r#"{"packs":"#.repeat(100_000)).is_err());
}

#[test]
fn truncated_and_damaged_files_do_not_panic() {
    let json = json();
    for length in 0..json.len() - 1 {
        assert!(read(&json[..length]).is_err(), "{length}");
    }
    for bit in 0..json.len() * 8 {
        let mut damaged = json.as_bytes().to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let _ = decode(&damaged, |_, blob| assert!(blob.length >= 32));
    }
}

/// What a sink was told, after the last restart.
#[derive(Debug, Default, PartialEq)]
struct Told {
    pack: Option<Id>,
    blobs: Vec<(Id, PackedBlob)>,
}

impl Sink for Told {
    fn pack(&mut self, pack: &Id) {
        self.pack = Some(*pack);
    }
    fn blob(&mut self, blob: PackedBlob) {
        self.blobs.push((self.pack.unwrap(), blob));
    }
    fn restart(&mut self) {
        *self = Self::default();
    }
}

/// The fast way says what the general decoder says.
fn agrees(json: &[u8]) -> bool {
    let mut expected = Vec::new();
    let result = decode(json, |pack, blob| expected.push((*pack, blob))).map(|_| ());
    let mut told = Told::default();
    assert_eq!(decode_into(json, &mut told), result);
    assert_eq!(told.blobs, expected);
    result.is_ok()
}

#[test]
fn the_scanner_takes_the_usual_shape_by_itself() {
    let scans = |json: &str| scan::scan(json.as_bytes(), &mut Told::default()).is_some();
    assert!(scans(&json()) && scans("{\"packs\":[]}\n") && scans("{\"packs\":[]}"));
    let no_blobs = format!(r#"{{"packs":[{{"id":"{}","blobs":[]}}]}}"#, id(1));
    assert!(scans(&no_blobs) && agrees(no_blobs.as_bytes()));
    for other in ["{}", "", "{\"packs\":[]}}", "{\"packs\":[],\"x\":1}"] {
        assert!(!scans(other), "{other}");
    }
}

/// Every byte in every place of an identifier.
#[test]
fn t09_the_scanner_reads_identifiers_as_everybody_does() {
    let digits = b"0123456789abcdef";
    for place in 0..64 {
        for byte in 0..=255 {
            let mut text: Vec<u8> = (0..64).map(|n| digits[(n * 7 + place) % 16]).collect();
            text[place] = byte;
            let json = [b"{\"packs\":[{\"id\":\"", &*text, b"\",\"blobs\":[]}]}"].concat();
            let expected = std::str::from_utf8(&text)
                .ok()
                .and_then(|text| text.parse::<Id>().ok());
            let scanned = scan::identifier(text.as_slice().try_into().unwrap());
            assert_eq!(scanned, expected, "{byte} at {place}");
            assert_eq!(
                scan::scan(&json, &mut Told::default()).is_some(),
                expected.is_some()
            );
        }
    }
}

/// If the scanner read anything else than the general decoder, a backup would skip blobs that are stored nowhere.
#[test]
fn t09_the_scanner_agrees_with_the_general_decoder_about_every_damaged_byte() {
    let json = json();
    let interesting = b"{}[]\",:0123456789abcdefABF+-.e \n\\\0";
    for at in 0..json.len() {
        agrees(&json.as_bytes()[..at]);
        for byte in interesting {
            let mut changed = json.clone().into_bytes();
            changed[at] = *byte;
            agrees(&changed);
            changed.insert(at, b'0');
            agrees(&changed);
            changed.drain(at..at + 2);
            agrees(&changed);
        }
    }
    for (from, to) in [
        (":38", ":038"),
        (":38", ":38.0"),
        (":38", ":3e1"),
        (":38", ":00"),
        (":38", ":"),
        (":511", ":0"),
        (":511", ":4294967295"),
        (":511", ":4294967296"),
        (":112", ":4294967295"),
        ("\"data\"", "\"d\\u0061ta\""),
        ("{\"packs\"", " {\"packs\""),
        ("}]}", "}] }"),
    ] {
        agrees(json.replacen(from, to, 1).as_bytes());
    }
    assert!(agrees(json.as_bytes()));
}
