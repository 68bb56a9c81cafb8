//! What can be set for Azure Blob Storage.

use std::num::NonZeroUsize;

use crate::http::Url;
use crate::options::{OptionError, OptionGroup, OptionInfo};
use crate::secret::SecretSource;
use crate::{Class, Options, Surroundings};

use super::sign_in::SignIn;
use super::token::{Application, Identity};

/// Options of `azure:`.
pub(crate) const OPTIONS: OptionGroup = OptionGroup {
    name: "azure",
    page: "azure.md",
    options: &[
        OptionInfo {
            key: ACCESS_TIER,
            value: "TIER",
            help: "Tier of the packs of file contents: Hot, Cool or Cold; otherwise that of the account",
        },
        OptionInfo {
            key: ACCOUNT,
            value: "NAME",
            help: "The storage account",
        },
        OptionInfo {
            key: AUTHORITY,
            value: "URL",
            help: "Where Microsoft Entra gives tokens; otherwise https://login.microsoftonline.com",
        },
        OptionInfo {
            key: BLOCK_SIZE,
            value: "SIZE",
            help: "Files above this are sent in blocks of it, of which a repeated upload sends those that are missing; otherwise 8MiB, at most 256MiB",
        },
        OptionInfo {
            key: CLIENT_ID,
            value: "ID",
            help: "Application that signs in with Microsoft Entra, or which of the machine's managed identities",
        },
        OptionInfo {
            key: CLIENT_SECRET_COMMAND,
            value: "COMMAND",
            help: "Command that prints the secret of the application",
        },
        OptionInfo {
            key: CLIENT_SECRET_FILE,
            value: "FILE",
            help: "File that holds the secret of the application",
        },
        OptionInfo {
            key: CONNECTIONS,
            value: "NUMBER",
            help: "Requests at the same time; otherwise 5",
        },
        OptionInfo {
            key: ENDPOINT,
            value: "URL",
            help: "Where the account is reached, such as http://127.0.0.1:10000/devstoreaccount1; otherwise https://ACCOUNT.blob.SUFFIX",
        },
        OptionInfo {
            key: ENDPOINT_SUFFIX,
            value: "DOMAIN",
            help: "Domain of the cloud; otherwise core.windows.net",
        },
        OptionInfo {
            key: KEY_COMMAND,
            value: "COMMAND",
            help: "Command that prints a key of the account; asked again when the service no longer accepts the old one",
        },
        OptionInfo {
            key: KEY_FILE,
            value: "FILE",
            help: "File that holds a key of the account",
        },
        OptionInfo {
            key: METADATA_ACCESS_TIER,
            value: "TIER",
            help: "Tier of everything else: Hot, Cool or Cold; otherwise that of the account",
        },
        OptionInfo {
            key: SAS_COMMAND,
            value: "COMMAND",
            help: "Command that prints a shared access signature; asked again when the service no longer accepts the old one",
        },
        OptionInfo {
            key: SAS_FILE,
            value: "FILE",
            help: "File that holds a shared access signature",
        },
        OptionInfo {
            key: TENANT,
            value: "ID",
            help: "Tenant of the application that signs in with Microsoft Entra",
        },
    ],
};

const ACCESS_TIER: &str = "azure.access-tier";
const ACCOUNT: &str = "azure.account";
const AUTHORITY: &str = "azure.authority";
const BLOCK_SIZE: &str = "azure.block-size";
const CLIENT_ID: &str = "azure.client-id";
const CLIENT_SECRET_COMMAND: &str = "azure.client-secret-command";
const CLIENT_SECRET_FILE: &str = "azure.client-secret-file";
const CONNECTIONS: &str = "azure.connections";
const ENDPOINT: &str = "azure.endpoint";
const ENDPOINT_SUFFIX: &str = "azure.endpoint-suffix";
const KEY_COMMAND: &str = "azure.key-command";
const KEY_FILE: &str = "azure.key-file";
const METADATA_ACCESS_TIER: &str = "azure.metadata-access-tier";
const SAS_COMMAND: &str = "azure.sas-command";
const SAS_FILE: &str = "azure.sas-file";
const TENANT: &str = "azure.tenant";

/// Where the service of a virtual machine answers that knows its identity.
const IDENTITY_SERVICE: &str = "http://169.254.169.254";

/// What was set, or holds without.
#[derive(Debug)]
pub(crate) struct AzureOptions {
    pub(crate) connections: usize,
    pub(super) account: String,
    /// Of the account; its path has no slash at its end.
    pub(super) endpoint: Url,
    pub(super) block_bytes: usize,
    pub(super) tiers: Tiers,
    pub(super) sign_in: SignIn,
}

/// The tier of each class; `None` is that of the account.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tiers {
    data: Option<&'static str>,
    metadata: Option<&'static str>,
}

impl Tiers {
    pub(super) fn of(self, class: Class) -> Option<&'static str> {
        match class {
            Class::Data => self.data,
            Class::Metadata => self.metadata,
        }
    }
}

