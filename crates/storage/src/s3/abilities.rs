//! What a server knows beyond the oldest form of the protocol, as far as its answers have told.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::failure::Refusal;
use super::request::{S3Request, Sum, base64, md5};

/// How the bytes of an upload are vouched for, beside the hash that is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Checksum {
    /// Kept by the server beside the file, and given back with the answer.
    Sha256 = 0,
    /// Known to every server.
    Md5 = 1,
}

/// What becomes of the condition that there is no such file yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Condition {
    Unknown = 0,
    /// The server has refused to write over a file because of it.
    Kept = 1,
    /// The server has written over a file in spite of it.
    Ignored = 2,
    /// The server refuses requests that have it.
    Refused = 3,
}

/// How an upload is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) checksum: Checksum,
    /// Whether the file must be new.
    pub(super) condition: bool,
}

impl Form {
    /// One that more servers know.
    fn simpler(self) -> Option<Self> {
        match self {
            Self {
                checksum: Checksum::Sha256,
                condition,
            } => Some(Self {
                checksum: Checksum::Md5,
                condition,
            }),
            Self {
                checksum,
                condition: true,
            } => Some(Self {
                checksum,
                condition: false,
            }),
            _ => None,
        }
    }

    /// The request in this form.
    pub(super) fn on(self, request: S3Request, sum: &Sum) -> S3Request {
        let request = self.conditioned(request);
        match self.checksum {
            Checksum::Sha256 => request
                .header("x-amz-sdk-checksum-algorithm", "SHA256")
                .header("x-amz-checksum-sha256", base64(sum)),
            Checksum::Md5 => with_md5(request),
        }
    }

    /// The request with the condition alone.
    pub(super) fn conditioned(self, request: S3Request) -> S3Request {
        request.maybe_header("if-none-match", self.condition.then_some("*"))
    }
}

/// The request with the checksum that every server knows.
pub(super) fn with_md5(request: S3Request) -> S3Request {
    let sum = base64(&md5(&request.body));
    request.header("content-md5", sum)
}

/// What is known of a server.
#[derive(Debug)]
pub(super) struct Abilities {
    checksum: AtomicU8,
    condition: AtomicU8,
    /// A file was stored and nothing in the answer showed that all of it was.
    leaves_unconfirmed: AtomicBool,
}

impl Abilities {
    /// Nothing is known, unless it is AWS.
    pub(super) fn new(is_aws: bool) -> Self {
        let condition = if is_aws {
            Condition::Kept
        } else {
            Condition::Unknown
        };
        Self {
            checksum: AtomicU8::new(Checksum::Sha256 as u8),
            condition: AtomicU8::new(condition as u8),
            leaves_unconfirmed: AtomicBool::new(false),
        }
    }

    pub(super) fn checksum(&self) -> Checksum {
        match self.checksum.load(Ordering::Relaxed) {
            0 => Checksum::Sha256,
            _ => Checksum::Md5,
        }
    }

    pub(super) fn learn_checksum(&self, checksum: Checksum) {
        self.checksum.store(checksum as u8, Ordering::Relaxed);
    }

    pub(super) fn condition(&self) -> Condition {
        match self.condition.load(Ordering::Relaxed) {
            0 => Condition::Unknown,
            1 => Condition::Kept,
            2 => Condition::Ignored,
            _ => Condition::Refused,
        }
    }

    /// A server that was once caught does not get its word back.
    pub(super) fn learn_condition(&self, condition: Condition) {
        self.condition.fetch_max(condition as u8, Ordering::Relaxed);
    }

    pub(super) fn confirms(&self) -> bool {
        !self.leaves_unconfirmed.load(Ordering::Relaxed)
    }

    pub(super) fn learn_unconfirmed(&self) {
        self.leaves_unconfirmed.store(true, Ordering::Relaxed);
    }

    fn form(&self, is_new: bool) -> Form {
        Form {
            checksum: self.checksum(),
            condition: is_new && self.condition() != Condition::Refused,
        }
    }

    /// Sends in the form that is known to work, and in simpler ones where the server may not know it. What has worked is
    /// remembered; where nothing does, it was not the form, and the first refusal counts.
    pub(super) async fn in_known_form<T, F>(
        &self,
        is_new: bool,
        send: impl Fn(Form) -> F + Send,
    ) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Refusal>> + Send,
    {
        let mut form = self.form(is_new);
        let mut first: Option<Refusal> = None;
        loop {
            let refusal = match send(form).await {
                Ok(value) => {
                    self.learn(form, is_new);
                    return Ok(value);
                }
                Err(refusal) => refusal,
            };
            match form.simpler() {
                Some(simpler) if refusal.is_about_the_form() => {
                    form = simpler;
                    first.get_or_insert(refusal);
                }
                _ => {
                    if refusal.status == 412 {
                        self.learn(form, is_new);
                    }
                    let was_the_form = refusal.is_about_the_form();
                    return Err(first.filter(|_| was_the_form).unwrap_or(refusal));
                }
            }
        }
    }

    fn learn(&self, form: Form, is_new: bool) {
        self.learn_checksum(form.checksum);
        if is_new && !form.condition {
            self.learn_condition(Condition::Refused);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::failure::Failure;
    use std::sync::Mutex;

    fn refusal(status: u16) -> Refusal {
        let failure = Failure::new(ErrorKind::Unsupported, "no");
        Refusal {
            status,
            ..failure.into()
        }
    }

    /// A server that does not know a header must be usable, and one error must not turn protections off for good.
    #[tokio::test]
    async fn forms_get_simpler_until_one_works_and_only_what_worked_is_remembered() {
        let (sha, md5) = (Checksum::Sha256, Checksum::Md5);
        let form = |checksum, condition| Form {
            checksum,
            condition,
        };
        let all = [form(sha, true), form(md5, true), form(md5, false)];
        for (works, tried, condition) in [
            (form(sha, true), 1, Condition::Unknown),
            (form(md5, true), 2, Condition::Unknown),
            (form(md5, false), 3, Condition::Refused),
        ] {
            let abilities = Abilities::new(false);
            let seen = Mutex::new(Vec::new());
            let send = |form: Form| {
                seen.lock().unwrap().push(form);
                let result = if form == works {
                    Ok(())
                } else {
                    Err(refusal(501))
                };
                std::future::ready(result)
            };
            abilities.in_known_form(true, send).await.unwrap();
            assert_eq!(*seen.lock().unwrap(), all[..tried]);
            assert_eq!(
                (abilities.checksum(), abilities.condition()),
                (works.checksum, condition)
            );
        }
        let abilities = Abilities::new(false);
        for status in [400, 403, 500] {
            let send = |_| std::future::ready(Err::<(), _>(refusal(status)));
            assert!(abilities.in_known_form(true, send).await.is_err());
            assert_eq!(abilities.form(true), form(sha, true), "{status}");
        }
    }

    #[test]
    fn a_server_that_ignored_the_condition_is_not_believed_again() {
        let abilities = Abilities::new(false);
        abilities.learn_condition(Condition::Kept);
        assert_eq!(abilities.condition(), Condition::Kept);
        abilities.learn_condition(Condition::Ignored);
        abilities.learn_condition(Condition::Kept);
        assert_eq!(abilities.condition(), Condition::Ignored);
    }
}
