//! Signing in: what is sent along with a request, and what follows from a refusal.

use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::digest::{self, Challenge, Offer, What, Who};
use super::failure::{self, Refusal};
use crate::ErrorKind;
use crate::failure::Failure;
use crate::http::{HttpRequest, HttpResponse};
use crate::secret::SecretSource;

/// A nonce that is older is fetched anew before a large body is sent with it. Servers take them for five minutes and more;
/// one that does not is sent some bodies twice.
const NONCE_AGE: Duration = Duration::from_secs(60);

/// Who signs in. What is secret is fetched when it is first needed.
#[derive(Debug, Clone)]
pub(crate) enum Credentials {
    None,
    Password {
        user: String,
        password: Option<SecretSource>,
    },
    Token(SecretSource),
}

impl Credentials {
    /// Whether anybody signs in.
    pub(super) fn are_given(&self) -> bool {
        !matches!(self, Self::None)
    }

    fn source(&self) -> Option<&SecretSource> {
        match self {
            Self::None => None,
            Self::Password { password, .. } => password.as_ref(),
            Self::Token(token) => Some(token),
        }
    }
}

/// How the server wants it.
#[derive(Debug, Clone)]
enum Way {
    /// No answer has told.
    Unknown,
    Basic,
    Bearer,
    Digest {
        challenge: Challenge,
        since: Instant,
        /// Requests that were signed with this nonce.
        count: u32,
        was_accepted: bool,
    },
}

#[derive(Debug)]
struct State {
    way: Way,
    secret: Option<SecretString>,
    /// Changes with either of them, so that a call knows whether another has changed them meanwhile.
    number: u64,
    was_accepted: bool,
    has_asked: bool,
}

/// What a request was signed with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed {
    number: u64,
    is_signed: bool,
    /// The secret was fetched for this request.
    is_fresh: bool,
}

impl Signed {
    /// Whether the secret was fetched for this request.
    pub(super) fn is_fresh(self) -> bool {
        self.is_fresh
    }
}

/// The sign-in of all requests to a server.
#[derive(Debug)]
pub(super) struct SignIn {
    credentials: Credentials,
    state: Mutex<State>,
}

impl SignIn {
    /// On a line that nobody can read the password is sent before it is asked for: that saves a round trip, and a server
    /// that lets everybody read would ask for it no sooner than with the first file.
    pub(super) fn new(credentials: Credentials, line_is_private: bool) -> Self {
        let way = match &credentials {
            Credentials::Token(_) => Way::Bearer,
            Credentials::Password { .. } if line_is_private => Way::Basic,
            _ => Way::Unknown,
        };
        Self {
            credentials,
            state: Mutex::new(State {
                way,
                secret: None,
                number: 0,
                was_accepted: false,
                has_asked: false,
            }),
        }
    }

    /// Whether the server should be asked how to sign in before a large body is sent; answers so once for each reason.
    pub(super) async fn must_ask(&self) -> bool {
        let mut state = self.state.lock().await;
        match &mut state.way {
            Way::Unknown if self.credentials.are_given() => {
                !std::mem::replace(&mut state.has_asked, true)
            }
            Way::Digest { since, .. } if since.elapsed() > NONCE_AGE => {
                *since = Instant::now();
                true
            }
            _ => false,
        }
    }

    /// Takes the challenge of an answer to a request that was not signed.
    pub(super) async fn learn(&self, response: &HttpResponse) {
        let offers = digest::offers(&response.headers("www-authenticate"));
        let mut state = self.state.lock().await;
        if let Some(way) = way_of(&offers)
            && response.status() == 401
            && !matches!(state.way, Way::Bearer)
        {
            state.way = way;
            state.number += 1;
        }
    }

