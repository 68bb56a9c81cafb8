//! The documents of the protocol: small trees of elements with texts.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::ErrorKind;
use crate::failure::Failure;

/// No document of the protocol is deeper than five.
const MOST_DEEP: usize = 16;

/// An element with what is in it. Attributes and comments are passed over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Without a prefix.
    pub(super) name: String,
    /// Its own text, in one piece.
    pub(super) text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a whole document: one that breaks off is an error, and never taken for a shorter one.
    pub(super) fn parse(document: &[u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(document).map_err(|error| malformed(&error.to_string()))?;
        // A server that lets a client wait sends blanks before.
        let mut reader = Reader::from_str(text.trim_start());
        let mut open: Vec<Self> = Vec::new();
        loop {
            let event = reader
                .read_event()
                .map_err(|error| malformed(&error.to_string()))?;
            let closed = match event {
                Event::Start(start) if open.len() < MOST_DEEP => {
                    open.push(Self::named(&start));
                    continue;
                }
                Event::Start(_) => return Err(malformed("it is too deep")),
                Event::Empty(start) => Self::named(&start),
                Event::End(_) => open
                    .pop()
                    .ok_or_else(|| malformed("an end without a start"))?,
                Event::Eof => return Err(malformed("it breaks off")),
                Event::Text(text) => {
                    add(&mut open, &text.xml10_content());
                    continue;
                }
                Event::CData(text) => {
                    add(&mut open, &text.xml10_content());
                    continue;
                }
                Event::GeneralRef(reference) => {
                    add(&mut open, &referred(&reference)?);
                    continue;
                }
                _ => continue,
            };
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => return Ok(closed),
            }
        }
    }

    fn named(start: &BytesStart<'_>) -> Self {
        Self {
            name: start.local_name().as_ref().to_owned(),
            ..Self::default()
        }
    }

    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children(name).next()
    }

    /// The children of that name.
    pub(super) fn children(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of that name, where there is any.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text.trim();
        Some(text).filter(|text| !text.is_empty())
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn referred(name: &str) -> Result<String, Failure> {
    let number = name
        .strip_prefix('#')
        .map(|number| match number.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        });
    let letter = match (name, number) {
        ("amp", _) => Some('&'),
        ("lt", _) => Some('<'),
        ("gt", _) => Some('>'),
        ("quot", _) => Some('"'),
        ("apos", _) => Some('\''),
        (_, Some(Ok(number))) => char::from_u32(number),
        _ => None,
    };
    let letter = letter.ok_or_else(|| malformed("it refers to a letter that there is not"))?;
    Ok(letter.to_string())
}

/// What may stand between two tags.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn malformed(why: &str) -> Failure {
    let message = format!("the server's answer is not in the protocol's form: {why}");
    Failure::passing(ErrorKind::Mismatch, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer that breaks off and is read as far as it goes is a listing with a hole.
    #[test]
    fn documents_are_read_whole_or_not_at_all() {
        let document = "  \n<?xml version=\"1.0\"?>\n<List xmlns=\"u\"><K>a&amp;&#x26;&quot;</K>\
            <Empty/><n:P xmlns:n=\"v\"><K><![CDATA[<b>]]></K></n:P></List>";
        let list = Element::parse(document.as_bytes()).unwrap();
        assert_eq!(list.name, "List");
        assert_eq!(list.text_of("K"), Some("a&&\""));
        assert_eq!(list.text_of("Empty"), None);
        assert_eq!(list.child("P").unwrap().text_of("K"), Some("<b>"));
        let start = document.find("<List").unwrap();
        for end in start..document.len() {
            assert!(
                Element::parse(&document.as_bytes()[..end]).is_err(),
                "{end}"
            );
        }
        for nonsense in ["", "hello", "<a></b>", "<a>&nbsp;</a>", "</a>", "{}"] {
            assert!(Element::parse(nonsense.as_bytes()).is_err(), "{nonsense}");
        }
        assert!(Element::parse("<a>".repeat(1000).as_bytes()).is_err());
        assert!(Element::parse(&[b'<', 0xff]).is_err());
    }
}
