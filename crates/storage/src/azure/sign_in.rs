//! Who signs in, and what a request then carries.

use secrecy::SecretString;

use super::signature::{self, Signed};
use super::token::Identity;
use crate::ErrorKind;
use crate::failure::Failure;
use crate::fresh_secret::{FreshSecret, HeldSecret};
use crate::secret::SecretSource;

/// A way to sign in.
#[derive(Debug)]
pub(super) enum SignIn {
    /// With a key of the account, which signs each request.
    Key(FreshSecret),
    /// With a shared access signature, which is part of each address.
    Signature(FreshSecret),
    /// With a token of Microsoft Entra's. The client fetches it, since that takes requests.
    Token(Identity),
}

impl SignIn {
    pub(super) fn key(source: SecretSource) -> Self {
        Self::Key(FreshSecret::new(source))
    }

    pub(super) fn signature(source: SecretSource) -> Self {
        Self::Signature(FreshSecret::new(source))
    }

    pub(super) fn identity(identity: Identity) -> Self {
        Self::Token(identity)
    }
}

/// Which of the ways a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Key,
    Signature,
    Token,
}

/// What a signed request carries: a header or a piece of its query.
#[derive(Debug)]
pub(super) enum Proof {
    Authorization(SecretString),
    Query(SecretString),
}

impl Way {
    /// What shows for a request that it comes from us.
    pub(super) fn prove(
        self,
        account: &str,
        secret: &HeldSecret,
        request: &Signed<'_>,
    ) -> Result<Proof, Failure> {
        match self {
            Self::Key => {
                let text = signature::string_to_sign(account, request);
                let header = signature::authorization(account, secret.expose(), &text)?;
                Ok(Proof::Authorization(header.into()))
            }
            Self::Token => {
                let header = format!("Bearer {}", secret.expose());
                Ok(Proof::Authorization(header.into()))
            }
            Self::Signature => {
                let text = secret.expose().trim_start_matches('?');
                if !text.contains("sig=") {
                    let message = "what was given as a shared access signature has no part `sig=`";
                    return Err(Failure::new(ErrorKind::Unauthenticated, message));
                }
                Ok(Proof::Query(text.to_owned().into()))
            }
        }
    }
}
