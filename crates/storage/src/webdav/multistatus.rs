//! What a server lists: the body of an answer 207 (RFC 4918, section 13).

use std::time::SystemTime;

use percent_encoding::percent_decode_str;
use quick_xml::NsReader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, Event};
use quick_xml::name::ResolveResult;

/// The namespace of everything that is looked at.
const DAV: &str = "DAV:";

/// Elements inside each other; the protocol needs seven.
const DEEPEST: usize = 64;

/// The longest text of an element that is looked at.
const LONGEST_TEXT_BYTES: usize = 16 << 10;

/// One thing of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path on the server, decoded: without scheme and host, as bytes that need not be text.
    pub path: Vec<u8>,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Its size, where the server says it.
    pub size_bytes: Option<u64>,
    /// When it was last changed, by the server's clock, where it says so.
    pub modified: Option<SystemTime>,
    /// The status of the entry as a whole, where it has one instead of properties.
    pub status: Option<u16>,
}

/// A text that is no listing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct NotAListing {
    what: String,
}

/// Reads a listing. One that is cut off is an error.
///
/// # Errors
/// [`NotAListing`].
pub fn parse(body: &[u8]) -> Result<Vec<Entry>, NotAListing> {
    let text = std::str::from_utf8(body).map_err(wrong)?;
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut listing = Listing::default();
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(wrong)?;
        let is_dav = matches!(namespace, ResolveResult::Bound(bound) if bound.0 == DAV);
        match event {
            Event::Start(start) => {
                let element = Element::named(is_dav, start.local_name().into_inner());
                if open.len() >= DEEPEST {
                    return Err(wrong("elements lie too deep in each other"));
                }
                listing.begins(&open, element)?;
                open.push(element);
            }
            Event::Empty(start) => {
                let element = Element::named(is_dav, start.local_name().into_inner());
                listing.begins(&open, element)?;
                open.push(element);
                listing.ends(&open)?;
                open.pop();
            }
            Event::End(_) => {
                listing.ends(&open)?;
                open.pop();
            }
            Event::Text(text) => listing.text(&open, &text)?,
            Event::CData(text) => listing.text(&open, &text)?,
            Event::GeneralRef(reference) => listing.text(&open, &resolved(&reference)?)?,
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    match open.is_empty() && listing.has_begun {
        true => Ok(listing.entries),
        false => Err(wrong("it is cut off")),
    }
}

fn wrong(what: impl ToString) -> NotAListing {
    let what = what.to_string();
    NotAListing { what }
}

/// `&amp;` and `&#38;`; nothing else is defined here, so nothing can grow.
fn resolved(reference: &BytesRef<'_>) -> Result<String, NotAListing> {
    if let Some(letter) = reference.resolve_char_ref().map_err(wrong)? {
        return Ok(letter.to_string());
    }
    let known = resolve_xml_entity(reference);
    known
        .map(str::to_owned)
        .ok_or_else(|| wrong("an entity is not defined"))
}

/// The elements that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Multistatus,
    Response,
    Href,
    Propstat,
    Status,
    Prop,
    ResourceType,
    Collection,
    Length,
    Modified,
    Other,
}

impl Element {
    fn named(is_dav: bool, name: &str) -> Self {
        match name {
            _ if !is_dav => Self::Other,
            "multistatus" => Self::Multistatus,
            "response" => Self::Response,
            "href" => Self::Href,
            "propstat" => Self::Propstat,
            "status" => Self::Status,
            "prop" => Self::Prop,
            "resourcetype" => Self::ResourceType,
            "collection" => Self::Collection,
            "getcontentlength" => Self::Length,
            "getlastmodified" => Self::Modified,
            _ => Self::Other,
        }
    }
}

/// Properties that share a status.
#[derive(Debug, Default)]
struct Properties {
    is_folder: bool,
    length: Option<String>,
    modified: Option<String>,
    status: Option<u16>,
}

