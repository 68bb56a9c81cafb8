//! From a request to its answer: who asks, for what, and whether they may.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HeaderName, RANGE, WWW_AUTHENTICATE};
use hyper::{Method, Request, StatusCode};
use strongroom_storage::rest::protocol::WRITE_HEADER;

use crate::accounts::Accounts;
use crate::address::{Address, Target};
use crate::answer::{self, Answer};
use crate::files::{Files, Shared};
use crate::observer::{Event, Observer};
use crate::repositories::{InTheWay, Repositories};
use crate::upload::Asked;

const METRICS: &str = "/metrics";

/// Answers requests.
pub(crate) struct Service {
    pub(crate) repositories: Repositories,
    pub(crate) shared: Shared,
    pub(crate) accounts: Option<Accounts>,
    pub(crate) private_repositories: bool,
    pub(crate) has_metrics: bool,
    pub(crate) observer: Observer,
}

impl Service {
    /// The answer, whatever the request is.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let method = request.method().as_str().to_owned();
        let path = request.uri().path().to_owned();
        let (user, answer) = self.signed_in(request).await;
        let answer = answer::ours(answer);
        let status = answer.status().as_u16();
        self.shared.metrics.answered(&method, status);
        (self.observer)(&Event::Answered {
            user,
            method,
            path,
            status,
        });
        answer
    }

    async fn signed_in(&self, request: Request<Incoming>) -> (Option<String>, Answer) {
        let Some(accounts) = &self.accounts else {
            let answer = self.allowed(request, None).await;
            return (None, answer);
        };
        let header = header(&request, &AUTHORIZATION).unwrap_or_default();
        match accounts.sign_in(header, &self.observer).await {
            Some(user) => {
                let answer = self.allowed(request, Some(&user)).await;
                (Some(user), answer)
            }
            None => {
                let answer = answer::refusal(StatusCode::UNAUTHORIZED, "sign in first");
                let realm = "Basic realm=\"strongroom\", charset=\"UTF-8\"";
                (None, answer::with(answer, WWW_AUTHENTICATE.as_str(), realm))
            }
        }
    }

    async fn allowed(&self, request: Request<Incoming>, user: Option<&str>) -> Answer {
        if self.has_metrics && request.uri().path() == METRICS {
            let page = self.shared.metrics.page(self.shared.space.used_bytes());
            return answer::text(StatusCode::OK, "text/plain; version=0.0.4", page);
        }
        let Some(address) = Address::parse(request.uri().path()) else {
            return answer::empty(StatusCode::NOT_FOUND);
        };
        if self.private_repositories && (user.is_none() || address.owner() != user) {
            let why = "a repository here lies below the name of its user";
            return answer::refusal(StatusCode::FORBIDDEN, why);
        }
        let repository = address.repository.as_ref();
        if address.target == Target::Repository {
            return self.on_repository(&request, &address).await;
        }
        let files = Files {
            shared: &self.shared,
            storage: self.repositories.open(repository),
            user,
        };
        on_files(&files, request, address.target).await
    }

    async fn on_repository(&self, request: &Request<Incoming>, address: &Address) -> Answer {
        let repository = address.repository.as_ref();
        let creates = request.uri().query() == Some("create=true");
        match (request.method(), creates) {
            (&Method::POST, true) => match self.repositories.create(repository).await {
                Ok(Ok(())) => answer::empty(StatusCode::OK),
                Ok(Err(in_the_way)) => {
                    let why = match in_the_way {
                        InTheWay::Above => "this place lies inside another repository",
                        InTheWay::Below => "this place holds something that is no repository",
                    };
                    answer::refusal(StatusCode::FORBIDDEN, why)
                }
                Err(error) => answer::of_error(&error),
            },
            (&Method::GET | &Method::HEAD, _) => match self.repositories.exists(repository) {
                true => answer::empty(StatusCode::OK),
                false => answer::no_repository(),
            },
            _ => answer::empty(StatusCode::METHOD_NOT_ALLOWED),
        }
    }
}

async fn on_files(files: &Files<'_>, request: Request<Incoming>, target: Target) -> Answer {
    let not_allowed = || answer::empty(StatusCode::METHOD_NOT_ALLOWED);
    let (path, is_ours) = match target {
        Target::File(path) => (path, false),
        Target::AnyFile(path) => (path, true),
        Target::Folder(folder) if request.method() == Method::GET => {
            return files.list(folder, header(&request, &ACCEPT)).await;
        }
        Target::Below(folder) if request.method() == Method::GET => {
            return files.list_below(folder.as_ref()).await;
        }
        _ => return not_allowed(),
    };
    match *request.method() {
        Method::HEAD => files.head(&path).await,
        Method::GET => files.get(&path, header(&request, &RANGE)).await,
        Method::DELETE => files.delete(&path).await,
        Method::POST => {
            let length = header(&request, &CONTENT_LENGTH).and_then(|length| length.parse().ok());
            let (head, body) = request.into_parts();
            let mode = head.headers.get(WRITE_HEADER);
            let asked = match is_ours {
                true => Asked::ours(mode.and_then(|mode| mode.to_str().ok())),
                false => Some(Asked::Plain),
            };
            match asked {
                Some(asked) => files.post(&path, asked, length, body).await,
                None => answer::refusal(StatusCode::BAD_REQUEST, "say whether the file is new"),
            }
        }
        _ => not_allowed(),
    }
}

fn header<'a>(request: &'a Request<Incoming>, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}
