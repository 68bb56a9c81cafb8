//! Packs of which everything is known, and what becomes of them. A rule that is turned round removes too much, or rewrites
//! all of a repository for nothing.

use std::sync::Arc;

use secrecy::SecretString;
use strongroom_storage::MemoryStorage;
use tokio_util::sync::CancellationToken;

use super::{Action, decide};
use crate::compression::Level;
use crate::crypto::{KdfParams, KeyOwner};
use crate::format::{Id, RepositoryVersion, Time};
use crate::progress::Silent;
use crate::prune::figures::{Amounts, PruneFigures};
use crate::prune::options::{MaxUnused, PruneOptions};
use crate::prune::select::PackUse;
use crate::repository::{CreateOptions, Settings};
use crate::{ErrorKind, Repository, Result};

use Action::{Forget, Keep, Remove, Repack};

const MIB: u64 = 1 << 20;
/// A 25th of a pack of 16 MiB: below that a pack is rewritten whatever it costs.
const VERY_SMALL_BYTES: u64 = 671_088;

async fn repository(version: RepositoryVersion, settings: Settings) -> Repository {
    let owner = KeyOwner {
        created: Time::utc(jiff::Timestamp::UNIX_EPOCH),
        username: "tester".into(),
        hostname: "testhost".into(),
    };
    let options = CreateOptions {
        version,
        kdf: KdfParams { n: 2, r: 1, p: 1 },
        owner,
        polynomial: None,
        settings,
        threads: 1,
    };
    let storage = Arc::new(MemoryStorage::new());
    let password = SecretString::from("correct horse");
    Repository::create(storage, &password, &options)
        .await
        .unwrap()
}

/// A whole pack of data with so many blobs of a mebibyte.
fn data(used: u64, unused: u64) -> PackUse {
    let mut pack = sized(used * MIB, unused * MIB);
    (pack.used_blobs, pack.unused_blobs) = (used, unused);
    pack
}

/// One with one blob of each kind that is not empty.
fn sized(used_bytes: u64, unused_bytes: u64) -> PackUse {
    let mut pack = PackUse::default();
    pack.shape.has_data = true;
    (pack.used_bytes, pack.unused_bytes) = (used_bytes, unused_bytes);
    pack.used_blobs = u64::from(used_bytes > 0);
    pack.unused_blobs = u64::from(unused_bytes > 0);
    (pack.exists, pack.is_whole) = (true, true);
    pack
}

fn with(mut pack: PackUse, change: impl FnOnce(&mut PackUse)) -> PackUse {
    change(&mut pack);
    pack
}

fn trees(used: u64, unused: u64) -> PackUse {
    with(data(used, unused), |pack| {
        (pack.shape.has_data, pack.shape.has_trees) = (false, true);
    })
}

fn mixed(used: u64, unused: u64) -> PackUse {
    with(data(used, unused), |pack| pack.shape.has_trees = true)
}

fn uncompressed(pack: PackUse) -> PackUse {
    with(pack, |pack| pack.shape.has_uncompressed = true)
}

fn max_unused(bytes: u64) -> PruneOptions {
    PruneOptions {
        max_unused: MaxUnused::Bytes(bytes),
        ..PruneOptions::default()
    }
}

fn unlimited() -> PruneOptions {
    PruneOptions {
        max_unused: MaxUnused::Unlimited,
        ..PruneOptions::default()
    }
}

async fn try_decide(
    version: RepositoryVersion,
    packs: &[PackUse],
    options: &PruneOptions,
) -> Result<(Vec<Action>, PruneFigures)> {
    let mut figures = PruneFigures::default();
    for pack in packs {
        figures.used.add(pack.used_blobs, pack.used_bytes);
        figures.unused.add(pack.unused_blobs, pack.unused_bytes);
    }
    // Where nothing else decides, the lower name goes first.
    let mut ids: Vec<Id> = (0..packs.len()).map(|n| Id::of(&n.to_le_bytes())).collect();
    ids.sort_unstable();
    let repository = repository(version, Settings::default()).await;
    let actions = decide(&repository, &ids, packs, options, &mut figures)?;
    Ok((actions, figures))
}

async fn decided(packs: &[PackUse], options: &PruneOptions) -> Vec<Action> {
    let decided = try_decide(RepositoryVersion::V2, packs, options).await;
    decided.unwrap().0
}

