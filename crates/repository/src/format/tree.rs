//! A tree: the entries of one directory, stored as a blob.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::format::node::NodeFields;
use crate::format::{FormatError, Node};

const WHAT: &str = "tree";

/// The entries of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    /// In the order of their names' bytes, each name once, in trees that [`TreeBuilder`] or restic wrote; other trees
    /// are read as they are.
    pub nodes: Vec<Node>,
}

impl Tree {
    /// Reads the JSON of a tree. Names may be anything: see [`Node::has_safe_name`].
    ///
    /// # Errors
    /// [`FormatError::Json`] if it is none, or a name has a bad escape.
    pub fn decode(json: &[u8]) -> Result<Self, FormatError> {
        let mut nodes = Vec::new();
        Self::decode_each(json, |node| nodes.push(node))?;
        Ok(Self { nodes })
    }

    /// As [`Tree::decode`], but hands each node over as soon as it is read.
    ///
    /// # Errors
    /// As [`Tree::decode`]; `visit` has then been called for the nodes before the damage.
    pub fn decode_each(json: &[u8], mut visit: impl FnMut(Node)) -> Result<(), FormatError> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        TreeSeed(&mut visit)
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end())
            .map_err(|error| FormatError::json(WHAT, &error))
    }

    /// The blob: the JSON as restic 0.18 writes it, with a line feed at its end. Its SHA-256 is the tree's identifier.
    ///
    /// # Errors
    /// As [`TreeBuilder::add`].
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        let mut builder = TreeBuilder::new();
        for node in &self.nodes {
            builder.add(node)?;
        }
        Ok(builder.finish())
    }

    /// The entry of a name; of the first if there are several.
    pub fn find(&self, name: &[u8]) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }
}

/// Writes a tree node by node, without holding the nodes.
#[derive(Debug)]
pub struct TreeBuilder {
    out: Vec<u8>,
    last_name: Option<Vec<u8>>,
}

impl TreeBuilder {
    /// An empty tree.
    pub fn new() -> Self {
        Self {
            out: b"{\"nodes\":[".to_vec(),
            last_name: None,
        }
    }

    /// Adds the next node.
    ///
    /// # Errors
    /// [`FormatError::Value`] if its name does not come after the one before it, or is none (see
    /// [`Node::has_safe_name`]); the tree is as before then.
    pub fn add(&mut self, node: &Node) -> Result<(), FormatError> {
        let refuse = |detail: &str| {
            let name = String::from_utf8_lossy(&node.name);
            Err(FormatError::value(WHAT, format!("{name:?}: {detail}")))
        };
        if !node.has_safe_name() {
            return refuse("no name of a file");
        }
        match &mut self.last_name {
            Some(last) if *last == node.name => return refuse("occurs twice"),
            Some(last) if *last > node.name => return refuse("out of order"),
            Some(last) => {
                last.clone_from(&node.name);
                self.out.push(b',');
            }
            None => self.last_name = Some(node.name.clone()),
        }
        node.push_json(&mut self.out);
        Ok(())
    }

    /// Bytes written so far.
    pub fn length(&self) -> usize {
        self.out.len()
    }

    /// The blob.
    pub fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(b"]}\n");
        self.out
    }
}

impl Default for TreeBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// The object of the whole tree.
struct TreeSeed<'a, F>(&'a mut F);

impl<'de, F: FnMut(Node)> DeserializeSeed<'de> for TreeSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(Node)> Visitor<'de> for TreeSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tree")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut seen = false;
        while let Some(name) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            if name == "nodes" {
                seen = true;
                map.next_value_seed(NodesSeed(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if seen {
            Ok(())
        } else {
            Err(serde::de::Error::missing_field("nodes"))
        }
    }
}

/// The list of nodes, or `null`.
struct NodesSeed<'a, F>(&'a mut F);

impl<'de, F: FnMut(Node)> DeserializeSeed<'de> for NodesSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(Node)> Visitor<'de> for NodesSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of nodes")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        while let Some(fields) = list.next_element::<NodeFields<'de>>()? {
            (self.0)(fields.try_into().map_err(serde::de::Error::custom)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