#[derive(Debug, Default)]
struct Listing {
    has_begun: bool,
    entries: Vec<Entry>,
    /// Of the response that is open.
    href: Option<String>,
    status: Option<u16>,
    found: Properties,
    /// Of the group that is open.
    group: Properties,
    /// Of the element that is open.
    text: String,
}

const RESPONSE: &[Element] = &[Element::Multistatus, Element::Response];

impl Listing {
    fn begins(&mut self, open: &[Element], element: Element) -> Result<(), NotAListing> {
        self.text.clear();
        match (open, element) {
            ([], Element::Multistatus) => self.has_begun = true,
            ([], _) => return Err(wrong("it does not begin as one")),
            ([Element::Multistatus], Element::Response) => {
                self.href = None;
                self.status = None;
                self.found = Properties::default();
            }
            (open, Element::Propstat) if open == RESPONSE => self.group = Properties::default(),
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, open: &[Element], text: &str) -> Result<(), NotAListing> {
        use Element::{Href, Length, Modified, Status};
        if !matches!(open.last(), Some(Href | Status | Length | Modified)) {
            return Ok(());
        }
        if self.text.len().saturating_add(text.len()) > LONGEST_TEXT_BYTES {
            return Err(wrong("a text is too long"));
        }
        self.text.push_str(text);
        Ok(())
    }

    /// The last of `open` ends.
    fn ends(&mut self, open: &[Element]) -> Result<(), NotAListing> {
        use Element as E;
        let Some(inside) = open.strip_prefix(RESPONSE) else {
            return Ok(());
        };
        let text = || self.text.trim().to_owned();
        match inside {
            [] => self.response_ends()?,
            // The first names the thing; others would share its status.
            [E::Href] if self.href.is_none() => self.href = Some(text()),
            [E::Status] => self.status = Some(status_of(&self.text)?),
            [E::Propstat] => self.group_ends(),
            [E::Propstat, E::Status] => self.group.status = Some(status_of(&self.text)?),
            [E::Propstat, E::Prop, E::ResourceType, E::Collection] => self.group.is_folder = true,
            [E::Propstat, E::Prop, E::Length] => self.group.length = Some(text()),
            [E::Propstat, E::Prop, E::Modified] => self.group.modified = Some(text()),
            _ => {}
        }
        self.text.clear();
        Ok(())
    }

    /// Only what was found counts; what the server does not have stands in a group of its own.
    fn group_ends(&mut self) {
        let group = std::mem::take(&mut self.group);
        if group
            .status
            .is_none_or(|status| (200..300).contains(&status))
        {
            self.found.is_folder |= group.is_folder;
            self.found.length = group.length.or(self.found.length.take());
            self.found.modified = group.modified.or(self.found.modified.take());
        }
    }

    fn response_ends(&mut self) -> Result<(), NotAListing> {
        let href = self.href.take();
        let href = href.ok_or_else(|| wrong("an entry has no name"))?;
        let found = std::mem::take(&mut self.found);
        let length = found.length.filter(|length| !length.is_empty());
        let size_bytes = length.map(|length| length.parse());
        self.entries.push(Entry {
            path: path_of(&href)?,
            is_folder: found.is_folder,
            size_bytes: size_bytes.transpose().map_err(wrong)?,
            modified: found
                .modified
                .and_then(|date| httpdate::parse_http_date(&date).ok()),
            status: self.status.take(),
        });
        Ok(())
    }
}

/// The number in `HTTP/1.1 200 OK`.
fn status_of(line: &str) -> Result<u16, NotAListing> {
    let number = line.split_whitespace().nth(1);
    let number = number.and_then(|number| number.parse().ok());
    number.ok_or_else(|| wrong("a status has no number"))
}

/// The path of an address, which may be whole or begin at the root of the server.
fn path_of(href: &str) -> Result<Vec<u8>, NotAListing> {
    let path = match href.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
        }
        _ => href,
    };
    match path.starts_with('/') {
        true => Ok(percent_decode_str(path).collect()),
        false => Err(wrong("an entry's name does not begin at the root")),
    }
}

#[cfg(test)]
mod tests;
