//! What a server can do beyond the draft, as it says when a session begins.

use bytes::Bytes;

use super::reply;

/// What every server takes in one piece (the draft's 34,000 bytes a packet, less the rest of the packet).
const PIECE_BYTES: u32 = 32 << 10;

/// We ask for no larger piece, whatever the server would take: 255 KiB, which is what OpenSSH takes.
pub(super) const PIECE_BYTES_MAX: u32 = 255 << 10;

/// Extensions and limits of a server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Features {
    /// `posix-rename@openssh.com`: renaming replaces, in one step.
    pub(super) rename_replacing: bool,
    /// `hardlink@openssh.com`: a second name for a file, refused where the name is taken.
    pub(super) link: bool,
    /// `fsync@openssh.com`
    pub(super) sync: bool,
    /// `statvfs@openssh.com`
    pub(super) file_system: bool,
    /// `limits@openssh.com`
    pub(super) limits: bool,
    /// Bytes of one read.
    pub(super) read_bytes: u32,
    /// Bytes of one write.
    pub(super) write_bytes: u32,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            rename_replacing: false,
            link: false,
            sync: false,
            file_system: false,
            limits: false,
            read_bytes: PIECE_BYTES,
            write_bytes: PIECE_BYTES,
        }
    }
}

impl Features {
    /// Of the extensions that a server names. Their data is a version, which is not looked at: it has been the same
    /// for each of them for as long as they exist.
    pub(super) fn named(extensions: &[(Bytes, Bytes)]) -> Self {
        let has = |name: &str| extensions.iter().any(|(known, _)| known == name.as_bytes());
        Self {
            rename_replacing: has("posix-rename@openssh.com"),
            link: has("hardlink@openssh.com"),
            sync: has("fsync@openssh.com"),
            file_system: has("statvfs@openssh.com"),
            limits: has("limits@openssh.com"),
            ..Self::default()
        }
    }

    /// Takes over what the server says of its limits, where that is neither nothing nor too much.
    pub(super) fn learn_limits(&mut self, answer: Bytes) {
        let Some((_, read, write)) = reply::decode_limits(answer) else {
            return;
        };
        let piece = |limit: u64, before: u32| match u32::try_from(limit).unwrap_or(u32::MAX) {
            0 => before,
            limit => limit.min(PIECE_BYTES_MAX),
        };
        self.read_bytes = piece(read, self.read_bytes);
        self.write_bytes = piece(write, self.write_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limit of zero bytes would be an upload that never ends; one of 4 GiB a packet that no server takes.
    #[test]
    fn limits_are_taken_within_reason() {
        let answer = |numbers: [u64; 4]| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
            let mut features = Features::default();
            features.learn_limits(Bytes::from(bytes));
            (features.read_bytes, features.write_bytes)
        };
        assert_eq!(answer([0, 0, 0, 0]), (PIECE_BYTES, PIECE_BYTES));
        assert_eq!(answer([1, 1, 4096, 0]), (1, 4096));
        assert_eq!(
            answer([0, u64::MAX, 1 << 40, 0]),
            (PIECE_BYTES_MAX, PIECE_BYTES_MAX)
        );
        let mut features = Features::default();
        features.learn_limits(Bytes::from_static(b"short"));
        assert_eq!(features.read_bytes, PIECE_BYTES);
    }
}
