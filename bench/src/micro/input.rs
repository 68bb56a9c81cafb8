//! What the loops work on.

use strongroom_repository::chunker::Polynomial;
use strongroom_repository::format::{Id, Mode, Node, NodeKind, TreeBuilder};

use crate::corpus::pages::{PAGE, Tail, write_page};
use crate::corpus::text::Vocabulary;
use crate::random::Random;

/// A polynomial for the chunker: with another one data is cut in other places.
pub fn polynomial() -> anyhow::Result<Polynomial> {
    Polynomial::new(0x003D_A335_8B4D_C173).map_err(|_| anyhow::anyhow!("a reducible polynomial"))
}

/// Bytes that do not compress.
pub fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    Random::new(1).fill(&mut bytes);
    bytes
}

/// Text.
pub fn text(length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 256);
    Vocabulary::new(1).write(&mut Random::new(1), length, &mut bytes);
    bytes
}

/// Pages of a database.
pub fn pages(length: usize) -> Vec<u8> {
    let words = Vocabulary::new(1);
    let mut bytes = vec![0; length];
    for (number, page) in bytes.chunks_mut(PAGE).enumerate() {
        write_page(1, 0, number as u64, Tail::Full, &words, page);
    }
    bytes
}

/// So many files of one blob each.
pub fn nodes(files: usize) -> Vec<Node> {
    let mut random = Random::new(1);
    let file = |number: usize| {
        let mut node = Node::new(format!("file{number:06}.rs"), NodeKind::File, Mode(0o644));
        node.user = "somebody".to_owned();
        node.group = "somebody".to_owned();
        node.inode = 1_000_000 + number as u64;
        node.size_bytes = random.below(40_000);
        node.links = 1;
        let mut id = [0; 32];
        random.fill(&mut id);
        node.content = Some(vec![Id::from_bytes(id)]);
        node
    };
    (0..files).map(file).collect()
}

/// The tree of a directory with these.
pub fn written(nodes: &[Node]) -> anyhow::Result<Vec<u8>> {
    let mut tree = TreeBuilder::new();
    for node in nodes {
        tree.add(node)?;
    }
    Ok(tree.finish())
}

/// The tree of a directory with so many files.
pub fn tree(files: usize) -> anyhow::Result<Vec<u8>> {
    written(&nodes(files))
}
