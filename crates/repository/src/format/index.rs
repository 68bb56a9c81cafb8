//! A file under `index/`: which blobs lie in which packs.
//!
//! A repository has millions of blobs, so that neither direction holds a file as a tree of values: the decoder calls
//! back for each blob, the encoder appends each pack.

mod scan;

use std::fmt;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::format::go_json::{self, Object};
use crate::format::pack_header::PackedBlob;
use crate::format::{BlobKind, FormatError, Id};

/// Blobs after which restic begins a new index file; larger files are read all the same.
pub const BLOBS_SUGGESTED: usize = 50_000;

/// Reads the JSON of an index file and calls `visit` with the pack and each of its blobs, in the order of the file.
///
/// Returns the identifiers of the index files that this one replaces (old writers alone have that).
///
/// # Errors
/// [`FormatError::Json`] if it is no index. `visit` has then been called for what stood before the damage.
pub fn decode(json: &[u8], mut visit: impl FnMut(&Id, PackedBlob)) -> Result<Vec<Id>, FormatError> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let supersedes = IndexSeed(&mut visit)
        .deserialize(&mut deserializer)
        .and_then(|supersedes| deserializer.end().map(|()| supersedes));
    supersedes.map_err(|error| FormatError::json("index", &error))
}

/// Takes what an index file describes.
pub trait Sink {
    /// The blobs that follow lie in this pack. The same pack may come again.
    fn pack(&mut self, pack: &Id);
    /// The next blob of the pack.
    fn blob(&mut self, blob: PackedBlob);
    /// All that came so far comes again.
    fn restart(&mut self);
}

/// The same as [`decode`] and faster: a file in the usual shape goes through a scanner for that shape alone.
///
/// # Errors
/// Those of [`decode`]; the sink has then got what stood before the damage.
pub fn decode_into(json: &[u8], sink: &mut impl Sink) -> Result<(), FormatError> {
    if scan::scan(json, sink).is_some() {
        return Ok(());
    }
    sink.restart();
    let mut last = None;
    let visit = |pack: &Id, blob| {
        if last != Some(*pack) {
            last = Some(*pack);
            sink.pack(pack);
        }
        sink.blob(blob);
    };
    decode(json, visit).map(|_| ())
}

/// Writes an index file, pack by pack.
pub struct IndexEncoder {
    out: Vec<u8>,
    empty: bool,
}

impl IndexEncoder {
    /// Begins a file.
    pub fn new() -> Self {
        Self {
            out: b"{\"packs\":[".to_vec(),
            empty: true,
        }
    }

    /// Adds a pack with all its blobs.
    pub fn pack<'a>(&mut self, pack: &Id, blobs: impl IntoIterator<Item = &'a PackedBlob>) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        let mut object = Object::begin(&mut self.out);
        object.id("id", pack);
        let list = object.name("blobs");
        list.push(b'[');
        for (index, blob) in blobs.into_iter().enumerate() {
            if index > 0 {
                list.push(b',');
            }
            push_blob(list, blob);
        }
        list.push(b']');
        object.end();
    }

    /// Bytes written so far.
    pub fn length(&self) -> usize {
        self.out.len()
    }

    /// The JSON.
    pub fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(b"]}\n");
        self.out
    }
}

impl Default for IndexEncoder {
    fn default() -> Self {
        Self::new()
    }
}

fn push_blob(out: &mut Vec<u8>, blob: &PackedBlob) {
    let mut object = Object::begin(out);
    object.id("id", &blob.id);
    object.raw(
        "type",
        match blob.kind {
            BlobKind::Data => b"\"data\"",
            BlobKind::Tree => b"\"tree\"",
        },
    );
    go_json::push_u64(object.name("offset"), blob.offset.into());
    go_json::push_u64(object.name("length"), blob.length.into());
    object.number_if(
        "uncompressed_length",
        blob.uncompressed_length
            .map_or(0, |length| length.get().into()),
    );
    object.end();
}

#[derive(Deserialize)]
struct BlobFields {
    id: Id,
    #[serde(rename = "type")]
    kind: BlobKind,
    offset: u32,
    length: u32,
    #[serde(default)]
    uncompressed_length: Option<u32>,
}

