use std::time::Duration;

use super::*;

fn entry(path: &str) -> Entry {
    Entry {
        path: path.as_bytes().to_vec(),
        is_folder: false,
        size_bytes: None,
        modified: None,
        status: None,
    }
}

/// As Apache writes it: the namespace under several names, and what is missing in a group of its own.
#[test]
fn namespaces_groups_and_encodings_are_read() {
    let listing = br#"<?xml version="1.0" encoding="utf-8"?>
<D:multistatus xmlns:D="DAV:" xmlns:ns0="DAV:">
<D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/" xmlns:g0="DAV:">
<D:href>/a%20b/</D:href>
<D:propstat><D:prop><lp1:resourcetype><D:collection/></lp1:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>
<D:propstat><D:prop><g0:getcontentlength>9</g0:getcontentlength></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>
</D:response>
<response xmlns="DAV:"><href>https://host:81/a%20b/x&amp;y&#38;<![CDATA[%25]]></href>
<propstat><prop><resourcetype/><getcontentlength> 18446744073709551615 </getcontentlength>
<getlastmodified>Thu, 01 Jan 1970 00:00:07 GMT</getlastmodified><other xmlns="x"><collection/></other></prop><status>HTTP/1.1 200 OK</status></propstat></response>
<D:response><D:href>/gone%ff</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>
</D:multistatus>"#;
    let mut gone = entry("");
    gone.path = b"/gone\xff".to_vec();
    gone.status = Some(404);
    let expected = [
        Entry {
            is_folder: true,
            ..entry("/a b/")
        },
        Entry {
            size_bytes: Some(u64::MAX),
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(7)),
            ..entry("/a b/x&y&%")
        },
        gone,
    ];
    assert_eq!(parse(listing).unwrap(), expected);
}

/// A listing that is cut off and believed loses snapshots.
#[test]
fn what_is_no_whole_listing_is_an_error() {
    let whole = r#"<multistatus xmlns="DAV:"><response><href>/a</href><propstat><prop><getcontentlength>1</getcontentlength></prop></propstat></response></multistatus>"#;
    assert_eq!(parse(whole.as_bytes()).unwrap().len(), 1);
    for end in 0..whole.len() {
        parse(&whole.as_bytes()[..end]).unwrap_err();
    }
    let around = |inside: &str| format!("<multistatus xmlns=\"DAV:\">{inside}</multistatus>");
    for wrong in [
        "<html></html>".to_owned(),
        "<multistatus></multistatus>".to_owned(),
        around("<response></response>"),
        around("<response><href>a</href></response>"),
        around("<response><href>&evil;</href></response>"),
        around("<response><href>/a</href><status>gone</status></response>"),
        whole.replace(">1<", ">-1<"),
        whole.replace(">1<", ">18446744073709551616<"),
        whole.replace("/href", "/hrfe"),
        "<a>".repeat(100_000),
        around(&"<a>".repeat(70_000)),
        around(&format!(
            "<response><href>/{}</href></response>",
            "a".repeat(1 << 20)
        )),
    ] {
        let shown: String = wrong.chars().take(100).collect();
        assert!(parse(wrong.as_bytes()).is_err(), "{shown}");
    }
    parse(b"\xff\xfe<").unwrap_err();
    // No entry is no error: it is for whoever asked to know what must be there.
    assert!(parse(around("").as_bytes()).unwrap().is_empty());
}
