//! A pattern for one component of a path, with the meaning of Go's `filepath.Match`.
//!
//! `*` stands for any bytes, `?` for one character, `[a-z]` and `[^a-z]` for one character in or outside a class, `\`
//! takes the next character literally. A byte that is not UTF-8 is one character, and in a class it is U+FFFD.

use super::character::{REPLACEMENT, decode};

/// What the pattern of one component was compiled to. The frequent shapes need no tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Component {
    /// These bytes.
    Literal(Box<[u8]>),
    /// `*` alone.
    Any,
    /// `*.ext`
    EndsWith(Box<[u8]>),
    /// `name*`
    BeginsWith(Box<[u8]>),
    /// Anything else.
    Chunks(Box<[Chunk]>),
}

/// The piece of a pattern between two stars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    /// A star stands before it.
    after_star: bool,
    tokens: Box<[Token]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Bytes(Box<[u8]>),
    AnyCharacter,
    Class {
        negated: bool,
        ranges: Box<[(u32, u32)]>,
    },
}

/// The pattern is malformed: an open class, an empty range, a backslash at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl Component {
    /// Compiles the pattern of one component; it holds no `/`.
    pub(super) fn compile(pattern: &[u8]) -> Result<Self, Malformed> {
        let mut chunks = Vec::new();
        let mut rest = pattern;
        while !rest.is_empty() {
            let (after_star, chunk, behind) = split_chunk(rest);
            chunks.push(Chunk {
                after_star,
                tokens: tokenize(chunk)?.into(),
            });
            rest = behind;
        }
        Ok(Self::simplest(chunks))
    }

    fn simplest(chunks: Vec<Chunk>) -> Self {
        let shapes: Vec<_> = chunks.iter().map(|c| (c.after_star, &*c.tokens)).collect();
        match shapes.as_slice() {
            [] => Self::Literal(Box::default()),
            [(true, [])] => Self::Any,
            [(false, [Token::Bytes(bytes)])] => Self::Literal(bytes.clone()),
            [(true, [Token::Bytes(bytes)])] => Self::EndsWith(bytes.clone()),
            [(false, [Token::Bytes(bytes)]), (true, [])] => Self::BeginsWith(bytes.clone()),
            _ => Self::Chunks(chunks.into()),
        }
    }

    /// Whether the whole name matches.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        match self {
            Self::Literal(bytes) => **bytes == *name,
            Self::Any => true,
            Self::EndsWith(bytes) => name.ends_with(bytes),
            Self::BeginsWith(bytes) => name.starts_with(bytes),
            Self::Chunks(chunks) => chunks_match(chunks, name),
        }
    }
}

/// The first star(s), the piece up to the next star that is outside a class, and what follows.
fn split_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|&&byte| byte == b'*').count();
    let (_, pattern) = pattern.split_at(stars);
    let mut in_class = false;
    let mut bytes = pattern.iter().enumerate();
    let mut end = pattern.len();
    while let Some((position, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => {
                end = position;
                break;
            }
            _ => {}
        }
    }
    let (chunk, rest) = pattern.split_at(end);
    (stars > 0, chunk, rest)
}

fn tokenize(mut chunk: &[u8]) -> Result<Vec<Token>, Malformed> {
    let mut tokens = Vec::new();
    let mut bytes: Vec<u8> = Vec::new();
    while let Some((&first, rest)) = chunk.split_first() {
        chunk = rest;
        let token = match first {
            b'?' => Token::AnyCharacter,
            b'[' => {
                let (class, behind) = class(rest)?;
                chunk = behind;
                class
            }
            b'\\' => {
                let (&escaped, behind) = rest.split_first().ok_or(Malformed)?;
                bytes.push(escaped);
                chunk = behind;
                continue;
            }
            literal => {
                bytes.push(literal);
                continue;
            }
        };
        if !bytes.is_empty() {
            tokens.push(Token::Bytes(std::mem::take(&mut bytes).into()));
        }
        tokens.push(token);
    }
    if !bytes.is_empty() {
        tokens.push(Token::Bytes(bytes.into()));
    }
    Ok(tokens)
}

/// A class whose opening bracket has been read.
fn class(mut rest: &[u8]) -> Result<(Token, &[u8]), Malformed> {
    let negated = rest.first() == Some(&b'^');
    if negated {
        rest = rest.get(1..).unwrap_or_default();
    }
    let mut ranges = Vec::new();
    loop {
        if let (Some((b']', behind)), false) = (rest.split_first(), ranges.is_empty()) {
            let ranges = ranges.into();
            return Ok((Token::Class { negated, ranges }, behind));
        }
        let (low, behind) = class_character(rest)?;
        rest = behind;
        let mut high = low;
        if let Some((b'-', behind)) = rest.split_first() {
            (high, rest) = class_character(behind)?;
        }
        ranges.push((low, high));
    }
}