#[tokio::test]
async fn what_is_used_of_a_pack_decides_what_becomes_of_it_and_is_counted() {
    let gone = with(data(0, 1), |pack| {
        (pack.exists, pack.is_whole) = (false, false)
    });
    let packs = [data(2, 0), data(1, 1), data(0, 2), gone];
    let decided = try_decide(RepositoryVersion::V2, &packs, &max_unused(0)).await;
    let (actions, figures) = decided.unwrap();
    assert_eq!(actions, [Keep, Repack, Remove, Forget]);
    let amounts = |blobs| Amounts {
        blobs,
        bytes: blobs * MIB,
    };
    let expected = PruneFigures {
        used: amounts(3),
        unused: amounts(4),
        repack: amounts(2),
        repack_removes: amounts(1),
        remove: amounts(3),
        packs_used: 1,
        packs_partly_used: 1,
        packs_unused: 1,
        packs_keep: 1,
        packs_repack: 1,
        packs_remove: 1,
        packs_forget: 1,
        ..PruneFigures::default()
    };
    assert_eq!(figures, expected);
}

/// A pack that a snapshot needs is missing or cut off: to go on would make it worse.
#[tokio::test]
async fn nothing_is_decided_where_a_needed_pack_is_damaged_and_only_there() {
    let cut = |pack| with(pack, |pack| pack.is_whole = false);
    for pack in [data(1, 0), data(1, 1), trees(1, 0)] {
        let refused = try_decide(RepositoryVersion::V2, &[cut(pack)], &unlimited()).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Damaged);
    }
    assert_eq!(decided(&[cut(data(0, 1))], &unlimited()).await, [Remove]);
}

#[tokio::test]
async fn unused_data_may_stay_up_to_the_limit_and_the_largest_share_of_it_goes_first() {
    let packs = [data(9, 1), data(1, 9), data(5, 5)];
    let at_limit = decided(&packs, &max_unused(6 * MIB)).await;
    assert_eq!(at_limit, [Keep, Repack, Repack]);
    let below = decided(&packs, &max_unused(6 * MIB + 1)).await;
    assert_eq!(below, [Keep, Repack, Keep]);
    // The share counts, and not the difference.
    let packs = [data(20, 12), data(5, 2)];
    let decided = decided(&packs, &max_unused(3 * MIB)).await;
    assert_eq!(decided, [Repack, Keep]);
}

#[tokio::test]
async fn less_is_rewritten_than_the_limit_says_and_what_matters_most_first() {
    let at_most = |bytes| PruneOptions {
        max_repack_bytes: Some(bytes),
        ..max_unused(0)
    };
    let three = [data(1, 1), data(1, 1), data(1, 1)];
    let at_limit = decided(&three, &at_most(4 * MIB)).await;
    assert_eq!(at_limit, [Repack, Keep, Keep]);
    let below = decided(&three, &at_most(4 * MIB + 1)).await;
    assert_eq!(below, [Repack, Repack, Keep]);
    // Trees before data, and small packs before large ones, whatever their shares are.
    let packs = [data(1, 9), trees(1, 1)];
    assert_eq!(decided(&packs, &at_most(11 * MIB)).await, [Keep, Repack]);
    let packs = [data(1, 9), sized(300_000, 300_000)];
    let options = at_most(10 * MIB + 600_000);
    assert_eq!(decided(&packs, &options).await, [Keep, Repack]);
    let packs = [data(1, 9), sized(VERY_SMALL_BYTES - 101, 100)];
    let options = at_most(10 * MIB + VERY_SMALL_BYTES - 1);
    assert_eq!(decided(&packs, &options).await, [Keep, Repack]);
    let packs = [data(1, 9), sized(VERY_SMALL_BYTES - 100, 100)];
    let options = at_most(10 * MIB + VERY_SMALL_BYTES);
    assert_eq!(decided(&packs, &options).await, [Repack, Keep]);
}

/// Trees are read by every command, so they are kept together whatever may stay of data.
#[tokio::test]
async fn packs_of_trees_are_cleaned_whatever_may_stay_and_of_data_only_where_that_is_asked() {
    let packs = [data(1, 1), trees(1, 1), mixed(1, 0), trees(1, 0)];
    let expected = [Keep, Repack, Repack, Keep];
    assert_eq!(decided(&packs, &unlimited()).await, expected);
    let all = decided(&packs, &max_unused(0)).await;
    assert_eq!(all, [Repack, Repack, Repack, Keep]);
    let cacheable = PruneOptions {
        repack_cacheable_only: true,
        ..max_unused(0)
    };
    assert_eq!(decided(&packs, &cacheable).await, expected);
}

