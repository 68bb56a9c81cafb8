//! The address of a server as people write it, apart from what identifies them.

use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::LocationError;
use crate::secret::SecretSource;

/// An `http` or `https` address whose path ends with a slash, and the user and password that it came with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    url: Url,
    user: Option<String>,
    password: Option<SecretSource>,
}

impl BaseUrl {
    /// Reads an address; `example` shows a right one where this is none.
    pub(crate) fn parse(text: &str, example: &str) -> Result<Self, LocationError> {
        let malformed = |what: &str| LocationError::malformed(what, example);
        let is_http = ["http://", "https://"].iter().any(|scheme| {
            text.get(..scheme.len())
                .is_some_and(|t| t.eq_ignore_ascii_case(scheme))
        });
        if !is_http {
            return Err(malformed(
                "the address does not begin with http:// or https://",
            ));
        }
        // What the library says is about the form alone and repeats nothing.
        let mut url =
            Url::parse(text).map_err(|e| malformed(&format!("the address is wrong: {e}")))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(malformed("an address has no `?` and no `#`"));
        }
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = Some(decoded(url.username())).filter(|user| !user.is_empty());
        let password = url
            .password()
            .map(|text| SecretSource::value(decoded(text)));
        // Both fail only for addresses without a host, which the schemes above exclude.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self {
            url,
            user,
            password,
        })
    }

    /// The address.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The user.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password.
    pub(crate) fn password(&self) -> Option<&SecretSource> {
        self.password.as_ref()
    }
}
