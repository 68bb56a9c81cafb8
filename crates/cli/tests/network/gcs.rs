//! Repositories in Google Cloud Storage: from one end to the other, and beside restic.

use strongroom_testkit::servers::{ConnectProxy, Gcs};
use strongroom_testkit::{Restic, strongroom};

use crate::certificate::make_certificate;
use crate::round::{vault_with, whole_round};

/// The same address and the same variables for both programs. A proxy leads to the emulator, whatever host they ask for.
#[test]
fn from_one_end_to_the_other_and_restic_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = make_certificate(folder.path(), "storage.googleapis.com");
    let server = Gcs::start_with_tls(&certificate, &key);
    let proxy = ConnectProxy::start(server.host());
    let proxy_url = proxy.url();
    let variables = [
        ("HTTPS_PROXY", proxy_url.as_str()),
        ("RESTIC_CACERT", certificate.to_str().unwrap()),
        ("GOOGLE_PROJECT_ID", "tests"),
        ("GOOGLE_ACCESS_TOKEN", "nobody-looks-at-it"),
    ];
    let address = "gs:backup:/ada/laptop";
    let mut program = strongroom!();
    let mut restic = Restic::new(address, "try-me");
    for (name, value) in variables {
        program = program.env(name, value);
        restic = restic.env(name, value);
    }
    let vault = vault_with(program, address);
    whole_round(&vault, Some(&restic));
    vault
        .run(&["forget", "latest", "--trash", "14d", "--yes"])
        .ok();
    vault.run(&["undelete", "--all"]).ok();
}
