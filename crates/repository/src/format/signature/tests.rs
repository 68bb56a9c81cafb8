use super::*;

fn example() -> SignedStatement {
    let ids = |texts: &[&str]| texts.iter().map(|text| Id::of(text.as_bytes())).collect();
    SignedStatement {
        statement: Statement {
            kind: StatementKind::Checkpoint,
            repository: Id::of(b"repository"),
            generation: 12,
            time: "2026-11-20T15:05:44Z".parse().unwrap(),
            algorithm: SignatureAlgorithm::Ed25519,
            key: Id::of(b"key"),
            parents: ids(&["p", "q"]),
            published: ids(&["a", "b", "c"]),
            removed: ids(&["d"]),
            replaced: ids(&["p", "q", "r"]),
        },
        signature: vec![7; 64],
    }
}

#[test]
fn a_statement_keeps_its_bytes() {
    let signed = example();
    let bytes = signed.encode();
    assert!(bytes.starts_with(&signed.statement.encode()));
    assert_eq!(SignedStatement::decode(&bytes).unwrap(), signed);
    let name = signed.name();
    assert_eq!(name.to_string(), format!("0000000012-{}", Id::of(&bytes)));
    assert_eq!(name.to_string().parse::<StatementName>().unwrap(), name);
    let mut announced = example();
    announced.statement.kind = StatementKind::Announcement;
    let name = announced.name();
    assert!(name.to_string().starts_with("announced-0000000012-"));
    assert_eq!(name.to_string().parse::<StatementName>().unwrap(), name);
}

/// What two texts can say, a signature holds for one of.
#[test]
fn one_statement_has_one_text() {
    let text = String::from_utf8(example().encode()).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.swap(6, 7);
    let swapped = lines.join("\n") + "\n";
    let published = format!("published {}\n", Id::of(b"a"));
    for (other, why) in [
        (swapped, "order"),
        (text.replace('\n', "\r\n"), "line ends"),
        (
            text.replace(&published, &published.repeat(2)),
            "a line twice",
        ),
        (
            text.replace("generation 12", "generation 012"),
            "leading zero",
        ),
        (text.replace("05:44Z", "05:44.000Z"), "fraction"),
        (format!("{text}\n"), "empty line"),
        (format!("{text}removed {}\n", Id::of(b"x")), "unsigned line"),
        (text.trim_end().to_owned(), "no last line end"),
        (text.replace("key ed25519", "key rsa"), "algorithm"),
    ] {
        assert_ne!(other, text, "{why}");
        assert!(SignedStatement::decode(other.as_bytes()).is_err(), "{why}");
    }
}

#[test]
fn a_later_version_is_told_from_damage() {
    let text = String::from_utf8(example().encode()).unwrap();
    let later = text.replace("signatures 1", "signatures 2");
    assert_eq!(
        SignedStatement::decode(later.as_bytes()),
        Err(FormatError::UnsupportedVersion(2))
    );
}

#[test]
fn damage_is_an_error_or_another_statement_but_no_panic() {
    let bytes = example().encode();
    for length in 0..bytes.len() {
        assert!(SignedStatement::decode(&bytes[..length]).is_err());
    }
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = SignedStatement::decode(&damaged) {
            assert_eq!(other.encode(), damaged);
        }
    }
    let huge = vec![b'\n'; STATEMENT_MAX_BYTES as usize + 1];
    assert!(matches!(
        SignedStatement::decode(&huge),
        Err(FormatError::TooLarge { .. })
    ));
    for name in [
        "",
        "-",
        "x-y",
        "1-00",
        "announced-",
        "announced-announced-1",
        "0000000012-zz",
    ] {
        assert!(name.parse::<StatementName>().is_err(), "{name}");
    }
}
