//! What `ncdu -f -` reads: nested arrays, a directory's own entry first (format 1.2 of its manual).

use serde_json::{Value, json};
use strongroom_repository::format::{Mode, Node, NodeKind};
use strongroom_repository::snapshots::SnapshotFile;
use strongroom_repository::walk::{Step, Walk};

use crate::context::Context;
use crate::error::Result;
use crate::output::snapshot;

/// Prints the tree; returns the number of errors on the way.
pub async fn export(file: &SnapshotFile, mut walk: Walk, context: &Context) -> Result<u64> {
    let output = &context.output;
    let mut errors = 0;
    // ncdu reads no new-lines between the parts, so each line may end with any of them.
    output.result(format_args!(
        "[1, 2, {}, [{{\"name\":\"/\"}}",
        snapshot::json(file)?
    ))?;
    while let Some(step) = walk.next().await? {
        match step {
            Step::Entry(entry) if entry.node.kind == NodeKind::Dir => {
                output.result(format_args!(",[{}", value(&entry.node)))?;
                if entry.node.subtree.is_none() {
                    output.result("]")?;
                }
            }
            Step::Entry(entry) => output.result(format_args!(",{}", value(&entry.node)))?,
            // The root's own end comes below.
            Step::Left(path) if path == b"/" => {}
            Step::Left(_) => output.result("]")?,
            Step::Damage(damage) => {
                errors += 1;
                super::tell_damage(&damage, context);
            }
        }
    }
    output.result("]]")?;
    Ok(errors)
}

fn value(node: &Node) -> Value {
    const BLOCK_BYTES: u64 = 512;
    let allocated = node
        .size_bytes
        .div_ceil(BLOCK_BYTES)
        .saturating_mul(BLOCK_BYTES);
    json!({
        "name": String::from_utf8_lossy(&node.name),
        "asize": node.size_bytes, "dsize": allocated,
        "dev": node.device_id, "ino": node.inode, "nlink": node.links,
        "notreg": !matches!(node.kind, NodeKind::File | NodeKind::Dir),
        "uid": node.uid, "gid": node.gid, "mode": unix_mode(node.mode),
        "mtime": node.mtime.instant().as_second().max(0),
    })
}

/// Permissions with the setuid, setgid and sticky bits, as `stat` has them.
fn unix_mode(mode: Mode) -> u32 {
    let bit = |from: u32, to: u32| (mode.0 >> from & 1) << to;
    (mode.0 & 0o777) | bit(23, 11) | bit(22, 10) | bit(20, 9)
}
