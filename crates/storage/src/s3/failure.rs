//! What the protocol says otherwise than the table of all kinds.

use crate::failure::Failure;
use crate::http::{HttpResponse, status};
use crate::{ErrorKind, Retry};

use super::xml::Element;

/// An error's document is shorter.
const DOCUMENT_BYTES: u64 = 64 << 10;

/// An answer that is an error, with what has to be known of it beside its kind.
#[derive(Debug)]
pub(super) struct Refusal {
    /// 0 where there was no answer.
    pub(super) status: u16,
    /// The protocol's name of the error; empty where there was none, as in answers to `HEAD`.
    pub(super) code: String,
    /// Where the bucket is, if the server says so.
    pub(super) region: Option<String>,
    pub(super) failure: Failure,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let (code, region) = (String::new(), None);
        Self {
            status: 0,
            code,
            region,
            failure,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        refusal.failure
    }
}

impl Refusal {
    /// Whether fresh keys may help.
    pub(super) fn is_about_credentials(&self) -> bool {
        self.failure.kind == ErrorKind::Unauthenticated && self.code != "RequestTimeTooSkewed"
    }

    /// Whether the server may not know something that a request has beyond the oldest form of the protocol. Servers say it in
    /// several ways, so it is for the caller to find out what.
    pub(super) fn is_about_the_form(&self) -> bool {
        let codes = [
            "",
            "NotImplemented",
            "InvalidArgument",
            "InvalidRequest",
            "InvalidHeader",
        ];
        self.status == 501 || self.status == 400 && codes.contains(&self.code.as_str())
    }
}

/// The error that an answer is. `has_body` is false for an answer to `HEAD`.
pub(super) async fn of(response: HttpResponse, has_body: bool) -> Refusal {
    let (status, pause) = (response.status(), response.retry_after());
    let region = response.header("x-amz-bucket-region").map(str::to_owned);
    let date = response.header("date").map(str::to_owned);
    let body = match has_body {
        true => response
            .read_first(DOCUMENT_BYTES)
            .await
            .unwrap_or_default(),
        false => Default::default(),
    };
    let document = Element::parse(&body).ok();
    let document = document.filter(|document| document.name == "Error");
    let mut refusal = match &document {
        Some(document) => of_document(document, status),
        None => status::failure(status, None, "").into(),
    };
    refusal.status = status;
    refusal.failure.retry_after = pause;
    if refusal.region.is_none() {
        refusal.region = region;
    }
    if refusal.code == "RequestTimeTooSkewed" {
        let difference = date.and_then(|date| clock_difference(&date));
        refusal
            .failure
            .message
            .push_str(&difference.unwrap_or_default());
    }
    if (300..400).contains(&status) && refusal.code.is_empty() {
        let message =
            format!("the server answered {status}: the bucket is reached at another address");
        refusal.failure = Failure::new(ErrorKind::Io, message);
    }
    refusal
}

/// The error in a document, which may also come with a status that promises success.
pub(super) fn of_document(document: &Element, status: u16) -> Refusal {
    let line = |text: &str| -> String {
        let plain = text.chars().filter(|c| !c.is_control());
        plain.take(200).collect()
    };
    let code = line(document.text_of("Code").unwrap_or_default());
    let said = line(document.text_of("Message").unwrap_or_default());
    let general = match status {
        200..=299 => status::failure(500, None, ""),
        _ => status::failure(status, None, ""),
    };
    let (kind, retry, explained) = meaning(&code).unwrap_or((general.kind, general.retry, ""));
    let mut message = format!("the server answered {code}");
    for part in [said.as_str(), explained] {
        if !part.is_empty() {
            message.push_str(": ");
            message.push_str(part.trim_end_matches('.'));
        }
    }
    let failure = match retry {
        Retry::Never => Failure::new(kind, message),
        Retry::Later => Failure::passing(kind, message),
    };
    let region = document.text_of("Region").map(line);
    Refusal {
        status,
        code,
        region,
        failure,
    }
}