impl AzureOptions {
    /// restic's default.
    const CONNECTIONS: usize = 5;
    const BLOCK_BYTES: usize = 8 << 20;
    /// The service takes 4000 MiB; all blocks that are on their way are in memory, and are sent again whole.
    const MAX_BLOCK_BYTES: usize = 256 << 20;

    /// The options before the surroundings.
    pub(crate) fn new(options: &Options, surroundings: &Surroundings) -> Result<Self, OptionError> {
        let named = |key, variables: &[&str]| {
            let value = options
                .text(key)
                .or_else(|| surroundings.variable(variables));
            value.map(str::to_owned)
        };
        let account = named(
            ACCOUNT,
            &["STRONGROOM_AZURE_ACCOUNT_NAME", "AZURE_ACCOUNT_NAME"],
        );
        let endpoint = named(ENDPOINT, &["STRONGROOM_AZURE_ENDPOINT"]);
        let suffix = named(
            ENDPOINT_SUFFIX,
            &["STRONGROOM_AZURE_ENDPOINT_SUFFIX", "AZURE_ENDPOINT_SUFFIX"],
        );
        let suffix = suffix.as_deref().unwrap_or("core.windows.net");
        let account = account.ok_or_else(|| {
            let expected = "the name of the storage account, or AZURE_ACCOUNT_NAME does";
            OptionError::malformed(ACCOUNT, expected)
        })?;
        let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if !account.bytes().all(is_name) {
            let expected = "the name of a storage account: lower-case letters and digits";
            return Err(OptionError::malformed(ACCOUNT, expected));
        }
        let endpoint = match endpoint {
            Some(url) => address(ENDPOINT, &url)?,
            None => address(ENDPOINT_SUFFIX, &format!("https://{account}.blob.{suffix}"))?,
        };
        let block_bytes = options.size(BLOCK_SIZE)?;
        let block_bytes = block_bytes.map_or(Self::BLOCK_BYTES, NonZeroUsize::get);
        if block_bytes > Self::MAX_BLOCK_BYTES {
            return Err(OptionError::malformed(BLOCK_SIZE, "at most 256MiB"));
        }
        let connections = options.count(CONNECTIONS)?;
        Ok(Self {
            connections: connections.map_or(Self::CONNECTIONS, NonZeroUsize::get),
            sign_in: sign_in(options, surroundings, &named)?,
            account,
            endpoint,
            block_bytes,
            tiers: Tiers {
                data: tier(options, ACCESS_TIER)?,
                metadata: tier(options, METADATA_ACCESS_TIER)?,
            },
        })
    }

    /// What the person should know before anything is sent.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let host = self.endpoint.host_str().unwrap_or_default();
        let stays_here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
        // A request that is signed with the key shows it to nobody.
        let shows = !matches!(self.sign_in, SignIn::Key(_));
        let warning = "what signs in to the account goes over the network unencrypted; whoever reads it there can remove \
            what is stored. Use https in azure.endpoint";
        let warns = self.endpoint.scheme() == "http" && !stays_here && shows;
        warns.then(|| warning.to_owned()).into_iter().collect()
    }
}

