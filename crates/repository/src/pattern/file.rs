//! Files with a pattern a line.

/// The patterns of a pattern file, as restic reads one.
///
/// White space at both ends of a line is removed; empty lines and lines that begin with `#` are left out; `$NAME` and
/// `${NAME}` are replaced by what `variable` returns (nothing where it returns `None`), `$$` is a dollar sign. A byte
/// order mark is honoured, so that UTF-16 files of Windows can be read.
pub fn parse_pattern_file(
    content: &[u8],
    variable: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
) -> Vec<Vec<u8>> {
    lines(&decode_text(content))
        .map(trim)
        .filter(|line| !line.is_empty() && line.first() != Some(&b'#'))
        .map(|line| expand(line, variable))
        .collect()
}

/// The lines of a text as they are, without line ends.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The text behind a byte order mark as UTF-8; text without one as it is.
pub fn decode_text(content: &[u8]) -> Vec<u8> {
    if let Some(text) = content.strip_prefix(b"\xEF\xBB\xBF") {
        text.to_vec()
    } else if let Some(text) = content.strip_prefix(b"\xFF\xFE") {
        decode_utf16(text, u16::from_le_bytes)
    } else if let Some(text) = content.strip_prefix(b"\xFE\xFF") {
        decode_utf16(text, u16::from_be_bytes)
    } else {
        content.to_vec()
    }
}

fn decode_utf16(text: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let (pairs, odd) = text.as_chunks::<2>();
    let mut decoded =
        String::from_utf16_lossy(&pairs.iter().map(|&pair| unit(pair)).collect::<Vec<_>>());
    decoded.extend(odd.iter().map(|_| char::REPLACEMENT_CHARACTER));
    decoded.into_bytes()
}

fn trim(line: &[u8]) -> &[u8] {
    match std::str::from_utf8(line) {
        Ok(text) => text.trim().as_bytes(),
        Err(_) => line.trim_ascii(),
    }
}

/// Replaces variables as a POSIX shell would, in the reading of Go's `os.Expand`.
fn expand(line: &[u8], variable: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut expanded = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, behind)) = rest.split_first() {
        if byte != b'$' || behind.is_empty() {
            expanded.push(byte);
            rest = behind;
            continue;
        }
        let (name, length) = variable_name(behind);
        match name {
            Name::None => expanded.push(b'$'),
            Name::Malformed => {}
            Name::Variable(b"$") => expanded.push(b'$'),
            Name::Variable(name) => expanded.extend(variable(name).unwrap_or_default()),
        }
        rest = behind.get(length..).unwrap_or_default();
    }
    expanded
}

enum Name<'a> {
    /// A dollar sign that names nothing; it stays.
    None,
    /// `${}` or an open brace; it vanishes.
    Malformed,
    Variable(&'a [u8]),
}

/// The name behind a dollar sign, and how many bytes it takes with its braces.
fn variable_name(text: &[u8]) -> (Name<'_>, usize) {
    match text.split_first() {
        None => (Name::None, 0),
        Some((b'{', inner)) => {
            if let [special, b'}', ..] = inner
                && is_special(*special)
            {
                return (Name::Variable(inner.get(..1).unwrap_or_default()), 3);
            }
            match inner.iter().position(|&byte| byte == b'}') {
                None => (Name::Malformed, 1),
                Some(0) => (Name::Malformed, 2),
                Some(end) => (
                    Name::Variable(inner.get(..end).unwrap_or_default()),
                    end + 2,
                ),
            }
        }
        Some((&first, _)) if is_special(first) => {
            (Name::Variable(text.get(..1).unwrap_or_default()), 1)
        }
        Some(_) => {
            let word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
            match text.iter().take_while(word).count() {
                0 => (Name::None, 0),
                length => (
                    Name::Variable(text.get(..length).unwrap_or_default()),
                    length,
                ),
            }
        }
    }
}

fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b'*' | b'#' | b'$' | b'@' | b'!' | b'?' | b'-' | b'0'..=b'9'
    )
}

#[cfg(test)]
mod tests {
    use super::parse_pattern_file;

    fn parse(content: &[u8]) -> Vec<String> {
        let variable = |name: &[u8]| (name == b"HOME").then(|| b"/home/ada".to_vec());
        parse_pattern_file(content, &variable)
            .into_iter()
            .map(|line| String::from_utf8_lossy(&line).into_owned())
            .collect()
    }

    #[test]
    fn comments_blanks_and_white_space_go() {
        let content = b"# comment\n\n  *.o  \r\n\t# also\nkeep # this\n!x\n\xC2\xA0y";
        assert_eq!(parse(content), ["*.o", "keep # this", "!x", "y"]);
    }

    #[test]
    fn variables_are_replaced_as_in_go() {
        for (line, expected) in [
            ("$HOME/x", "/home/ada/x"),
            ("${HOME}x", "/home/adax"),
            ("$HOMEx", ""),
            ("a$$b", "a$b"),
            ("a$", "a$"),
            ("a$/b", "a$/b"),
            ("a${}b", "ab"),
            ("a${b", "ab"),
            ("a$*b", "ab"),
            ("${$}x", "$x"),
            ("$1x", "x"),
        ] {
            assert_eq!(parse(line.as_bytes()), [expected], "{line:?}");
        }
    }

    #[test]
    fn byte_order_marks_are_honoured() {
        assert_eq!(parse(b"\xEF\xBB\xBF*.o"), ["*.o"]);
        assert_eq!(parse(b"\xFF\xFE*\0.\0o\0\n\0b\0"), ["*.o", "b"]);
        assert_eq!(parse(b"\xFE\xFF\0*\0.\0o"), ["*.o"]);
    }
}