    /// The request with what signs it in.
    pub(super) async fn sign(
        &self,
        request: HttpRequest,
    ) -> Result<(HttpRequest, Signed), Failure> {
        let mut state = self.state.lock().await;
        let mut signed = Signed {
            number: state.number,
            is_signed: false,
            is_fresh: false,
        };
        if matches!(state.way, Way::Unknown) || !self.credentials.are_given() {
            return Ok((request, signed));
        }
        // The lock is held while it is fetched, so that a command which asks a person asks once.
        let secret = match &state.secret {
            Some(secret) => secret.clone(),
            None => {
                let fetched = match self.credentials.source() {
                    Some(source) => source.obtain().await?,
                    None => SecretString::default(),
                };
                signed.is_fresh = true;
                state.secret.insert(fetched).clone()
            }
        };
        signed.is_signed = true;
        let user = match &self.credentials {
            Credentials::Password { user, .. } => user.as_str(),
            _ => "",
        };
        let header = match &mut state.way {
            Way::Unknown => return Ok((request, signed)),
            Way::Bearer => format!("Bearer {}", secret.expose_secret()),
            Way::Basic => {
                let pair = format!("{user}:{}", secret.expose_secret());
                format!("Basic {}", BASE64.encode(pair.as_bytes()))
            }
            Way::Digest {
                challenge, count, ..
            } => {
                *count = count.saturating_add(1);
                let url = request.url();
                let uri = match url.query() {
                    Some(query) => format!("{}?{query}", url.path()),
                    None => url.path().to_owned(),
                };
                let who = Who {
                    user,
                    password: secret.expose_secret(),
                };
                let what = What {
                    method: request.method(),
                    uri: &uri,
                };
                challenge.answer(who, what, &client_nonce()?, *count)
            }
        };
        Ok((request.secret_header("authorization", header), signed))
    }

    /// The server took it.
    pub(super) async fn accepted(&self, signed: Signed) {
        let mut state = self.state.lock().await;
        if !signed.is_signed || signed.number != state.number {
            return;
        }
        state.was_accepted = true;
        if let Way::Digest { was_accepted, .. } = &mut state.way {
            *was_accepted = true;
        }
    }

    /// The server answered 401. `Ok` where the request may be signed and sent again; `was_fetched` says whether the secret was
    /// fetched for this very call, and so cannot be had fresher.
    pub(super) async fn refused(
        &self,
        signed: Signed,
        was_fetched: bool,
        response: &HttpResponse,
    ) -> Result<(), Failure> {
        let offers = digest::offers(&response.headers("www-authenticate"));
        let mut state = self.state.lock().await;
        if !self.credentials.are_given() {
            return Err(failure::refused(Refusal::NoCredentials));
        }
        if signed.number != state.number {
            return Ok(());
        }
        let offered = match state.way {
            Way::Bearer => Some(Way::Bearer),
            _ => way_of(&offers),
        };
        let goes_on = match (&state.way, &offered) {
            (Way::Unknown, Some(_)) => true,
            // It was sent before it was asked for, and the server wants it otherwise.
            (Way::Basic, Some(Way::Digest { .. })) => true,
            (Way::Digest { .. }, Some(Way::Basic)) => true,
            // Some servers do not say that a nonce is too old, so one that was good counts as such.
            (Way::Digest { was_accepted, .. }, Some(Way::Digest { challenge, .. })) => {
                challenge.is_stale || *was_accepted
            }
            _ => false,
        };
        let source = self.credentials.source();
        let may_change = !was_fetched && source.is_some_and(SecretSource::can_change);
        if !goes_on && !may_change {
            let why = match (offered, state.was_accepted) {
                (None, _) if !offers.is_empty() && !offers.contains(&Offer::Basic) => {
                    Refusal::UnknownWay
                }
                (_, true) => Refusal::Expired,
                _ => Refusal::Wrong,
            };
            return Err(failure::refused(why));
        }
        if !goes_on {
            state.secret = None;
        }
        if let Some(way) = offered {
            state.way = way;
        }
        state.number += 1;
        Ok(())
    }
}

/// The best way that is offered and known.
fn way_of(offers: &[Offer]) -> Option<Way> {
    if let Some(challenge) = digest::strongest(offers) {
        return Some(Way::Digest {
            challenge: challenge.clone(),
            since: Instant::now(),
            count: 0,
            was_accepted: false,
        });
    }
    offers.contains(&Offer::Basic).then_some(Way::Basic)
}

fn client_nonce() -> Result<String, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|e| Failure::new(ErrorKind::Io, format!("no random number: {e}")))?;
    Ok(HEXLOWER.encode(&random))
}
