//! A node: one entry of a tree with all that is known of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::format::go_json::{self, Object};
use crate::format::read::{self, Base64, Text};
use crate::format::{Id, Mode, Time, go_quote};

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A block device (`dev` in the format).
    BlockDevice,
    /// A character device (`chardev`).
    CharDevice,
    /// A named pipe.
    Fifo,
    /// A Unix socket.
    Socket,
    /// A kind that this program does not know; kept as it was read.
    Other(Box<str>),
}

impl NodeKind {
    /// Its word in the format.
    pub fn as_str(&self) -> &str {
        match self {
            Self::File => "file",
            Self::Dir => "dir",
            Self::Symlink => "symlink",
            Self::BlockDevice => "dev",
            Self::CharDevice => "chardev",
            Self::Fifo => "fifo",
            Self::Socket => "socket",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for NodeKind {
    fn from(word: &str) -> Self {
        match word {
            "file" => Self::File,
            "dir" => Self::Dir,
            "symlink" => Self::Symlink,
            "dev" => Self::BlockDevice,
            "chardev" => Self::CharDevice,
            "fifo" => Self::Fifo,
            "socket" => Self::Socket,
            other => Self::Other(other.into()),
        }
    }
}

/// An extended attribute; ACLs are the attributes `system.posix_acl_access` and `system.posix_acl_default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendedAttribute {
    /// Its name with the name space. restic holds it as text; bytes that are not UTF-8 cannot be kept.
    pub name: String,
    /// Its value.
    pub value: Vec<u8>,
}

/// An entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// File name as raw bytes, without any folder.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: NodeKind,
    /// Permissions and type.
    pub mode: Mode,
    /// Last change of the content.
    pub mtime: Time,
    /// Last read.
    pub atime: Time,
    /// Last change of the metadata.
    pub ctime: Time,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Owner's name; empty where it has none.
    pub user: String,
    /// Group's name; empty where it has none.
    pub group: String,
    /// Inode number on the source.
    pub inode: u64,
    /// Number of the source's file system.
    pub device_id: u64,
    /// Bytes of a regular file; zero otherwise.
    pub size_bytes: u64,
    /// Number of hard links.
    pub links: u64,
    /// What a symbolic link points to; raw bytes.
    pub link_target: Vec<u8>,
    /// Extended attributes, ACLs among them.
    pub extended_attributes: Vec<ExtendedAttribute>,
    /// Attributes of other systems (Windows), kept as they were read: name and JSON.
    pub generic_attributes: BTreeMap<String, String>,
    /// Number of a device node (`st_rdev`).
    pub device: u64,
    /// Blobs of a file's content in order; `None` for what is no file.
    pub content: Option<Vec<Id>>,
    /// The tree of a directory.
    pub subtree: Option<Id>,
    /// What went wrong when the entry was read; empty if nothing did.
    pub error: String,
}

impl Node {
    /// A node of which only name, kind and mode are known; all times are Go's zero time, 0001-01-01.
    pub fn new(name: impl Into<Vec<u8>>, kind: NodeKind, mode: Mode) -> Self {
        Self {
            name: name.into(),
            kind,
            mode,
            mtime: Time::default(),
            atime: Time::default(),
            ctime: Time::default(),
            uid: 0,
            gid: 0,
            user: String::new(),
            group: String::new(),
            inode: 0,
            device_id: 0,
            size_bytes: 0,
            links: 0,
            link_target: Vec::new(),
            extended_attributes: Vec::new(),
            generic_attributes: BTreeMap::new(),
            device: 0,
            content: None,
            subtree: None,
            error: String::new(),
        }
    }

    /// Whether the name is that of one entry of a directory: not empty, `.` or `..`, without `/` and NUL.
    ///
    /// Whoever makes a path of names that were read from a repository must ask: a hostile one leads out of the target.
    pub fn has_safe_name(&self) -> bool {
        !matches!(self.name.as_slice(), b"" | b"." | b"..")
            && !self.name.iter().any(|byte| matches!(byte, b'/' | 0))
    }