#[tokio::test]
async fn trees_are_compressed_always_data_where_asked_and_nothing_in_version_1() {
    let packs = [
        uncompressed(data(1, 0)),
        uncompressed(trees(1, 0)),
        data(1, 0),
    ];
    let decide = async |version, options: &PruneOptions| {
        let (actions, figures) = try_decide(version, &packs, options).await.unwrap();
        (actions, figures.uncompressed_bytes)
    };
    let asked = PruneOptions {
        repack_uncompressed: true,
        ..unlimited()
    };
    let (v1, v2) = (RepositoryVersion::V1, RepositoryVersion::V2);
    let plain = decide(v2, &unlimited()).await;
    assert_eq!(plain, (vec![Keep, Repack, Keep], MIB));
    assert_eq!(decide(v2, &asked).await, (vec![Repack, Repack, Keep], 0));
    assert_eq!(decide(v1, &unlimited()).await, (vec![Keep; 3], 0));
    // What is gone is not counted, though the index says that it was not compressed.
    let gone = with(uncompressed(data(0, 1)), |pack| pack.exists = false);
    let (_, figures) = try_decide(v2, &[gone], &unlimited()).await.unwrap();
    assert_eq!(figures.uncompressed_bytes, 0);
}

/// Many small packs cost a request each; a few are not worth the trouble.
#[tokio::test]
async fn ten_small_packs_are_merged_and_small_is_what_was_asked_for() {
    let small = PruneOptions {
        repack_small: true,
        ..unlimited()
    };
    let below = |bytes| PruneOptions {
        repack_smaller_than_bytes: Some(bytes),
        ..small.clone()
    };
    let four_fifths = (16 * MIB) / 5 * 4;
    for (options, limit) in [
        (unlimited(), VERY_SMALL_BYTES),
        (small.clone(), four_fifths),
        (below(0), four_fifths),
        (below(2_000_000), 2_000_000),
    ] {
        let packs = [sized(limit - 1, 0); 10];
        assert_eq!(decided(&packs, &options).await, [Repack; 10], "{limit}");
        assert_eq!(decided(&packs[..9], &options).await, [Keep; 9], "{limit}");
        assert_eq!(decided(&[sized(limit, 0); 10], &options).await, [Keep; 10]);
    }
    // One of which something is unused needs no company.
    let (alone, large) = (
        sized(VERY_SMALL_BYTES - 2, 1),
        sized(VERY_SMALL_BYTES - 1, 1),
    );
    assert_eq!(decided(&[alone], &unlimited()).await, [Repack]);
    assert_eq!(decided(&[large], &unlimited()).await, [Keep]);
}

/// What would be rewritten by every prune, and never be as it was asked for.
#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    let refused = async |version, compression, options: &PruneOptions| {
        let settings = Settings {
            compression,
            ..Settings::default()
        };
        let repository = repository(version, settings).await;
        let cancel = CancellationToken::new();
        match repository.plan_prune(options, &Silent, &cancel).await {
            Ok(_) => false,
            Err(error) => error.kind() == ErrorKind::Invalid,
        }
    };
    let (v1, v2) = (RepositoryVersion::V1, RepositoryVersion::V2);
    let compressing = PruneOptions {
        repack_uncompressed: true,
        ..PruneOptions::default()
    };
    let below = |bytes| PruneOptions {
        repack_smaller_than_bytes: Some(bytes),
        ..PruneOptions::default()
    };
    for (version, level, options, expected) in [
        (v1, Level::Auto, PruneOptions::default(), false),
        (v2, Level::Off, PruneOptions::default(), false),
        (v2, Level::Auto, compressing.clone(), false),
        (v1, Level::Auto, compressing.clone(), true),
        (v2, Level::Off, compressing, true),
        (v2, Level::Auto, below(16 * MIB), false),
        (v2, Level::Auto, below(16 * MIB + 1), true),
    ] {
        let is_refused = refused(version, level, &options).await;
        assert_eq!(is_refused, expected, "{version:?} {options:?}");
    }
}