/// The names of errors whose meaning the status does not tell, or tells wrong, and what to say about them.
fn meaning(code: &str) -> Option<(ErrorKind, Retry, &'static str)> {
    use ErrorKind as Kind;
    use Retry::{Later, Never};
    Some(match code {
        "NoSuchKey" | "NoSuchVersion" => (Kind::NotFound, Never, ""),
        "NoSuchUpload" => (Kind::NotFound, Never, ""),
        "NoSuchBucket" => (
            Kind::NotFound,
            Never,
            "init makes the bucket where the keys may do so",
        ),
        "AccessDenied" | "AllAccessDisabled" | "UnauthorizedAccess" => (
            Kind::PermissionDenied,
            Never,
            "the rights that are needed stand in the page about this storage",
        ),
        "AccountProblem" | "NotSignedUp" => {
            (Kind::PermissionDenied, Never, "the account needs attention")
        }
        "BucketAlreadyExists" => (
            Kind::PermissionDenied,
            Never,
            "the bucket's name belongs to somebody else; choose another",
        ),
        "ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException" => (
            Kind::Unauthenticated,
            Never,
            "the temporary keys have expired; get fresh ones and run the command again",
        ),
        "InvalidAccessKeyId" | "InvalidClientTokenId" | "UnrecognizedClientException" => (
            Kind::Unauthenticated,
            Never,
            "the server does not know the access key",
        ),
        "SignatureDoesNotMatch" => (
            Kind::Unauthenticated,
            Never,
            "the secret key does not belong to the access key, or the region is wrong (s3.region)",
        ),
        "InvalidToken"
        | "InvalidSecurity"
        | "MissingSecurityHeader"
        | "AuthorizationHeaderMalformed" => (
            Kind::Unauthenticated,
            Never,
            "the server does not take the keys, or the region is wrong (s3.region)",
        ),
        "RequestTimeTooSkewed" => (
            Kind::Unauthenticated,
            Never,
            "the clock of this machine is wrong; set it",
        ),
        "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TooManyRequests"
        | "BandwidthLimitExceeded"
        | "SlowDownRead"
        | "SlowDownWrite" => (Kind::Throttled, Later, ""),
        "ServiceUnavailable" | "Busy" => (Kind::Unreachable, Later, ""),
        "InternalError" | "OperationAborted" | "ConditionalRequestConflict" => {
            (Kind::Io, Later, "")
        }
        "RequestTimeout" => (Kind::TimedOut, Later, ""),
        "BadDigest"
        | "InvalidDigest"
        | "XAmzContentSHA256Mismatch"
        | "XAmzContentChecksumMismatch"
        | "IncompleteBody"
        | "InvalidPart" => (Kind::Mismatch, Later, ""),
        "QuotaExceeded"
        | "XMinioAdminBucketQuotaExceeded"
        | "XMinioStorageFull"
        | "InsufficientCapacity"
        | "StorageQuotaExceeded"
        | "StorageCapExceeded" => (Kind::NoSpace, Never, ""),
        "InvalidObjectState" => (
            Kind::PermissionDenied,
            Never,
            "the file lies in an archive; restore it there first (restore-object of the provider), then run the command again",
        ),
        "InvalidRange" => (Kind::RangeOutside, Never, ""),
        "PreconditionFailed" => (Kind::AlreadyExists, Never, ""),
        "InvalidStorageClass" => (
            Kind::Unsupported,
            Never,
            "the server does not have this storage class (s3.storage-class, s3.metadata-class)",
        ),
        "ObjectLockConfigurationNotFoundError" | "InvalidBucketState" => (
            Kind::Unsupported,
            Never,
            "object lock (s3.lock-mode) needs a bucket that was made with it",
        ),
        "InvalidBucketName" | "EntityTooLarge" | "KeyTooLongError" | "NotImplemented"
        | "MethodNotAllowed" => (Kind::Unsupported, Never, ""),
        "PermanentRedirect" | "TemporaryRedirect" | "IllegalLocationConstraintException" => (
            Kind::Unsupported,
            Never,
            "the bucket is in another region; name it with s3.region, and its server in the address",
        ),
        _ => return None,
    })
}

/// How far the clock of the server is from ours.
fn clock_difference(date: &str) -> Option<String> {
    let theirs = httpdate::parse_http_date(date).ok()?;
    let now = std::time::SystemTime::now();
    let (seconds, which) = match now.duration_since(theirs) {
        Ok(ahead) => (ahead.as_secs(), "ahead of"),
        Err(behind) => (behind.duration().as_secs(), "behind"),
    };
    Some(format!(" (it is {seconds} s {which} the server's)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, code: &str) -> Refusal {
        let text = format!("<Error><Code>{code}</Code><Message>It said.</Message></Error>");
        of_document(&Element::parse(text.as_bytes()).unwrap(), status)
    }

    /// What passes and is not tried again costs a backup; what does not pass and is, locks accounts.
    #[test]
    fn the_name_counts_before_the_status() {
        for (status, code, kind, retry) in [
            (404, "NoSuchBucket", ErrorKind::NotFound, Retry::Never),
            (
                403,
                "AccessDenied",
                ErrorKind::PermissionDenied,
                Retry::Never,
            ),
            (
                400,
                "ExpiredToken",
                ErrorKind::Unauthenticated,
                Retry::Never,
            ),
            (
                403,
                "RequestTimeTooSkewed",
                ErrorKind::Unauthenticated,
                Retry::Never,
            ),
            (
                403,
                "InvalidObjectState",
                ErrorKind::PermissionDenied,
                Retry::Never,
            ),
            (503, "SlowDown", ErrorKind::Throttled, Retry::Later),
            (400, "RequestTimeout", ErrorKind::TimedOut, Retry::Later),
            (400, "BadDigest", ErrorKind::Mismatch, Retry::Later),
            (403, "QuotaExceeded", ErrorKind::NoSpace, Retry::Never),
            (409, "OperationAborted", ErrorKind::Io, Retry::Later),
            (200, "InternalError", ErrorKind::Io, Retry::Later),
            (200, "SomethingNew", ErrorKind::Io, Retry::Later),
            (
                403,
                "SomethingNew",
                ErrorKind::PermissionDenied,
                Retry::Never,
            ),
        ] {
            let failure = refusal(status, code).failure;
            assert_eq!((failure.kind, failure.retry), (kind, retry), "{code}");
            assert!(failure.message.contains(code) && failure.message.contains("It said"));
        }
        assert!(refusal(400, "ExpiredToken").is_about_credentials());
        assert!(!refusal(403, "RequestTimeTooSkewed").is_about_credentials());
        let skewed = clock_difference("Sun, 06 Nov 1994 08:50:00 GMT").unwrap();
        assert!(skewed.contains("ahead of"), "{skewed}");
    }
}
