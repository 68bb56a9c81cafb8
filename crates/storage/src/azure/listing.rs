//! What the service lists: "List Blobs" and "Get Block List" of its REST reference.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::key_prefix::KeyPrefix;
use crate::{ErrorKind, FileInfo};

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "Blobs", default)]
    blobs: Blobs,
    #[serde(rename = "NextMarker", default)]
    next: String,
}

#[derive(Deserialize, Default)]
struct Blobs {
    #[serde(rename = "Blob", default)]
    blobs: Vec<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: String,
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(rename = "Content-Length")]
    length: u64,
    /// Accounts with folders list these, too.
    #[serde(rename = "ResourceType", default)]
    resource: String,
}

/// The files of a page, and the marker of the next where there is one.
pub(super) fn of_page(
    prefix: &KeyPrefix,
    body: &Bytes,
) -> Result<(Vec<FileInfo>, Option<String>), Failure> {
    let page: Page = parsed(body, "<EnumerationResults")?;
    let files = page.blobs.blobs.into_iter();
    let files = files.filter(|blob| blob.properties.resource != "directory");
    let files = files.filter_map(|blob| {
        let path = prefix.path(&blob.name)?;
        let size_bytes = blob.properties.length;
        Some(FileInfo { path, size_bytes })
    });
    let next = Some(page.next).filter(|marker| !marker.is_empty());
    Ok((files.collect(), next))
}

#[derive(Deserialize)]
struct BlockList {
    #[serde(rename = "UncommittedBlocks", default)]
    uncommitted: Blocks,
}

#[derive(Deserialize, Default)]
struct Blocks {
    #[serde(rename = "Block", default)]
    blocks: Vec<Block>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Block {
    name: String,
    size: u64,
}

/// The sizes of blocks that no list names yet, by their names.
pub(super) fn of_blocks(body: &Bytes) -> Result<BTreeMap<String, u64>, Failure> {
    let list: BlockList = parsed(body, "<BlockList")?;
    let blocks = list.uncommitted.blocks.into_iter();
    Ok(blocks.map(|block| (block.name, block.size)).collect())
}

/// The root is asked for by name: a page of somebody on the way, which has none of our elements, must not be an empty listing.
fn parsed<T: DeserializeOwned>(body: &Bytes, root: &str) -> Result<T, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        let message = format!("the listing is not in the service's form: {why}");
        Failure::passing(ErrorKind::Mismatch, message)
    };
    let text = std::str::from_utf8(body).map_err(|error| wrong(&error))?;
    if !text.contains(root) {
        return Err(wrong(&"it is something else"));
    }
    quick_xml::de::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A listing with a hole costs snapshots.
    #[test]
    fn pages_are_read_and_nonsense_is_an_error() {
        let prefix = KeyPrefix::parse("a").unwrap();
        let page = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"https://x/\" \
            ContainerName=\"c\"><Prefix>a/</Prefix><Blobs>\
            <Blob><Name>a/data/ab/abcd</Name><Properties><Content-Length>7</Content-Length><Etag>0x1</Etag></Properties></Blob>\
            <Blob><Name>a/data</Name><Properties><Content-Length>0</Content-Length><ResourceType>directory</ResourceType></Properties></Blob>\
            <Blob><Name>a/what &amp; ever</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>\
            <Blob><Name Encoded=\"true\">a/x%0B</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>\
            <Blob><Name>a/config</Name><Properties><Content-Length>3</Content-Length></Properties><OrMetadata /></Blob>\
            </Blobs><NextMarker>2!x&amp;y</NextMarker></EnumerationResults>";
        let (files, next) = of_page(&prefix, &Bytes::from(page)).unwrap();
        let files: Vec<_> = files
            .iter()
            .map(|file| (file.path.as_str(), file.size_bytes))
            .collect();
        assert_eq!(files, [("data/ab/abcd", 7), ("config", 3)]);
        assert_eq!(next.as_deref(), Some("2!x&y"));
        let last = "<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>";
        let (files, next) = of_page(&prefix, &Bytes::from(last)).unwrap();
        assert!(files.is_empty() && next.is_none());
        for wrong in [
            "",
            "<html></html>",
            "<EnumerationResults><Blobs><Blob><Name>a/x</Name></Blob></Blobs></EnumerationResults>",
        ] {
            let error = of_page(&prefix, &Bytes::from(wrong)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Mismatch, "{wrong}");
        }
    }

    #[test]
    fn blocks_that_wait_are_read() {
        let list = "<?xml version=\"1.0\"?><BlockList><CommittedBlocks><Block><Name>AA==</Name><Size>1</Size></Block></CommittedBlocks>\
            <UncommittedBlocks><Block><Name>AQ==</Name><Size>5</Size></Block><Block><Name>Ag==</Name><Size>6</Size></Block>\
            </UncommittedBlocks></BlockList>";
        let blocks = of_blocks(&Bytes::from(list)).unwrap();
        let expected = [("AQ==".to_owned(), 5), ("Ag==".to_owned(), 6)];
        assert_eq!(blocks, BTreeMap::from(expected));
        let none = "<BlockList><CommittedBlocks /></BlockList>";
        assert!(of_blocks(&Bytes::from(none)).unwrap().is_empty());
    }
}
