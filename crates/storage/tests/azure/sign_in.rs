//! Who gets in, and what is said to whom does not.

use std::fs;

use strongroom_storage::{Class, ErrorKind, WriteMode};
use strongroom_testkit::servers::Azurite;
use strongroom_testkit::{FaultProxy, HttpFault};

use crate::objects::{opened, opened_in, path};

/// Another key, in the right form.
const WRONG: &str = "bm90IHRoZSBrZXkgb2YgdGhpcyBhY2NvdW50IGF0IGFsbA==";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_comes_from_a_variable_a_file_or_a_command_and_is_never_shown() {
    let server = Azurite::start();
    let options = Azurite::options_at(server.host());
    for variable in ["AZURE_ACCOUNT_KEY", "STRONGROOM_AZURE_ACCOUNT_KEY"] {
        let (storage, _) = opened_in("azure:box:/", &options, &[(variable, Azurite::KEY)]);
        storage.create().await.unwrap();
        let (storage, _) = opened_in("azure:box:/", &options, &[(variable, WRONG)]);
        let error = storage.list(None).await.unwrap_err();
        assert_eq!(
            error.kind,
            ErrorKind::PermissionDenied,
            "the emulator's word for it"
        );
        assert!(
            !format!("{error}{error:?}{storage:?}").contains(WRONG),
            "{error}"
        );
    }
    let command = format!("azure.key-command=echo {}", Azurite::KEY);
    let mut options = options;
    options.push(command);
    opened("azure:box:/", &options).0.list(None).await.unwrap();
}

/// Keys are changed every few months; whoever keeps the new one in the same file need not begin again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_changed_is_fetched_anew() {
    let server = Azurite::start();
    let file = server.folder().join("changing");
    let mut options = Azurite::options_at(server.host());
    options.push(format!("azure.key-file={}", file.display()));
    fs::write(&file, WRONG).unwrap();
    let (storage, seen) = opened("azure:box:/", &options);
    let error = storage.create().await.unwrap_err();
    assert_eq!(
        error.kind,
        ErrorKind::PermissionDenied,
        "the emulator's word for it"
    );
    fs::write(&file, Azurite::KEY).unwrap();
    storage.create().await.unwrap();
    assert!(seen.lock().unwrap().is_empty());
}

/// A shared access signature is a password in an address: the address must not be shown, whatever goes wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_is_never_shown() {
    let server = Azurite::start();
    let proxy = FaultProxy::start(server.host(), |asked| match asked.number {
        0 => HttpFault::None,
        1 => HttpFault::Reset,
        2 => HttpFault::Stall,
        3 => HttpFault::Status(302),
        _ => HttpFault::Status(500),
    });
    let sas =
        "?sv=2021-12-02&ss=b&srt=sco&sp=rwdlc&se=2099-01-01T00%3A00%3A00Z&sig=aHVudGVyMg%3D%3D";
    let mut options = Azurite::options_at(&proxy.host());
    options.push("retry.list=0s".to_owned());
    options.push("limit.no-progress=3s".to_owned());
    let (storage, _) = opened_in("azure:box:/", &options, &[("AZURE_ACCOUNT_SAS", sas)]);
    let mut kinds = Vec::new();
    for _ in 0..5 {
        let error = storage.list(None).await.unwrap_err();
        let shown = format!("{error}{error:?}{storage:?}");
        assert!(
            !shown.contains("aHVudGVy") && !shown.contains("sig="),
            "{shown}"
        );
        kinds.push(error.kind);
    }
    let expected = [
        ErrorKind::PermissionDenied,
        ErrorKind::Unreachable,
        ErrorKind::TimedOut,
    ];
    assert_eq!(kinds[..3], expected);
    assert!(proxy.asked()[0].path.contains("sig=aHVudGVy"));
}

/// What was given wrongly is said before anything is sent.
#[tokio::test]
async fn what_is_no_key_or_signature_is_said() {
    let options = Azurite::options_at("127.0.0.1:9");
    for (variable, value, said) in [
        ("AZURE_ACCOUNT_KEY", "hunter2!", "Base64"),
        ("AZURE_ACCOUNT_SAS", "hunter2!", "sig="),
    ] {
        let (storage, _) = opened_in("azure:box:/", &options, &[(variable, value)]);
        let name = path("a");
        let write = storage.write(&name, "x".into(), WriteMode::New, Class::Data);
        let error = write.await.unwrap_err().to_string();
        assert!(
            error.contains(said) && !error.contains("hunter2"),
            "{error}"
        );
    }
}
