//! Every promise, over every way to a server and with servers that can do less.

use strongroom_storage::{Class, WriteMode};
use strongroom_testkit::servers::Sshd;
use strongroom_testkit::storage_suite::Fixture;
use strongroom_testkit::{large_storage_suite, storage_suite};

use crate::opened::{on, opened, path, piped};

async fn over_ssh() -> Fixture {
    let server = Sshd::start();
    Fixture::new(on(&server, &[]), server)
}

async fn on_one_connection() -> Fixture {
    let server = Sshd::start();
    Fixture::new(on(&server, &["sftp.connections=1"]), server)
}

/// As restic does it.
async fn over_the_ssh_program() -> Fixture {
    let server = Sshd::start();
    let command = format!("sftp.command={}", server.ssh_command());
    let storage = opened(&server.url("repository"), &[command]);
    Fixture::new(storage, server)
}

fn over_pipes(arguments: &str) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    Fixture::new(piped(folder.path(), arguments), folder)
}

async fn full() -> Fixture {
    over_pipes("")
}

const EXTENSIONS: &str = "posix-rename,hardlink,fsync,statvfs,limits";

/// A server that knows the draft and nothing else.
async fn plain() -> Fixture {
    over_pipes(&format!("-P {EXTENSIONS}"))
}

async fn without_links() -> Fixture {
    over_pipes("-P hardlink")
}

storage_suite!(sftp_over_ssh, over_ssh);
storage_suite!(sftp_on_one_connection, on_one_connection);
storage_suite!(sftp_over_the_ssh_program, over_the_ssh_program);
storage_suite!(sftp_over_pipes, full);
storage_suite!(sftp_of_the_draft_alone, plain);
storage_suite!(sftp_without_links, without_links);
large_storage_suite!(large_sftp_over_ssh, over_ssh);

/// Two `init`s at once are only kept apart where the server can do it; what cannot be promised must not be.
#[tokio::test]
async fn what_a_server_cannot_do_in_one_step_is_not_promised() {
    for (arguments, new, replace) in [
        ("", true, true),
        ("-P hardlink", false, true),
        ("-P posix-rename", true, false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let storage = piped(folder.path(), arguments);
        storage.create().await.unwrap();
        for mode in [WriteMode::New, WriteMode::Replace] {
            let config = path("config");
            let write = storage.write(&config, "x".into(), mode, Class::Metadata);
            write.await.unwrap();
        }
        let can = storage.capabilities();
        assert_eq!(
            (can.atomic_new, can.atomic_replace),
            (new, replace),
            "{arguments}"
        );
    }
}
