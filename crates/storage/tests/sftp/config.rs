//! The basics of OpenSSH's configuration.

use std::fs;

use strongroom_storage::{ErrorKind, Retry, Surroundings};
use strongroom_testkit::servers::{Sshd, user};

use crate::opened::{first_error, opened, opened_in};

/// What a person has set up for `ssh` is what they expect to hold here.
#[tokio::test]
async fn an_alias_with_its_port_user_keys_and_known_hosts_is_understood() {
    let server = Sshd::start();
    let home = server.folder().join("home");
    fs::create_dir_all(home.join(".ssh/more")).unwrap();
    fs::copy(server.client_key(), home.join(".ssh/work-key")).unwrap();
    fs::copy(server.known_hosts(), home.join(".ssh/known")).unwrap();
    let config = format!(
        "Include more/*\nHost vault\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentitiesOnly yes\n",
        server.port(),
        user()
    );
    fs::write(home.join(".ssh/config"), config).unwrap();
    let included = "Host v*\n  IdentityFile ~/.ssh/work-key\n  UserKnownHostsFile %d/.ssh/known\n  ConnectTimeout 20\n";
    fs::write(home.join(".ssh/more/a"), included).unwrap();
    let surroundings = Surroundings::default()
        .with_home(Some(home))
        .with_user("nobody");
    let place = server.folder().join("repository");
    let address = format!("sftp:vault:{}", place.display());
    opened_in(&address, &[], &surroundings)
        .create()
        .await
        .unwrap();
    assert!(place.is_dir());
}

/// Without the jump a connection would go to whoever has the address here.
#[tokio::test]
async fn a_jump_host_is_refused_with_a_way_out() {
    let server = Sshd::start();
    let file = server.folder().join("config");
    fs::write(&file, "Host *\n  ProxyJump gate\n").unwrap();
    let mut options = server.options();
    options.push(format!("sftp.config={}", file.display()));
    let error = first_error(&opened(&server.url("repository"), &options)).await;
    assert_eq!(
        (error.kind, error.retry),
        (ErrorKind::Unsupported, Retry::Never)
    );
    for part in ["ProxyJump", "line 2", "sftp.command", "sftp.config=none"] {
        assert!(error.message.contains(part), "{part}: {error}");
    }
    assert_eq!(server.accepted(), 0);
}
