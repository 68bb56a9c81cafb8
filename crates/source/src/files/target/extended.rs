//! Extended attributes and ACLs of an entry.

use rustix::io::{Errno, Result};
use strongroom_repository::format::ExtendedAttribute;
use strongroom_repository::restore::AttributeFilter;

use rustix::fs::{FileType, Mode};

use super::object::Object;

/// The extended attributes that an entry shall have.
pub(super) struct Change<'a> {
    pub(super) object: &'a Object<'a>,
    pub(super) wanted: &'a [ExtendedAttribute],
    pub(super) filter: &'a AttributeFilter,
    pub(super) fresh: bool,
    pub(super) privileged: bool,
}

/// What became of a [`Change`].
pub(super) struct Changed {
    /// Something was set or removed, or the attempt was made: the mode may be another now, since an ACL is a part of it.
    pub(super) any: bool,
    /// How many could not be set because this user may not, or because the target does not know them.
    pub(super) withheld: u64,
}

impl Change<'_> {
    /// Sets what the entry should have and removes what it should not.
    pub(super) fn apply(&self) -> Result<Changed> {
        let mut withheld = 0;
        let mut writable = false;
        let present = self.present()?;
        for name in present
            .split(|&byte| byte == 0)
            .filter(|name| !name.is_empty())
        {
            let keep = !std::str::from_utf8(name).is_ok_and(|text| self.filter.selects(text))
                || self
                    .wanted
                    .iter()
                    .any(|attribute| attribute.name.as_bytes() == name)
                || stays(name);
            if !keep {
                self.make_writable(&mut writable)?;
                self.tolerate(self.object.remove_extended(name), &mut withheld)?;
            }
        }
        for attribute in self.wanted {
            if !self.filter.selects(&attribute.name) || self.has(attribute) {
                continue;
            }
            self.make_writable(&mut writable)?;
            let set = if attribute.name.as_bytes().contains(&0) {
                Err(Errno::INVAL)
            } else {
                self.object.set_extended(&attribute.name, &attribute.value)
            };
            self.tolerate(set, &mut withheld)?;
        }
        Ok(Changed {
            any: writable,
            withheld,
        })
    }

    fn present(&self) -> Result<Vec<u8>> {
        let mut names = vec![0; 256];
        loop {
            match self.object.list_extended(&mut names) {
                Ok(length) => {
                    names.truncate(length);
                    return Ok(names);
                }
                Err(Errno::RANGE) => names.resize(names.len().saturating_mul(8), 0),
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(Vec::new()),
                // Symbolic links and the like, where there is no /proc.
                Err(Errno::NOENT) if self.wanted.is_empty() => return Ok(Vec::new()),
                Err(errno) => return Err(errno),
            }
        }
    }

    fn has(&self, attribute: &ExtendedAttribute) -> bool {
        if self.fresh {
            return false;
        }
        let mut value = vec![0; attribute.value.len() + 1];
        match self.object.get_extended(&attribute.name, &mut value) {
            Ok(length) => value.get(..length) == Some(attribute.value.as_slice()),
            Err(_) => false,
        }
    }

    /// The owner of a read-only file needs its write bit to change attributes of his own. The mode is set afterwards.
    fn make_writable(&self, done: &mut bool) -> Result<()> {
        let mode = self.object.mode();
        let needed = !*done
            && !self.privileged
            && self.object.kind() != FileType::Symlink
            && self.object.is_mine()
            && !mode.contains(Mode::WUSR);
        *done = true;
        if needed {
            self.object.chmod(mode | Mode::WUSR)
        } else {
            Ok(())
        }
    }

    fn tolerate(&self, result: Result<()>, withheld: &mut u64) -> Result<()> {
        match result {
            Err(Errno::NODATA) => Ok(()),
            Err(Errno::PERM | Errno::ACCESS) if !self.privileged => {
                *withheld += 1;
                Ok(())
            }
            Err(Errno::OPNOTSUPP) => {
                *withheld += 1;
                Ok(())
            }
            other => other,
        }
    }
}

/// Labels that the system's security modules give to every entry by themselves; they go only when replaced.
fn stays(name: &[u8]) -> bool {
    name.starts_with(b"security.") && name != b"security.capability"
}
