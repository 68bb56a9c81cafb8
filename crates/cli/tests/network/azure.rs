//! Repositories in Azure Blob Storage: from one end to the other, with restic as judge, and with a wrong key.

use strongroom_testkit::servers::{Azurite, ConnectProxy};
use strongroom_testkit::{Restic, strongroom};

use crate::certificate::make_certificate;
use crate::round::{assert_restores, vault_at, vault_with, whole_round};

/// A domain that nobody has, and no name is looked up in it: a proxy leads to the server.
const SUFFIX: &str = "azurite.test";

/// The variables are those that restic's users have. Debian's restic is built without Azure: it judges a copy, file by file, and what
/// it adds there goes back the same way.
#[test]
fn from_one_end_to_the_other_and_restic_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let host = format!("{}.blob.{SUFFIX}", Azurite::ACCOUNT);
    let (certificate, key) = make_certificate(folder.path(), &host);
    let server = Azurite::start_with_tls(&certificate, &key);
    let proxy = ConnectProxy::start(server.host());
    let proxy_url = proxy.url();
    let variables = [
        ("AZURE_ACCOUNT_NAME", Azurite::ACCOUNT),
        ("AZURE_ACCOUNT_KEY", Azurite::KEY),
        ("AZURE_ENDPOINT_SUFFIX", SUFFIX),
        ("HTTPS_PROXY", &proxy_url),
        ("RESTIC_CACERT", certificate.to_str().unwrap()),
    ];
    let address = "azure:backup:/ada/laptop";
    let mut program = strongroom!();
    for (name, value) in variables {
        program = program.env(name, value);
    }
    let vault = vault_with(program, address);
    whole_round(&vault, None);
    let copy = vault.path("copy");
    let copy_text = copy.to_str().unwrap();
    vault.run(&["mirror", copy_text]).ok();
    let restic = Restic::new(&copy, "try-me");
    restic.check_read_data();
    restic.backup(&[&vault.path("source")]);
    vault.run(&["-r", copy_text, "mirror", address]).ok();
    vault.run(&["check", "--read-data"]).ok();
    assert_restores(&vault, "back-again");
}

#[test]
fn a_wrong_key_ends_at_once_and_the_snapshots_go_to_the_trash_and_back() {
    let server = Azurite::start();
    let mut vault = vault_at("azblob://backup/laptop");
    let options = Azurite::options_at(server.host());
    let with = |arguments: &[&str]| {
        let options = options.iter().flat_map(|option| ["-o", option.as_str()]);
        let all: Vec<&str> = options.chain(arguments.iter().copied()).collect();
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let as_text = |arguments: &[String]| arguments.iter().map(|a| (*a).clone()).collect::<Vec<_>>();
    let wrong = "bm90IHRoZSBrZXkgb2YgdGhpcyBhY2NvdW50IGF0IGFsbA==";
    vault.program = vault
        .program
        .env("AZURE_ACCOUNT_KEY_FILE", vault_key(&server, wrong));
    let run = |arguments: &[&str]| {
        let all = as_text(&with(arguments));
        vault.run(&all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let said = run(&["init"]).expect_code(24).stderr_text();
    assert!(
        said.contains("failed to authenticate") && said.contains("hint:"),
        "{said}"
    );
    assert!(!said.contains(wrong), "{said}");
    vault_key(&server, Azurite::KEY);
    run(&["init"]).ok();
    run(&["init"]).expect_code(1);
    let source = vault.path("source");
    run(&["backup", source.to_str().unwrap()]).ok();
    run(&["forget", "latest", "--trash", "14d", "--yes"]).ok();
    run(&["undelete", "--all"]).ok();
    run(&["check", "--read-data"]).ok();
}

/// A file with this key.
fn vault_key(server: &Azurite, key: &str) -> std::path::PathBuf {
    let file = server.folder().join("account-key");
    std::fs::write(&file, key).unwrap();
    file
}
