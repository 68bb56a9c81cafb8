//! Who gets in, and how tokens are fetched, kept and fetched anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use data_encoding::BASE64URL_NOPAD;
use strongroom_storage::ErrorKind;
use strongroom_testkit::{HttpAnswer, HttpRequest, ScriptedHttp};

use crate::objects::{opened, opened_in, with};

/// A service whose token counts up with each that is asked for, and that takes the ones in `good`.
fn service(good: &'static [usize]) -> ScriptedHttp {
    let mut given = 0;
    ScriptedHttp::start(move |asked: &HttpRequest| {
        if asked.path.contains("token") {
            given += 1;
            return HttpAnswer::new(
                200,
                format!(
                    r#"{{"access_token":"token-{given}","expires_in":3599,"token_type":"Bearer"}}"#
                ),
            );
        }
        let known = good.iter().map(|number| format!("Bearer token-{number}"));
        match known
            .collect::<Vec<_>>()
            .iter()
            .any(|known| asked.header("authorization") == Some(known.as_str()))
        {
            true => HttpAnswer::new(200, "{}"),
            false => HttpAnswer::new(
                401,
                r#"{"error":{"code":401,"message":"Invalid Credentials","errors":[{"reason":"authError"}]}}"#,
            ),
        }
    })
}

fn tokens(server: &ScriptedHttp) -> Vec<HttpRequest> {
    let asked = server.asked().into_iter();
    asked.filter(|asked| asked.path.contains("token")).collect()
}

