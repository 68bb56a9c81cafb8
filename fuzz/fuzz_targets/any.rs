//! One executable for all targets, since linking is what takes the time: `STRONGROOM_FUZZ_TARGET` names the one to run.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use strongroom_testkit::{FUZZ_TARGETS, FuzzTarget};

static TARGET: LazyLock<FuzzTarget> = LazyLock::new(|| {
    let name = std::env::var("STRONGROOM_FUZZ_TARGET").unwrap_or_default();
    let found = FUZZ_TARGETS.iter().find(|target| target.name == name);
    *found.unwrap_or_else(|| panic!("STRONGROOM_FUZZ_TARGET={name:?} is no target"))
});

fuzz_target!(|input: &[u8]| (TARGET.run)(input));
