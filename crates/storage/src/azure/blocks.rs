//! A file as blocks.

use bytes::Bytes;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

/// Most blocks of a blob.
const MOST: usize = 50_000;

/// The bytes of a block's name. All names of a blob's blocks have to be of the same length; restic's have this one, too, so that
/// what one of us has begun is not in the way of the other.
const NAME_BYTES: usize = 16;

/// A piece of a file.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// In Base64. Says what is in the block and where it belongs, so that a block of this name need not be sent again.
    pub(super) name: String,
    pub(super) data: Bytes,
}

/// Cuts a file into blocks of a size, or of a larger one where there would be too many.
pub(super) fn cut(data: &Bytes, block_bytes: usize) -> Vec<Block> {
    let size = block_bytes.max(data.len().div_ceil(MOST)).max(1);
    let starts = (0..data.len()).step_by(size);
    let blocks = starts.map(|start| {
        let end = start.saturating_add(size).min(data.len());
        let piece = data.slice(start..end);
        let hash = Sha256::new_with_prefix((start as u64).to_le_bytes());
        let hash = hash.chain_update(&piece).finalize();
        let name = hash.get(..NAME_BYTES).unwrap_or(&hash);
        Block {
            name: BASE64.encode(name),
            data: piece,
        }
    });
    blocks.collect()
}

/// The body that makes a blob of blocks.
pub(super) fn list(blocks: &[Block]) -> Bytes {
    let mut body = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for block in blocks {
        // Base64 has no letter with a meaning here.
        body.push_str(&format!("<Uncommitted>{}</Uncommitted>", block.name));
    }
    body.push_str("</BlockList>");
    Bytes::from(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block that is taken for another one makes a file of the right size with the wrong content.
    #[test]
    fn blocks_are_the_file_and_no_two_have_the_same_name() {
        let data = Bytes::from(vec![7; 1000]);
        let blocks = cut(&data, 300);
        let sizes: Vec<_> = blocks.iter().map(|block| block.data.len()).collect();
        assert_eq!(sizes, [300, 300, 300, 100]);
        let names: std::collections::BTreeSet<_> = blocks.iter().map(|b| &b.name).collect();
        assert_eq!(names.len(), 4, "equal content in other places");
        assert!(names.iter().all(|name| name.len() == 24));
        assert_eq!(cut(&data, 300)[1].name, blocks[1].name);
        assert_eq!(cut(&Bytes::from(vec![0; 200_000]), 1).len(), MOST);
        let text = String::from_utf8(list(&blocks).to_vec()).unwrap();
        assert_eq!(text.matches("<Uncommitted>").count(), 4);
    }
}