impl TryFrom<BlobFields> for PackedBlob {
    type Error = &'static str;

    fn try_from(fields: BlobFields) -> Result<Self, Self::Error> {
        let blob = Self {
            kind: fields.kind,
            id: fields.id,
            offset: fields.offset,
            length: fields.length,
            uncompressed_length: fields.uncompressed_length.and_then(NonZeroU32::new),
        };
        blob.end()
            .map(|_| blob)
            .ok_or("a blob that no pack can hold")
    }
}

/// The object of the whole file.
struct IndexSeed<'a, F>(&'a mut F);

impl<'de, F: FnMut(&Id, PackedBlob)> DeserializeSeed<'de> for IndexSeed<'_, F> {
    type Value = Vec<Id>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Id>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&Id, PackedBlob)> Visitor<'de> for IndexSeed<'_, F> {
    type Value = Vec<Id>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an index")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Vec<Id>, M::Error> {
        let mut supersedes = Vec::new();
        let mut seen_packs = false;
        while let Some(name) = map.next_key::<Name>()? {
            match name {
                Name::Supersedes => {
                    supersedes = map.next_value::<Option<Vec<Id>>>()?.unwrap_or_default()
                }
                Name::Packs => {
                    seen_packs = true;
                    map.next_value_seed(ListSeed(PackSeed(&mut *self.0)))?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if !seen_packs {
            return Err(serde::de::Error::missing_field("packs"));
        }
        Ok(supersedes)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Name {
    Supersedes,
    Packs,
    Id,
    Blobs,
    #[serde(other)]
    Unknown,
}

/// A seed that can be used for each value of a list.
trait EachSeed<'de> {
    fn each<S: SeqAccess<'de>>(&mut self, list: &mut S) -> Result<bool, S::Error>;
}

/// A list (or `null`), each value of which goes to the inner seed.
struct ListSeed<E>(E);

impl<'de, E: EachSeed<'de>> DeserializeSeed<'de> for ListSeed<E> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, E: EachSeed<'de>> Visitor<'de> for ListSeed<E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<Err>(self) -> Result<(), Err> {
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(mut self, mut list: S) -> Result<(), S::Error> {
        while self.0.each(&mut list)? {}
        Ok(())
    }
}

/// One pack of the list.
struct PackSeed<'a, F>(&'a mut F);

impl<'de, F: FnMut(&Id, PackedBlob)> EachSeed<'de> for PackSeed<'_, F> {
    fn each<S: SeqAccess<'de>>(&mut self, list: &mut S) -> Result<bool, S::Error> {
        Ok(list.next_element_seed(PackSeed(&mut *self.0))?.is_some())
    }
}

impl<'de, F: FnMut(&Id, PackedBlob)> DeserializeSeed<'de> for PackSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&Id, PackedBlob)> Visitor<'de> for PackSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pack")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut pack = None;
        // Writers put the identifier first; blobs of one that does not are kept until it comes.
        let mut early = Vec::new();
        while let Some(name) = map.next_key::<Name>()? {
            match (name, pack) {
                (Name::Id, _) => pack = Some(map.next_value::<Id>()?),
                (Name::Blobs, Some(id)) => {
                    map.next_value_seed(ListSeed(BlobSeed(|blob| (self.0)(&id, blob))))?;
                }
                (Name::Blobs, None) => {
                    map.next_value_seed(ListSeed(BlobSeed(|blob| early.push(blob))))?
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let pack = pack.ok_or_else(|| serde::de::Error::missing_field("id"))?;
        for blob in early {
            (self.0)(&pack, blob);
        }
        Ok(())
    }
}

/// One blob of a pack.
struct BlobSeed<F>(F);

impl<'de, F: FnMut(PackedBlob)> EachSeed<'de> for BlobSeed<F> {
    fn each<S: SeqAccess<'de>>(&mut self, list: &mut S) -> Result<bool, S::Error> {
        let Some(fields) = list.next_element::<BlobFields>()? else {
            return Ok(false);
        };
        (self.0)(fields.try_into().map_err(serde::de::Error::custom)?);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
