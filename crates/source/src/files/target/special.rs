//! Symbolic links, devices, pipes, sockets, and further names of a file.

use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::Errno;
use strongroom_repository::format::{Node, NodeKind};
use strongroom_repository::restore::{
    Attributes, Place, TargetErrorKind, TargetPath, TargetResult, Withheld, partial_name,
};

use super::Inner;
use super::attributes::Origin;
use super::failure::{During, Failure, fail};
use super::object::Object;
use super::place;

/// Makes an entry under its partial name, gives it its attributes and then its name.
pub(super) fn create(
    target: &Inner,
    path: &TargetPath,
    node: &Node,
    place: Place,
    attributes: &Attributes,
) -> TargetResult<Withheld> {
    let at = target.dirs.parent(path)?;
    let partial = partial_name(at.name);
    place::clear(&at.dir, &partial).map_err(|errno| at.explain(path, "replace", errno))?;
    let make = |kind, device| {
        rustix::fs::mknodat(&at.dir, &partial[..], kind, Mode::RUSR | Mode::WUSR, device)
    };
    let made = match &node.kind {
        NodeKind::Symlink => rustix::fs::symlinkat(&node.link_target[..], &at.dir, &partial[..]),
        NodeKind::Fifo => make(FileType::Fifo, 0),
        NodeKind::Socket => make(FileType::Socket, 0),
        NodeKind::BlockDevice => make(FileType::BlockDevice, node.device),
        NodeKind::CharDevice => make(FileType::CharacterDevice, node.device),
        NodeKind::File | NodeKind::Dir | NodeKind::Other(_) => {
            let message = format!("entries of the kind {:?} are not known here", node.kind);
            return Err(fail(TargetErrorKind::Unsupported, path, "create", message));
        }
    };
    made.map_err(|errno| at.explain(path, "create", errno))?;
    let finished = Object::open(&at.dir, &partial)
        .during(path, "open")
        .and_then(|object| {
            target
                .apply(&object, node, attributes, Origin::Made)
                .map_err(|(during, errno)| Failure::from(errno).at(path, during))
        })
        .and_then(|withheld| {
            place::settle(&at.dir, &partial, at.name, place)
                .map_err(|errno| at.explain(path, "rename", errno))?;
            Ok(withheld)
        });
    if finished.is_err() {
        let _ = place::clear(&at.dir, &partial);
    }
    finished
}

/// Gives a file another name. The name appears in one step, in place of what had it.
pub(super) fn link(
    target: &Inner,
    original: &TargetPath,
    link: &TargetPath,
    place: Place,
) -> TargetResult<()> {
    let from = target.dirs.parent(original)?;
    let at = target.dirs.parent(link)?;
    let partial = partial_name(at.name);
    place::clear(&at.dir, &partial).map_err(|errno| at.explain(link, "replace", errno))?;
    rustix::fs::linkat(
        &from.dir,
        from.name,
        &at.dir,
        &partial[..],
        AtFlags::empty(),
    )
    .map_err(|errno| match errno {
        Errno::PERM | Errno::MLINK | Errno::XDEV => {
            let message = format!(
                "the target allows no (further) hard link here: {}",
                std::io::Error::from(errno)
            );
            fail(TargetErrorKind::Unsupported, link, "link", message)
        }
        errno => at.explain(link, "link", errno),
    })?;
    let settled = place::settle(&at.dir, &partial, at.name, place)
        .map_err(|errno| at.explain(link, "rename", errno));
    // Renaming a name over another of the same file leaves both.
    let cleared = place::clear(&at.dir, &partial).during(link, "remove the partial name of");
    settled.and(cleared)
}
