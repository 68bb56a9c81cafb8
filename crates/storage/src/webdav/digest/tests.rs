use super::*;

fn digest(header: &str) -> Challenge {
    let offers = offers(&[header.to_owned()]);
    strongest(&offers).expect("a digest").clone()
}

fn response(header: &str) -> &str {
    let (_, behind) = header.split_once("response=\"").unwrap();
    behind.split('"').next().unwrap()
}

/// RFC 7616, section 3.9.1: whoever computes something else signs in nowhere.
#[test]
fn the_examples_of_the_specification_are_answered_as_there() {
    let parameters = r#"realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#;
    let who = Who {
        user: "Mufasa",
        password: "Circle of Life",
    };
    let what = What {
        method: "GET",
        uri: "/dir/index.html",
    };
    let client = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    for (algorithm, expected) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        (
            "SHA-256",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ] {
        let challenge = digest(&format!("Digest {parameters}, algorithm={algorithm}"));
        let header = challenge.answer(who, what, client, 1);
        assert_eq!(response(&header), expected);
        for part in [
            "qop=auth,",
            "nc=00000001",
            "username=\"Mufasa\"",
            "opaque=\"FQhe",
        ] {
            assert!(header.contains(part), "{header}");
        }
        assert!(!header.contains("Circle"), "{header}");
    }
    // Of two offers, the stronger; and in one header as in two.
    let both =
        format!("Digest algorithm=SHA-256, {parameters}, Digest {parameters}, Basic realm=\"x\"");
    let found = offers(&[both]);
    assert_eq!(found.len(), 3);
    assert_eq!(found[2], Offer::Basic);
    assert_eq!(strongest(&found).unwrap().algorithm, Algorithm::Sha256);
}

/// RFC 2069 and the first edition of Digest, which small servers still speak.
#[test]
fn a_server_that_does_not_count_is_answered_without_counting() {
    let challenge =
        digest(r#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093""#);
    let who = Who {
        user: "Mufasa",
        password: "CircleOfLife",
    };
    let what = What {
        method: "GET",
        uri: "/dir/index.html",
    };
    let header = challenge.answer(who, what, "x", 1);
    assert_eq!(response(&header), "1949323746fe6a43ef61f9606e7febea");
    assert!(!header.contains("nc=") && !header.contains("cnonce"));
}

/// A header from a stranger must neither stop the program nor be taken for more than it is.
#[test]
fn headers_of_every_shape_are_read() {
    let challenge = digest(r#"digest Realm="a \"b\", c", NONCE=abc , stale=TRUE, qop=auth"#);
    assert_eq!(challenge.realm, "a \"b\", c");
    assert_eq!(
        (challenge.nonce.as_str(), challenge.is_stale),
        ("abc", true)
    );
    let who = Who {
        user: "Jäsøn\"",
        password: "x",
    };
    let what = What {
        method: "PUT",
        uri: "/",
    };
    let header = challenge.answer(who, what, "c", 255);
    assert!(
        header.contains("username*=UTF-8''J%C3%A4s%C3%B8n%22"),
        "{header}"
    );
    assert!(header.contains(r#"realm="a \"b\", c""#) && header.contains("nc=000000ff"));
    for unknown in [
        "Digest realm=\"a\"",
        "Digest nonce=a, algorithm=SHA-512-256",
        "Digest nonce=a, qop=\"auth-int\"",
        "Negotiate abcd==",
        "NTLM",
    ] {
        let found = offers(&[unknown.to_owned()]);
        assert!(found.contains(&Offer::Other), "{unknown}: {found:?}");
        assert!(strongest(&found).is_none());
    }
    for nonsense in [
        "",
        ",,,",
        "=",
        "==,=\"",
        "Digest \"",
        "Digest nonce=\"a\\",
        "é=\"é",
    ] {
        offers(&[nonsense.to_owned()]);
    }
}