/// One character inside a class, escaped or not. The class goes on after it.
fn class_character(rest: &[u8]) -> Result<(u32, &[u8]), Malformed> {
    let rest = match rest.split_first() {
        None | Some((b'-' | b']', _)) => return Err(Malformed),
        Some((b'\\', escaped)) => escaped,
        Some(_) => rest,
    };
    let (character, length) = decode(rest);
    let behind = rest.get(length..).unwrap_or_default();
    if (character == REPLACEMENT && length <= 1) || behind.is_empty() {
        return Err(Malformed);
    }
    Ok((character, behind))
}

fn chunks_match(chunks: &[Chunk], mut name: &[u8]) -> bool {
    for (position, chunk) in chunks.iter().enumerate() {
        let last = position + 1 == chunks.len();
        if last && chunk.after_star && chunk.tokens.is_empty() {
            return true;
        }
        // The leftmost place is enough: what a later place could match, the next star could skip as well.
        let furthest = if chunk.after_star { name.len() } else { 0 };
        let rest = (0..=furthest)
            .filter_map(|start| chunk_rest(&chunk.tokens, name.get(start..)?))
            .find(|rest| !last || rest.is_empty());
        match rest {
            Some(rest) => name = rest,
            None => return false,
        }
    }
    name.is_empty()
}

/// What is left of the name when it begins with the chunk.
fn chunk_rest<'a>(tokens: &[Token], mut name: &'a [u8]) -> Option<&'a [u8]> {
    for token in tokens {
        match token {
            Token::Bytes(bytes) => name = name.strip_prefix(&**bytes)?,
            Token::AnyCharacter => {
                let (_, length) = decode(name);
                name = name.get(length.max(1)..)?;
            }
            Token::Class { negated, ranges } => {
                let (character, length) = decode(name);
                name = name.get(length.max(1)..)?;
                let inside = ranges
                    .iter()
                    .any(|&(low, high)| low <= character && character <= high);
                if inside == *negated {
                    return None;
                }
            }
        }
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::{Component, Malformed};

    /// A wrong answer here leaves files out of a backup or takes secrets into it.
    #[test]
    fn components_match_as_in_go() {
        let cases: &[(&str, &str, bool)] = &[
            ("abc", "abc", true),
            ("*", "", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "abc", true),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("a*b*c*d*e*", "axbxcxdxexxx", true),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^b-d]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("a???b", "a☺b", false),
            ("a[^a][^a][^a]b", "a☺b", false),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("[\\]a]", "]", true),
            ("[\\-]", "-", true),
            ("[x\\-]", "x", true),
            ("[\\-x]", "-", true),
            ("[x\\-]", "z", false),
            ("*x", "xxx", true),
            ("x*x", "x", false),
            ("**b", "ab", true),
            ("a]b", "a]b", true),
        ];
        for (pattern, name, expected) in cases {
            let component = Component::compile(pattern.as_bytes()).unwrap();
            assert_eq!(
                component.matches(name.as_bytes()),
                *expected,
                "{pattern:?} on {name:?}"
            );
        }
    }

    #[test]
    fn malformed_components_are_refused_wherever_the_fault_is() {
        for bad in [
            "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[", "[^", "[^bc", "a[", "\\", "ab\\", "a*[",
            "b*x[", "[a]b*\\",
        ] {
            assert_eq!(
                Component::compile(bad.as_bytes()),
                Err(Malformed),
                "{bad:?}"
            );
        }
        assert_eq!(Component::compile(b"[\xff]"), Err(Malformed));
    }

    #[test]
    fn bytes_that_are_no_utf8_are_single_characters() {
        let question = Component::compile(b"a?b").unwrap();
        assert!(question.matches(b"a\xffb"));
        assert!(!question.matches(b"a\xff\xfeb"));
        assert!(Component::compile(b"\xff*").unwrap().matches(b"\xff\xfe"));
        assert!(
            Component::compile("[^a]".as_bytes())
                .unwrap()
                .matches(b"\xff")
        );
        assert!(
            Component::compile("[\u{fffd}]".as_bytes())
                .unwrap()
                .matches(b"\xff")
        );
    }
}