    /// Appends the node's JSON, byte for byte as restic 0.18 writes it.
    pub(crate) fn push_json(&self, out: &mut Vec<u8>) {
        let mut object = Object::begin(out);
        object.string("name", &go_quote::quote(&self.name));
        object.string("type", self.kind.as_str().as_bytes());
        object.number_if("mode", self.mode.0.into());
        object.time("mtime", &self.mtime);
        object.time("atime", &self.atime);
        object.time("ctime", &self.ctime);
        object.number("uid", self.uid.into());
        object.number("gid", self.gid.into());
        object.string_if("user", self.user.as_bytes());
        object.string_if("group", self.group.as_bytes());
        object.number_if("inode", self.inode);
        object.number_if("device_id", self.device_id);
        object.number_if("size", self.size_bytes);
        object.number_if("links", self.links);
        object.string_if("linktarget", &self.link_target);
        if std::str::from_utf8(&self.link_target).is_err() {
            object.base64("linktarget_raw", &self.link_target);
        }
        if !self.extended_attributes.is_empty() {
            object.list(
                "extended_attributes",
                &self.extended_attributes,
                push_attribute,
            );
        }
        if !self.generic_attributes.is_empty() {
            let mut attributes = Object::begin(object.name("generic_attributes"));
            for (name, json) in &self.generic_attributes {
                attributes.escaped_raw(name, json.as_bytes());
            }
            attributes.end();
        }
        object.number_if("device", self.device);
        match &self.content {
            Some(ids) => object.list("content", ids, go_json::push_id),
            None => object.raw("content", b"null"),
        }
        object.id_if("subtree", self.subtree.as_ref());
        object.string_if("error", self.error.as_bytes());
        object.end();
    }
}

fn push_attribute(out: &mut Vec<u8>, attribute: &ExtendedAttribute) {
    let mut object = Object::begin(out);
    object.string("name", attribute.name.as_bytes());
    object.base64("value", &attribute.value);
    object.end();
}

/// A node as it stands in JSON. Numbers and times may be missing, as Go's decoder allows; name and kind may not.
#[derive(Deserialize)]
pub(crate) struct NodeFields<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(default)]
    mode: u32,
    #[serde(default)]
    mtime: Time,
    #[serde(default)]
    atime: Time,
    #[serde(default)]
    ctime: Time,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
    #[serde(borrow, default)]
    user: Text<'a>,
    #[serde(borrow, default)]
    group: Text<'a>,
    #[serde(default)]
    inode: u64,
    #[serde(default)]
    device_id: u64,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    links: u64,
    #[serde(borrow, default)]
    linktarget: Text<'a>,
    #[serde(default)]
    linktarget_raw: Option<Base64>,
    #[serde(borrow, default, deserialize_with = "read::null_is_default")]
    extended_attributes: Vec<AttributeFields<'a>>,
    #[serde(borrow, default, deserialize_with = "read::null_is_default")]
    generic_attributes: BTreeMap<String, &'a RawValue>,
    #[serde(default)]
    device: u64,
    #[serde(default)]
    content: Option<Vec<Id>>,
    #[serde(default)]
    subtree: Option<Id>,
    #[serde(borrow, default)]
    error: Text<'a>,
}

#[derive(Deserialize)]
struct AttributeFields<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(default)]
    value: Base64,
}

impl TryFrom<NodeFields<'_>> for Node {
    type Error = String;

    /// Fails if the name is no valid escaped name.
    fn try_from(fields: NodeFields<'_>) -> Result<Self, String> {
        let name = match fields.name.0 {
            Cow::Borrowed(name) if !name.contains(['\\', '"']) => name.as_bytes().to_vec(),
            name => go_quote::unquote(&name)
                .ok_or_else(|| format!("bad escape in the name {name:?}"))?,
        };
        Ok(Self {
            name,
            kind: NodeKind::from(&*fields.kind.0),
            mode: Mode(fields.mode),
            mtime: fields.mtime,
            atime: fields.atime,
            ctime: fields.ctime,
            uid: fields.uid,
            gid: fields.gid,
            user: fields.user.0.into_owned(),
            group: fields.group.0.into_owned(),
            inode: fields.inode,
            device_id: fields.device_id,
            size_bytes: fields.size,
            links: fields.links,
            link_target: match fields.linktarget_raw {
                Some(raw) => raw.0,
                None => fields.linktarget.0.into_owned().into_bytes(),
            },
            extended_attributes: fields
                .extended_attributes
                .into_iter()
                .map(Into::into)
                .collect(),
            generic_attributes: fields
                .generic_attributes
                .into_iter()
                .map(|(name, json)| (name, json.get().to_owned()))
                .collect(),
            device: fields.device,
            content: fields.content,
            subtree: fields.subtree,
            error: fields.error.0.into_owned(),
        })
    }
}

impl From<AttributeFields<'_>> for ExtendedAttribute {
    fn from(fields: AttributeFields<'_>) -> Self {
        Self {
            name: fields.name.0.into_owned(),
            value: fields.value.0,
        }
    }
}
