//! Signatures as the command line uses them: keys from options and environment, the memory of chains, and what a command
//! does with what a verification finds.

mod keys;
mod memory;
mod verify;

use std::sync::{Arc, Mutex, PoisonError};

use strongroom_repository::Repository;
use strongroom_repository::clock::SystemClock;
use strongroom_repository::format::Id;
use strongroom_repository::signature::{Signer, VerifyingKey};

use crate::context::Context;
use crate::error::{Error, Result};

pub use keys::write_new;
pub use verify::{Selected, result, tell, tell_vouch};

/// From so many statements on a run is noticeably slower on a storage far away.
const STATEMENTS_MANY: usize = 1000;

/// The signers of this run, each with the repository that it signs.
#[derive(Default)]
pub struct Signing {
    /// The command writes, so that what it publishes and removes is to be signed.
    pub signs: bool,
    signers: Mutex<Vec<(Id, Arc<Signer>)>>,
}

impl Signing {
    /// Of a command.
    pub fn new(signs: bool) -> Self {
        Self {
            signs,
            signers: Mutex::default(),
        }
    }
}

impl Context {
    /// Gives a repository that is written to its signer, where a key that signs was given.
    pub fn with_signer(&self, repository: Repository) -> Result<Repository> {
        if !self.signing.signs {
            return Ok(repository);
        }
        let Some(key) = keys::signing_key(self)? else {
            return Ok(repository);
        };
        let id = repository.config().id;
        let signer = Arc::new(Signer::new(
            key,
            keys::verifying_keys(self)?,
            self.remembered(&id)?,
            Arc::new(SystemClock),
        ));
        let signers = self.signing.signers.lock();
        signers
            .unwrap_or_else(PoisonError::into_inner)
            .push((id, Arc::clone(&signer)));
        Ok(repository.with_signer(signer))
    }

    /// The keys to verify with: those given for that, and of a command that signs its own.
    pub fn verifying_keys(&self) -> Result<Vec<VerifyingKey>> {
        let mut keys = keys::verifying_keys(self)?;
        if self.signing.signs {
            keys.extend(keys::signing_key(self)?.map(|key| key.verifying_key()));
        }
        Ok(keys)
    }

    /// Whether what nobody has signed is refused.
    pub fn requires_signatures(&self) -> bool {
        let variable = self.environment.variable("STRONGROOM_REQUIRE_SIGNATURES");
        let no = ["0", "no", "false"].map(std::ffi::OsStr::new);
        self.global.require_signatures || variable.is_some_and(|value| !no.contains(&value))
    }

    /// Keeps what the signers have seen, and says what was strange about it.
    pub fn remember_signed(&self) {
        let signers = self.signing.signers.lock();
        let signers = signers.unwrap_or_else(PoisonError::into_inner);
        for (repository, signer) in signers.iter() {
            let heads = signer.heads();
            if heads.is_empty() {
                continue;
            }
            if !signer.missing().is_empty() {
                self.output.warning(
                    "the repository was put back to an earlier state, or is a copy that went another way: \
                     statements that were seen here before are missing; run `strongroom sign verify`",
                );
            }
            for key in signer.unknown_keys() {
                let key = key.short();
                self.output.warning(&format!(
                    "signatures of the key {key} were passed over; give its public key by --verify-key"
                ));
            }
            if signer.statements() > STATEMENTS_MANY {
                self.output.note(format_args!(
                    "each run reads {} signed statements; `strongroom sign compact` puts one in place of all",
                    signer.statements()
                ));
            }
            let known: Vec<_> = signer.remembered().to_vec();
            let missing = signer.missing();
            let covered = known.into_iter().filter(|link| !missing.contains(link));
            self.remember(repository, &heads, &covered.collect::<Vec<_>>());
        }
    }

    /// Fails where signatures are required and there is no key to verify them with.
    pub fn keys_where_required(&self) -> Result<Vec<VerifyingKey>> {
        let keys = self.verifying_keys()?;
        if keys.is_empty() && self.requires_signatures() {
            return Err(Error::usage(
                "signatures are required, and there is no key to verify them with",
            )
            .hint("give --verify-key FILE, or set STRONGROOM_VERIFY_KEY_FILE"));
        }
        Ok(keys)
    }
}
