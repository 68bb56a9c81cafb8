//! Proxies, as variables name them.

use reqwest::{NoProxy, Proxy};

use crate::failure::Failure;
use crate::{ErrorKind, Surroundings};

/// `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`, in small or capital letters. `HTTP_PROXY` in capitals counts
/// too, which only a program that is run by a web server has to distrust.
#[derive(Clone, Default)]
pub(super) struct Proxies {
    http: Option<String>,
    https: Option<String>,
    none_for: Option<String>,
}

impl Proxies {
    pub(super) fn new(surroundings: &Surroundings) -> Self {
        let of = |names: &[&str]| surroundings.variable(names).map(str::to_owned);
        Self {
            http: of(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            https: of(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            none_for: of(&["no_proxy", "NO_PROXY"]),
        }
    }

    /// The proxies for the client.
    pub(super) fn build(&self) -> Result<Vec<Proxy>, Failure> {
        let none_for = |proxy: Proxy| {
            let hosts = self.none_for.as_deref().and_then(NoProxy::from_string);
            proxy.no_proxy(hosts)
        };
        // The text may hold a password, so the message does not repeat it.
        let wrong = |name: &str| {
            let message = format!("the variable {name}_proxy holds no address of a proxy");
            Failure::new(ErrorKind::Unsupported, message)
        };
        let mut proxies = Vec::new();
        if let Some(address) = &self.http {
            let proxy = Proxy::http(address).map_err(|_| wrong("http"))?;
            proxies.push(none_for(proxy));
        }
        if let Some(address) = &self.https {
            let proxy = Proxy::https(address).map_err(|_| wrong("https"))?;
            proxies.push(none_for(proxy));
        }
        Ok(proxies)
    }
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxies")
            .field("http", &self.http.is_some())
            .field("https", &self.https.is_some())
            .field("none_for", &self.none_for)
            .finish()
    }
}
