//! What the fuzzers call: one function for each parser of bytes from outside.
//!
//! A function panics where a parser breaks its promise: it panicked itself, or what it read does not survive being
//! written and read again. The same functions run over `fuzz/corpus/` in the normal tests (`tests/fuzz`), and for as long as
//! one likes in `scripts/fuzz`.

mod content;
mod format;
mod own;
mod server;
mod text;

/// One parser, or several that share their input.
#[derive(Clone, Copy)]
pub struct FuzzTarget {
    /// Also the folder of its corpus.
    pub name: &'static str,
    /// The files whose parsers it reaches, below `crates/`. A test holds that none of `format/` is missing.
    pub covers: &'static [&'static str],
    /// Panics if the input shows a mistake.
    pub run: fn(&[u8]),
}

const fn target(name: &'static str, covers: &'static [&'static str], run: fn(&[u8])) -> FuzzTarget {
    FuzzTarget { name, covers, run }
}

/// All of them.
pub const FUZZ_TARGETS: &[FuzzTarget] = &[
    target(
        "config",
        &[
            "repository/src/format/config.rs",
            "repository/src/chunker/polynomial.rs",
        ],
        format::config,
    ),
    target(
        "key_file",
        &[
            "repository/src/format/key_file.rs",
            "repository/src/format/read.rs",
            "repository/src/crypto/kdf.rs",
        ],
        format::key_file,
    ),
    target(
        "master_key",
        &["repository/src/format/key_file.rs"],
        format::master_key,
    ),
    target(
        "snapshot",
        &["repository/src/format/snapshot.rs"],
        format::snapshot,
    ),
    target("lock", &["repository/src/format/lock.rs"], format::lock),
    target(
        "tree",
        &[
            "repository/src/format/tree.rs",
            "repository/src/format/node.rs",
            "repository/src/format/mode.rs",
            "repository/src/format/go_json.rs",
            "repository/src/format/go_quote.rs",
            "repository/src/format/read.rs",
        ],
        format::tree,
    ),
    target("name", &["repository/src/format/go_quote.rs"], format::name),
    target("index", &["repository/src/format/index.rs"], format::index),
    target(
        "pack_header",
        &["repository/src/format/pack_header.rs"],
        format::pack_header,
    ),
    target(
        "unpacked",
        &["repository/src/format/unpacked.rs"],
        format::unpacked,
    ),
    target(
        "frame",
        &["repository/src/compression/zstd_context.rs"],
        content::frame,
    ),
    target(
        "sealed",
        &["repository/src/crypto/master_key.rs"],
        content::sealed,
    ),
    target(
        "chunks",
        &[
            "repository/src/chunker/mod.rs",
            "kernel/src/fingerprint/mod.rs",
        ],
        content::chunks,
    ),
    target("time", &["repository/src/format/time.rs"], text::time),
    target("id", &["repository/src/format/id.rs"], text::id),
    target(
        "pattern",
        &[
            "repository/src/pattern/list.rs",
            "repository/src/pattern/glob.rs",
        ],
        text::pattern,
    ),
    target(
        "pattern_file",
        &["repository/src/pattern/file.rs"],
        text::pattern_file,
    ),
    target("location", &["storage/src/location.rs"], text::location),
    target(
        "path",
        &["storage/src/path.rs", "repository/src/restore/path.rs"],
        text::path,
    ),
    target(
        "option",
        &[
            "repository/src/forget/duration.rs",
            "repository/src/forget/policy.rs",
            "repository/src/check/subset.rs",
            "repository/src/prune/options.rs",
            "repository/src/snapshots/group.rs",
            "repository/src/snapshots/reference.rs",
        ],
        text::option,
    ),
    target(
        "parity_group",
        &[
            "repository/src/format/parity/group.rs",
            "repository/src/format/parity/table.rs",
        ],
        own::parity_group,
    ),
    target(
        "parity_name",
        &["repository/src/format/parity/mod.rs"],
        own::parity_name,
    ),
    target(
        "trash_record",
        &["repository/src/format/trash_record.rs"],
        own::trash_record,
    ),
    target(
        "receipt",
        &["repository/src/format/receipt.rs"],
        own::receipt,
    ),
    target(
        "statement",
        &["repository/src/format/signature.rs"],
        own::statement,
    ),
    target(
        "statement_name",
        &["repository/src/format/signature.rs"],
        own::statement_name,
    ),
    target(
        "signature_key",
        &[
            "repository/src/format/signature_key.rs",
            "repository/src/signature/key.rs",
        ],
        own::signature_key,
    ),
    target(
        "webdav_listing",
        &["storage/src/webdav/multistatus.rs"],
        server::webdav_listing,
    ),
];
