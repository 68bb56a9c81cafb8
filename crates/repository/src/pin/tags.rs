//! Pins as tags.

use std::fmt;

use jiff::Timestamp;

const PINNED: &str = "pinned";
const UNTIL: &str = "pinned-until:";
const NOTE: &str = "pin-note:";

/// What keeps a snapshot from being forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pin {
    /// When it ends; never without.
    pub until: Option<Timestamp>,
    /// Why, in the user's words. Empty for none.
    pub note: String,
    /// A tag that says when it ends and cannot be understood: it does not end.
    pub unreadable: Option<String>,
}

/// Whether a tag is part of a pin.
pub fn is_pin_tag(tag: &str) -> bool {
    tag == PINNED || tag.starts_with(UNTIL) || tag.starts_with(NOTE)
}

impl Pin {
    /// The pin that the tags of a snapshot say. A note alone pins nothing.
    pub fn of(tags: &[String]) -> Option<Self> {
        let ends = || tags.iter().filter_map(|tag| tag.strip_prefix(UNTIL));
        if !tags.iter().any(|tag| tag == PINNED) && ends().next().is_none() {
            return None;
        }
        let mut pin = Self::default();
        for end in ends() {
            match end.parse() {
                // Of several the last one.
                Ok(end) => pin.until = pin.until.max(Some(end)),
                Err(_) => pin.unreadable = Some(format!("{UNTIL}{end}")),
            }
        }
        if pin.unreadable.is_some() {
            pin.until = None;
        }
        let notes = tags.iter().filter_map(|tag| tag.strip_prefix(NOTE));
        pin.note = notes.map(unescape).collect::<Vec<_>>().join(" ");
        Some(pin)
    }

    /// The tags that say this.
    pub fn tags(&self) -> Vec<String> {
        let mut tags = vec![PINNED.to_owned()];
        tags.extend(self.until.map(|until| format!("{UNTIL}{until}")));
        if !self.note.is_empty() {
            tags.push(format!("{NOTE}{}", escape(&self.note)));
        }
        tags
    }

    /// Whether it stands at this time.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl fmt::Display for Pin {
    /// `pinned until 2027-01-01T00:00:00Z (tax)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PINNED)?;
        if let Some(until) = self.until {
            write!(f, " until {until}")?;
        }
        if !self.note.is_empty() {
            write!(f, " ({})", self.note)?;
        }
        Ok(())
    }
}

/// A tag is cut at commas and trimmed where one is read from a command line: these characters become `%2C` and the like.
fn escape(note: &str) -> String {
    let last = note.chars().count().saturating_sub(1);
    let mut escaped = String::with_capacity(note.len());
    for (number, character) in note.chars().enumerate() {
        let at_an_end = number == 0 || number == last;
        let is_special = matches!(character, '%' | ',')
            || character.is_control()
            || (at_an_end && character.is_whitespace());
        if !is_special {
            escaped.push(character);
            continue;
        }
        let mut bytes = [0; 4];
        for byte in character.encode_utf8(&mut bytes).bytes() {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// What is no escape stays as it is.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind
            .get(..2)
            .filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = match byte {
            Some(_) => behind.get(2..).unwrap_or_default(),
            None => behind,
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Pin, escape, is_pin_tag, unescape};

    fn pin(tags: &[&str]) -> Option<Pin> {
        let tags: Vec<String> = tags.iter().map(ToString::to_string).collect();
        Pin::of(&tags)
    }

    #[test]
    fn a_pin_is_read_from_tags() {
        assert_eq!(pin(&[]), None);
        assert_eq!(pin(&["a", "pin-note:alone", "unpinned", "pinned "]), None);
        assert_eq!(pin(&["a", "pinned"]), Some(Pin::default()));
        let ending = pin(&[
            "pinned",
            "pinned-until:2027-01-01T00:00:00Z",
            "pin-note:a%2Cb",
        ]);
        let ending = ending.unwrap();
        assert_eq!(
            ending.to_string(),
            "pinned until 2027-01-01T00:00:00Z (a,b)"
        );
        assert!(ending.holds("2026-12-31T23:59:59Z".parse().unwrap()));
        assert!(!ending.holds("2027-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!(Pin::of(&ending.tags()), Some(ending));
    }

    /// A pin that is overlooked is a snapshot that is lost.
    #[test]
    fn what_cannot_be_understood_pins_for_good() {
        let late = "9999-01-01T00:00:00Z".parse().unwrap();
        for tags in [
            &["pinned-until:"][..],
            &["pinned", "pinned-until:soon"],
            &["pinned-until:2027-13-01T00:00:00Z"],
            &["pinned-until:2020-01-01"],
            &["pinned-until:2020-01-01T00:00:00Z", "pinned-until:?"],
        ] {
            let pin = pin(tags).unwrap();
            assert!(pin.holds(late), "{tags:?}");
            assert!(pin.unreadable.is_some());
        }
        let several = pin(&[
            "pinned-until:2030-01-01T00:00:00Z",
            "pinned-until:2020-01-01T00:00:00Z",
        ]);
        let several = several.unwrap().until.unwrap().to_string();
        assert_eq!(several, "2030-01-01T00:00:00Z");
    }

    proptest! {
        #[test]
        fn a_note_survives_as_a_tag(note in any::<String>()) {
            let escaped = escape(&note);
            prop_assert!(!escaped.contains([',', '\n', '\r']));
            prop_assert_eq!(escaped.trim(), &escaped);
            prop_assert_eq!(unescape(&escaped), note.clone());
            let pin = Pin { note, ..Pin::default() };
            prop_assert!(pin.tags().iter().all(|tag| is_pin_tag(tag)));
            prop_assert_eq!(Pin::of(&pin.tags()), Some(pin));
        }

        #[test]
        fn tags_of_strangers_are_no_panic(tags in proptest::collection::vec(any::<String>(), 0..4), end in any::<String>()) {
            let mut tags = tags;
            tags.push(format!("pinned-until:{end}"));
            prop_assert!(Pin::of(&tags).is_some());
        }
    }
}
