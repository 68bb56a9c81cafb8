//! `strongroom serve-rest`: a server of restic's REST protocol.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use strongroom_serve_rest::{Event, Observer, ServeError, Server, ServerSettings, TlsFiles};

use crate::arguments::values;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::Output;

/// Serve repositories to restic and strongroom over the network, by restic's REST protocol
///
/// Runs until Ctrl-C; requests that are under way are finished. Clients name a repository as rest:https://HOST:PORT/PATH/.
/// With --append-only they can add and read, and remove nothing but locks. The server needs no password of a repository and
/// reads nothing in it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Folder below which the repositories lie; it is made if need be
    #[arg(long, value_name = "DIRECTORY")]
    pub path: PathBuf,

    /// Where to listen; 0.0.0.0:8000 is every network of this machine
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,

    /// File with users and passwords, as htpasswd -B writes it; read anew when it changes
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "no_auth",
        conflicts_with = "no_auth"
    )]
    pub htpasswd_file: Option<PathBuf>,

    /// Let everybody who reaches the port do everything
    #[arg(long)]
    pub no_auth: bool,

    /// Let nothing be removed or replaced, apart from locks
    #[arg(long)]
    pub append_only: bool,

    /// Let each user reach only repositories below a folder of their name
    #[arg(long, conflicts_with = "no_auth")]
    pub private_repos: bool,

    /// File with the certificate in PEM, and those that lead to its authority
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// File with the certificate's private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Most bytes in all repositories together, such as 500G
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub max_size: Option<u64>,

    /// Tell figures in Prometheus' form at /metrics, to those who can sign in
    #[arg(long)]
    pub prometheus: bool,
}

/// Serves until it is asked to stop.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let tls = match (arguments.tls_cert, arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
        _ => None,
    };
    let is_open = arguments.no_auth && !arguments.listen.ip().is_loopback();
    let is_plain = tls.is_none() && !arguments.no_auth && !arguments.listen.ip().is_loopback();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let settings = ServerSettings {
        root: arguments.path,
        listen: arguments.listen,
        accounts: arguments.htpasswd_file,
        tls,
        append_only: arguments.append_only,
        private_repositories: arguments.private_repos,
        max_size_bytes: arguments.max_size,
        metrics: arguments.prometheus,
    };
    let output = &context.output;
    let server = Server::bind(settings, observer(output)).await?;
    if is_open {
        output.warning("everybody who reaches this port can read and add files, and remove them unless --append-only is given");
    }
    if is_plain {
        output.warning("passwords for signing in come over the network unencrypted; give --tls-cert and --tls-key");
    }
    let address = server.address();
    if output.is_json() {
        output.json(&json!({ "message_type": "listening", "address": address.to_string() }))?;
    } else {
        output.report(format_args!(
            "listening: clients use rest:{scheme}://{address}/"
        ))?;
    }
    output.flush()?;
    server.run(context.cancel.clone()).await;
    output.note("stopped");
    Ok(ExitCode::Success)
}

/// Requests are for those who ask with `-v`; what goes wrong is for everybody.
fn observer(output: &Arc<Output>) -> Observer {
    let output = Arc::clone(output);
    Arc::new(move |event: &Event| match event {
        Event::Answered {
            user,
            method,
            path,
            status,
        } => {
            let user = user.as_deref().unwrap_or("-");
            output.detail(1, format_args!("{user:?} {method} {path:?} {status}"));
        }
        Event::Connection(why) => output.detail(1, format_args!("a connection failed: {why}")),
        Event::AccountsRead => output.note("the file with users was read anew"),
        Event::AccountsUnreadable(why) => {
            output.warning(&format!("the users stay as they were: {why}"));
        }
        _ => {}
    })
}

impl From<ServeError> for Error {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Storage(error) => error.into(),
            ServeError::Listen { .. } => Self::failed(error.to_string())
                .hint("choose another address with --listen, or end the program that has this one"),
            _ => Self::usage(error.to_string()),
        }
    }
}