fn endpoint(server: &ScriptedHttp) -> Vec<String> {
    vec![format!("gcs.endpoint={}", server.url())]
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let ran = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output();
    let ran = ran.unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// A service account is what a server signs in with, unattended, for years.
#[tokio::test]
async fn a_service_account_signs_for_a_token_which_is_kept() {
    let server = service(&[1]);
    let folder = tempfile::tempdir().unwrap();
    openssl(
        folder.path(),
        &[
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:2048",
            "-out",
            "key.pem",
        ],
    );
    openssl(
        folder.path(),
        &["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"],
    );
    let key = fs::read_to_string(folder.path().join("key.pem")).unwrap();
    let account = serde_json::json!({
        "type": "service_account",
        "client_email": "backup@my-project.iam.gserviceaccount.com",
        "private_key": key,
        "private_key_id": "key-7",
        "token_uri": format!("{}/token", server.url()),
    });
    let file = folder.path().join("account.json");
    fs::write(&file, account.to_string()).unwrap();
    let variables = [("GOOGLE_APPLICATION_CREDENTIALS", file.to_str().unwrap())];
    let (storage, seen) = opened_in("gs:box:/", &endpoint(&server), &variables);
    for _ in 0..3 {
        storage.list(None).await.unwrap();
    }
    assert!(seen.lock().unwrap().is_empty());
    let asked = tokens(&server);
    assert_eq!(asked.len(), 1, "a token for each request");
    let form = asked[0].text();
    let assertion = form.split("assertion=").nth(1).unwrap();
    assert!(form.contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"));
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let parts: Vec<serde_json::Value> = signed
        .split('.')
        .map(|part| {
            serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
        })
        .collect();
    assert_eq!(
        parts[0],
        serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": "key-7"})
    );
    assert_eq!(parts[1]["iss"], account["client_email"]);
    assert_eq!(parts[1]["aud"], account["token_uri"]);
    assert_eq!(
        parts[1]["scope"],
        "https://www.googleapis.com/auth/devstorage.read_write"
    );
    let lifetime = parts[1]["exp"].as_u64().unwrap() - parts[1]["iat"].as_u64().unwrap();
    assert_eq!(lifetime, 3600);
    // The signature is good, in the eyes of another program.
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    fs::write(folder.path().join("signature"), signature).unwrap();
    fs::write(folder.path().join("signed"), signed).unwrap();
    openssl(
        folder.path(),
        &[
            "dgst",
            "-sha256",
            "-verify",
            "public.pem",
            "-signature",
            "signature",
            "signed",
        ],
    );
    let shown = format!("{storage:?}");
    assert!(
        !shown.contains("PRIVATE") && !shown.contains("token-1"),
        "{shown}"
    );
}

/// A backup that takes longer than a token lives.
#[tokio::test]
async fn an_expired_token_is_fetched_anew_once() {
    let server = service(&[2]);
    let folder = tempfile::tempdir().unwrap();
    let user = serde_json::json!({
        "type": "authorized_user",
        "client_id": "id",
        "client_secret": "hunter2",
        "refresh_token": "refresh/me",
        "token_uri": format!("{}/token", server.url()),
    });
    let gcloud = folder.path().join("gcloud");
    fs::create_dir(&gcloud).unwrap();
    fs::write(
        gcloud.join("application_default_credentials.json"),
        user.to_string(),
    )
    .unwrap();
    let variables = [("CLOUDSDK_CONFIG", gcloud.to_str().unwrap())];
    let (storage, seen) = opened_in("gs:box:/", &endpoint(&server), &variables);
    storage.list(None).await.unwrap();
    storage.list(None).await.unwrap();
    assert!(seen.lock().unwrap().is_empty());
    let asked = tokens(&server);
    assert_eq!(asked.len(), 2);
    let form =
        "grant_type=refresh_token&client_id=id&client_secret=hunter2&refresh_token=refresh%2Fme";
    assert_eq!(asked[0].text(), form);

    // Where a fresh one is refused as well, it ends.
    let server = service(&[]);
    let file = folder.path().join("token");
    fs::write(&file, "token-9").unwrap();
    let option = format!("gcs.access-token-file={}", file.display());
    let (storage, seen) = opened("gs:box:/", &with(endpoint(&server), &[&option]));
    let error = storage.list(None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(seen.lock().unwrap().is_empty());
    assert_eq!(server.asked().len(), 1, "the same token twice");
}

/// On a machine of Google's nothing has to be set up at all.
#[tokio::test]
async fn the_machine_knows_who_it_is() {
    let server = service(&[1]);
    let host = server.host();
    let variables = [
        ("GCE_METADATA_HOST", host.as_str()),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    let (storage, _) = opened_in("gs:box:/", &endpoint(&server), &variables);
    storage.list(None).await.unwrap();
    let asked = &tokens(&server)[0];
    assert_eq!(
        asked.path,
        "/computeMetadata/v1/instance/service-accounts/default/token"
    );
    assert_eq!(asked.header("metadata-flavor"), Some("Google"));

    let nobody = [("GCE_METADATA_HOST", "127.0.0.1:9")];
    let (storage, _) = opened_in("gs:box:/", &endpoint(&server), &nobody);
    let error = storage.list(None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(
        error.to_string().contains("gcs.credentials-file"),
        "{error}"
    );
}

/// What a file holds is never repeated, least of all where it is wrong.
#[tokio::test]
async fn files_that_are_no_credentials_are_named_and_not_shown() {
    let server = ScriptedHttp::start(|_| {
        HttpAnswer::new(
            400,
            r#"{"error":"invalid_grant","error_description":"Bad Request"}"#,
        )
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account.json");
    let tokens = format!("{}/token", server.url());
    let with_key = serde_json::json!({"type": "service_account", "private_key": "hunter2", "token_uri": tokens});
    let user = serde_json::json!({"type": "authorized_user", "refresh_token": "hunter2", "token_uri": tokens});
    for (text, said) in [
        ("hunter2".to_owned(), "no credentials in JSON"),
        (r#"{"type":"hunter2"}"#.to_owned(), "neither"),
        (
            r#"{"type":"external_account"}"#.to_owned(),
            "gcs.access-token-command",
        ),
        (with_key.to_string(), "no RSA key"),
        (user.to_string(), "invalid_grant"),
    ] {
        fs::write(&file, &text).unwrap();
        let option = format!("gcs.credentials-file={}", file.display());
        let (storage, _) = opened("gs:box:/", &with(endpoint(&server), &[&option]));
        let error = storage.list(None).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unauthenticated, "{error}");
        let shown = format!("{error}{error:?}{storage:?}");
        assert!(
            shown.contains(said) && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
