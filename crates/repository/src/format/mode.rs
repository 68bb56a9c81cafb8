use std::fmt;

use crate::format::NodeKind;

/// Permission and type bits in the layout of Go's `os.FileMode`, which the format uses.
///
/// Bits 0 to 8 are the permissions; setuid is bit 23, setgid 22, sticky 20; directory 31, symlink 27, device 26,
/// character device 21, fifo 25, socket 24, irregular 19.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mode(pub u32);

const SETUID: u32 = 1 << 23;
const SETGID: u32 = 1 << 22;
const STICKY: u32 = 1 << 20;
const PERMISSIONS: u32 = 0o777;

impl Mode {
    /// A directory.
    pub const DIR: u32 = 1 << 31;
    /// A symbolic link.
    pub const SYMLINK: u32 = 1 << 27;
    /// A device; a block device unless [`Mode::CHAR_DEVICE`] is set too.
    pub const DEVICE: u32 = 1 << 26;
    /// A named pipe.
    pub const FIFO: u32 = 1 << 25;
    /// A socket.
    pub const SOCKET: u32 = 1 << 24;
    /// With [`Mode::DEVICE`]: a character device.
    pub const CHAR_DEVICE: u32 = 1 << 21;
    /// Something else.
    pub const IRREGULAR: u32 = 1 << 19;

    const TYPE: u32 = Self::DIR
        | Self::SYMLINK
        | Self::DEVICE
        | Self::FIFO
        | Self::SOCKET
        | Self::CHAR_DEVICE
        | Self::IRREGULAR;

    /// From `st_mode` of Unix.
    pub fn from_unix(st_mode: u32) -> Self {
        let kind = match st_mode & 0o170_000 {
            0o100_000 => 0,
            0o040_000 => Self::DIR,
            0o120_000 => Self::SYMLINK,
            0o060_000 => Self::DEVICE,
            0o020_000 => Self::DEVICE | Self::CHAR_DEVICE,
            0o010_000 => Self::FIFO,
            0o140_000 => Self::SOCKET,
            _ => Self::IRREGULAR,
        };
        let mut mode = kind | st_mode & PERMISSIONS;
        for (unix, go) in [(0o4000, SETUID), (0o2000, SETGID), (0o1000, STICKY)] {
            if st_mode & unix != 0 {
                mode |= go;
            }
        }
        Self(mode)
    }

    /// The twelve permission bits of Unix, as `chmod` takes them: with setuid, setgid and sticky.
    pub fn unix_permissions(self) -> u32 {
        let mut permissions = self.0 & PERMISSIONS;
        for (unix, go) in [(0o4000, SETUID), (0o2000, SETGID), (0o1000, STICKY)] {
            if self.0 & go != 0 {
                permissions |= unix;
            }
        }
        permissions
    }

    /// `st_mode` of Unix. An irregular file has no type there: its type bits are zero.
    pub fn to_unix(self) -> u32 {
        let kind = match self.0 & Self::TYPE {
            0 => 0o100_000,
            Self::DIR => 0o040_000,
            Self::SYMLINK => 0o120_000,
            Self::DEVICE => 0o060_000,
            kind if kind == Self::DEVICE | Self::CHAR_DEVICE => 0o020_000,
            Self::FIFO => 0o010_000,
            Self::SOCKET => 0o140_000,
            _ => 0,
        };
        kind | self.unix_permissions()
    }

    /// What the type bits say that the entry is.
    pub fn kind(self) -> NodeKind {
        match self.0 & Self::TYPE {
            0 => NodeKind::File,
            Self::DIR => NodeKind::Dir,
            Self::SYMLINK => NodeKind::Symlink,
            Self::DEVICE => NodeKind::BlockDevice,
            kind if kind == Self::DEVICE | Self::CHAR_DEVICE => NodeKind::CharDevice,
            Self::FIFO => NodeKind::Fifo,
            Self::SOCKET => NodeKind::Socket,
            _ => NodeKind::Other("irregular".into()),
        }
    }
}

/// The text that Go and restic show: `drwxr-xr-x`, `urw-r--r--`, `Dcrw-rw-rw-`.
impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = |letters: &str, highest: u32| -> String {
            let places = letters.chars().zip((0..=highest).rev());
            places
                .filter(|(_, bit)| self.0 >> bit & 1 == 1)
                .map(|(letter, _)| letter)
                .collect()
        };
        // One letter a bit from the highest down; those between `l` and `?` that Unix does not have are Plan 9's.
        let kind = letters("dalTLDpSugct?", 31);
        f.write_str(if kind.is_empty() { "-" } else { &kind })?;
        for (letter, bit) in "rwxrwxrwx".chars().zip((0..=8).rev()) {
            write!(f, "{}", if self.0 >> bit & 1 == 1 { letter } else { '-' })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unix_mode_comes_back() {
        for kind in [
            0o100_000, 0o040_000, 0o120_000, 0o060_000, 0o020_000, 0o010_000, 0o140_000,
        ] {
            for permissions in 0..0o10_000 {
                let mode = Mode::from_unix(kind | permissions);
                assert_eq!(mode.to_unix(), kind | permissions);
                assert_eq!(mode.unix_permissions(), permissions);
            }
        }
    }

    #[test]
    fn modes_are_shown_as_go_shows_them() {
        for (st_mode, kind, text) in [
            (0o100_644, NodeKind::File, "-rw-r--r--"),
            (0o040_755, NodeKind::Dir, "drwxr-xr-x"),
            (0o041_777, NodeKind::Dir, "dtrwxrwxrwx"),
            (0o104_644, NodeKind::File, "urw-r--r--"),
            (0o106_755, NodeKind::File, "ugrwxr-xr-x"),
            (0o120_777, NodeKind::Symlink, "Lrwxrwxrwx"),
            (0o020_666, NodeKind::CharDevice, "Dcrw-rw-rw-"),
            (0o060_660, NodeKind::BlockDevice, "Drw-rw----"),
            (0o010_600, NodeKind::Fifo, "prw-------"),
            (0o140_755, NodeKind::Socket, "Srwxr-xr-x"),
            (0o000_000, NodeKind::Other("irregular".into()), "?---------"),
        ] {
            let mode = Mode::from_unix(st_mode);
            assert_eq!(mode.to_string(), text);
            assert_eq!(mode.kind(), kind);
        }
    }

    #[test]
    fn bits_that_unix_does_not_have_are_harmless() {
        for mode in [u32::MAX, 1 << 30, Mode::DIR | Mode::SYMLINK] {
            assert_eq!(
                Mode(mode).to_unix() & 0o170_000,
                if mode == 1 << 30 { 0o100_000 } else { 0 }
            );
            assert!(!Mode(mode).to_string().is_empty());
        }
    }
}
