//! What can happen to a file.

use std::path::Path;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The file is gone.
    Delete,
    /// Its second half is gone; of a header, its last byte.
    Truncate,
    /// One bit of it is another.
    Flip,
    /// It has the content of another file of its kind.
    Swap,
    /// The files of its kind are those of an earlier day.
    Older,
    /// Something is appended.
    Grow,
}

impl Action {
    pub const ALL: [Self; 6] = [
        Self::Delete,
        Self::Truncate,
        Self::Flip,
        Self::Swap,
        Self::Older,
        Self::Grow,
    ];

    /// As the document says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delete => "deleted",
            Self::Truncate => "cut short",
            Self::Flip => "a bit flipped",
            Self::Swap => "another's content",
            Self::Older => "an earlier state",
            Self::Grow => "something appended",
        }
    }
}

/// Where in a file the damage is done.
pub struct Place {
    /// The byte of which a bit is flipped.
    pub flip_at: usize,
    /// What is left when it is cut short.
    pub cut_to: usize,
}

/// Changes the content of a file. It is a new file then, as after a copy; those of a repository are read-only.
pub fn change(path: &Path, work: impl FnOnce(&mut Vec<u8>)) {
    let mut content = std::fs::read(path).unwrap();
    work(&mut content);
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, content).unwrap();
}

/// All but [`Action::Older`], which is about more than one file.
pub fn damage(path: &Path, other: &Path, place: &Place, action: Action) {
    match action {
        Action::Delete => std::fs::remove_file(path).unwrap(),
        Action::Truncate => change(path, |content| content.truncate(place.cut_to)),
        Action::Flip => change(path, |content| content[place.flip_at] ^= 4),
        Action::Swap => {
            let theirs = std::fs::read(other).unwrap();
            change(path, |content| *content = theirs);
        }
        Action::Grow => change(path, |content| content.extend([7; 100])),
        Action::Older => unreachable!("of the whole folder"),
    }
}