/// Of what was given, the key before the signature before an application before the machine's identity.
fn sign_in(
    options: &Options,
    surroundings: &Surroundings,
    named: &dyn Fn(&'static str, &[&str]) -> Option<String>,
) -> Result<SignIn, OptionError> {
    let find =
        |keys, variables: &[&str]| SecretSource::find(options, surroundings, keys, variables);
    let key = ["STRONGROOM_AZURE_ACCOUNT_KEY", "AZURE_ACCOUNT_KEY"];
    let sas = ["STRONGROOM_AZURE_ACCOUNT_SAS", "AZURE_ACCOUNT_SAS"];
    // An option counts more than any variable.
    let is_set = |keys: [&'static str; 2]| keys.iter().any(|key| options.text(key).is_some());
    let sas_was_chosen = is_set([SAS_FILE, SAS_COMMAND]) && !is_set([KEY_FILE, KEY_COMMAND]);
    if !sas_was_chosen && let Some(key) = find((KEY_FILE, KEY_COMMAND), &key)? {
        return Ok(SignIn::key(key));
    }
    if let Some(sas) = find((SAS_FILE, SAS_COMMAND), &sas)? {
        return Ok(SignIn::signature(sas));
    }
    let tenant = named(TENANT, &["STRONGROOM_AZURE_TENANT_ID", "AZURE_TENANT_ID"]);
    let client = named(
        CLIENT_ID,
        &["STRONGROOM_AZURE_CLIENT_ID", "AZURE_CLIENT_ID"],
    );
    let secret = find(
        (CLIENT_SECRET_FILE, CLIENT_SECRET_COMMAND),
        &["STRONGROOM_AZURE_CLIENT_SECRET", "AZURE_CLIENT_SECRET"],
    )?;
    let identity = match (tenant, client, secret) {
        (Some(tenant), Some(client), Some(secret)) => {
            let authority = named(AUTHORITY, &["AZURE_AUTHORITY_HOST"]);
            let authority = authority.as_deref();
            let authority = authority.unwrap_or("https://login.microsoftonline.com");
            Identity::Application(Application {
                authority: address(AUTHORITY, authority)?,
                tenant,
                client,
                secret,
            })
        }
        (tenant, None, secret) if tenant.is_some() || secret.is_some() => {
            let expected = "the application, beside azure.tenant and its secret";
            return Err(OptionError::malformed(CLIENT_ID, expected));
        }
        (None, Some(_), Some(_)) => {
            let expected = "the tenant of the application";
            return Err(OptionError::malformed(TENANT, expected));
        }
        (_, client, _) => {
            let service = surroundings.variable(&["AZURE_POD_IDENTITY_AUTHORITY_HOST"]);
            let service = service.unwrap_or(IDENTITY_SERVICE);
            let service = address(AUTHORITY, service)?;
            Identity::Machine { service, client }
        }
    };
    Ok(SignIn::identity(identity))
}

/// An address whose path has no slash at its end.
fn address(key: &'static str, text: &str) -> Result<Url, OptionError> {
    let expected =
        || OptionError::malformed(key, "an address that begins with https:// or http://");
    let mut url = Url::parse(text).map_err(|_| expected())?;
    let is_plain = url.query().is_none() && url.username().is_empty() && url.has_host();
    if !matches!(url.scheme(), "http" | "https") || !is_plain {
        return Err(expected());
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn tier(options: &Options, key: &'static str) -> Result<Option<&'static str>, OptionError> {
    let Some(text) = options.text(key) else {
        return Ok(None);
    };
    let known = ["Hot", "Cool", "Cold"];
    let tier = known.iter().find(|tier| tier.eq_ignore_ascii_case(text));
    let expected = || match text.eq_ignore_ascii_case("archive") {
        true => {
            "Hot, Cool or Cold: what lies in Archive cannot be read before it has been brought back, \
            which takes hours, and every backup, check and restore reads"
        }
        false => "Hot, Cool or Cold",
    };
    tier.copied()
        .map(Some)
        .ok_or_else(|| OptionError::malformed(key, expected()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[&str], variables: &[(&str, &str)]) -> Result<AzureOptions, OptionError> {
        let options = Options::parse(pairs.iter().copied()).unwrap();
        let variables = variables.iter();
        let variables = variables.map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        AzureOptions::new(&options, &Surroundings::new(variables))
    }

    /// What works with restic's variables works here, and what somebody says now counts more than what lies around.
    #[test]
    fn restics_variables_count_and_options_count_more() {
        let variables = [
            ("AZURE_ACCOUNT_NAME", "acc"),
            ("AZURE_ACCOUNT_KEY", "key"),
            ("AZURE_ACCOUNT_SAS", "sas"),
            ("AZURE_ENDPOINT_SUFFIX", "core.usgovcloudapi.net"),
        ];
        let options = with(&[], &variables).unwrap();
        assert_eq!(options.account, "acc");
        assert_eq!(
            options.endpoint.as_str(),
            "https://acc.blob.core.usgovcloudapi.net/"
        );
        assert!(matches!(options.sign_in, SignIn::Key(_)));
        let options = with(&["azure.sas-file=/x", "azure.account=other"], &variables).unwrap();
        assert!(matches!(options.sign_in, SignIn::Signature(_)));
        assert_eq!(options.account, "other");
        let options = with(&["azure.account=a"], &[]).unwrap();
        assert!(matches!(options.sign_in, SignIn::Token(_)));
        assert!(!format!("{:?}", with(&[], &variables).unwrap()).contains("\"key\""));
    }

    /// What is in Archive cannot be read: the next backup would fail, and the restore when it is needed.
    #[test]
    fn what_cannot_be_used_is_refused_with_a_reason() {
        for (pairs, reason) in [
            (&[][..], "AZURE_ACCOUNT_NAME"),
            (&["azure.account=A.b"], "lower-case"),
            (&["azure.account=a", "azure.access-tier=Archive"], "hours"),
            (
                &["azure.account=a", "azure.metadata-access-tier=warm"],
                "Cold",
            ),
            (&["azure.account=a", "azure.block-size=1GiB"], "256MiB"),
            (&["azure.account=a", "azure.endpoint=host"], "https://"),
            (&["azure.account=a", "azure.tenant=t"], "azure.client-id"),
        ] {
            let error = with(pairs, &[]).unwrap_err().to_string();
            assert!(error.contains(reason), "{pairs:?}: {error}");
        }
        let tiers = with(&["azure.account=a", "azure.access-tier=cool"], &[]).unwrap();
        assert_eq!(tiers.tiers.of(Class::Data), Some("Cool"));
        assert_eq!(tiers.tiers.of(Class::Metadata), None);
    }
}
