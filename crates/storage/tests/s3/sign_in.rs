//! Whose keys are used, when fresh ones are fetched, and what is said where there are none.

use std::path::Path;

use strongroom_storage::{ErrorKind, OptionError, Options, StorageError, Surroundings};
use strongroom_testkit::servers::Moto;
use strongroom_testkit::{FaultProxy, HttpFault};

use crate::asked::{count, directly, refusal};
use crate::opened::{opened, opened_in, path, surroundings};

const EMPTY: &str = "<ListBucketResult></ListBucketResult>";

/// Answers with an empty bucket.
fn bucket() -> FaultProxy {
    FaultProxy::start("127.0.0.1:9", |_| HttpFault::Answer(200, EMPTY.to_owned()))
}

/// Lists, and gives the id of the key that signed and the token.
async fn signed_with(
    options: &[&str],
    surroundings: &Surroundings,
) -> Result<(String, Option<String>), StorageError> {
    let server = bucket();
    let address = format!("s3:http://{}/bucket", server.host());
    opened_in(&address, options, surroundings)
        .list(None)
        .await?;
    let asked = server.asked();
    let header = |name: &str| asked[0].header(name).map(str::to_owned);
    let authorization = header("authorization").unwrap_or_default();
    let id = authorization
        .split("Credential=")
        .nth(1)
        .unwrap_or_default();
    let id = id.split('/').next().unwrap_or_default().to_owned();
    assert!(!authorization.contains("hunter"), "{authorization}");
    Ok((id, header("x-amz-security-token")))
}

/// A home with profiles.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let aws = home.path().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    let credentials = "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = hunter2\n\
        [temporary]\naws_access_key_id = TEMPORARY\naws_secret_access_key = hunter2\naws_session_token = token\n";
    std::fs::write(aws.join("credentials"), credentials).unwrap();
    let process = home.path().join("process");
    let json = r#"{"Version":1,"AccessKeyId":"PROCESS","SecretAccessKey":"hunter2","SessionToken":"from process"}"#;
    std::fs::write(&process, json).unwrap();
    let config = format!(
        "[default]\nregion = eu-west-7\n[profile process]\ncredential_process = cat {}\n\
         [profile role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\n",
        process.display()
    );
    std::fs::write(aws.join("config"), config).unwrap();
    home
}

fn at_home(home: &Path, variables: &[(&str, &str)]) -> Surroundings {
    surroundings(variables).with_home(Some(home.to_owned()))
}

/// The wrong keys open another account, or none.
#[tokio::test]
async fn keys_come_from_the_first_place_that_has_them() {
    let home = home();
    let secret = home.path().join("secret");
    std::fs::write(&secret, "hunter2\n").unwrap();
    let file = format!("s3.secret-key-file={}", secret.display());
    let token = "s3.session-token-command=echo a-token";
    let environment = [
        ("AWS_ACCESS_KEY_ID", "ENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ];
    let with_token = [&environment[..], &[("AWS_SESSION_TOKEN", "session")]].concat();
    let with_profile = [&environment[..], &[("AWS_PROFILE", "temporary")]].concat();
    let in_file = [
        ("AWS_ACCESS_KEY_ID", "ENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY_FILE", secret.to_str().unwrap()),
    ];
    for (options, variables, id, token) in [
        (
            &["s3.access-key=OPTION", &file, token][..],
            &with_token[..],
            "OPTION",
            Some("a-token"),
        ),
        (
            &["s3.access-key=OPTION", "s3.secret-key-command=echo hunter2"],
            &[],
            "OPTION",
            None,
        ),
        (
            &["s3.profile=temporary"],
            &with_token,
            "TEMPORARY",
            Some("token"),
        ),
        (
            &["s3.profile=process"],
            &[],
            "PROCESS",
            Some("from process"),
        ),
        (&["s3.no-sign=true"], &with_token, "", None),
        (&[], &with_token, "ENVIRONMENT", Some("session")),
        (&[], &in_file, "ENVIRONMENT", None),
        (&[], &with_profile, "ENVIRONMENT", None),
        (
            &[],
            &[("AWS_PROFILE", "temporary")],
            "TEMPORARY",
            Some("token"),
        ),
        (&[], &[], "DEFAULT", None),
    ] {
        let signed = signed_with(options, &at_home(home.path(), variables))
            .await
            .unwrap();
        assert_eq!(
            signed,
            (id.to_owned(), token.map(str::to_owned)),
            "{options:?}"
        );
    }
}

#[tokio::test]
async fn without_keys_the_error_says_what_to_set() {
    let home = home();
    for (options, home, words) in [
        (&[][..], None, "AWS_ACCESS_KEY_ID"),
        (
            &["s3.profile=missing"],
            Some(home.path()),
            "no such profile",
        ),
        (
            &["s3.profile=role"],
            Some(home.path()),
            "credential_process",
        ),
    ] {
        let none = surroundings(&[]).with_home(home.map(Path::to_owned));
        let error = signed_with(options, &none).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unauthenticated);
        assert!(error.message.contains(words), "{error}");
    }
    let half = Options::parse(["s3.access-key=A"]).unwrap();
    let settings = strongroom_storage::OpenSettings {
        options: &half,
        surroundings: &Surroundings::default(),
        behaviour: strongroom_storage::Behaviour::new(&half).unwrap(),
        observer: std::sync::Arc::new(|_, _| {}),
    };
    let location = strongroom_storage::Location::parse("s3://bucket").unwrap();
    let error = strongroom_storage::open(&location, &settings).unwrap_err();
    let is_option = matches!(
        error,
        strongroom_storage::OpenError::Option(OptionError::Malformed { .. })
    );
    assert!(is_option, "{error}");
}

const KEYS: &str = r#"{"Code":"Success","AccessKeyId":"ROLE","SecretAccessKey":"hunter2","Token":"of role","Expiration":"2099-01-01T00:00:00Z"}"#;

/// Machines in the cloud have keys that nobody has to store.
#[tokio::test]
async fn a_machine_has_its_own_keys() {
    let role = ("ROLE".to_owned(), Some("of role".to_owned()));
    let instance = FaultProxy::start("127.0.0.1:9", |asked| {
        let knows = asked.header("x-aws-ec2-metadata-token") == Some("a-token");
        match (asked.method.as_str(), asked.path.as_str()) {
            ("PUT", "/latest/api/token") => HttpFault::Answer(200, "a-token".to_owned()),
            ("GET", "/latest/meta-data/iam/security-credentials/") if knows => {
                HttpFault::Answer(200, "backup-role\n".to_owned())
            }
            ("GET", "/latest/meta-data/iam/security-credentials/backup-role") if knows => {
                HttpFault::Answer(200, KEYS.to_owned())
            }
            _ => HttpFault::Status(401),
        }
    });
    let address = format!("http://{}", instance.host());
    let variables = [
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", address.as_str()),
    ];
    assert_eq!(
        signed_with(&[], &surroundings(&variables)).await.unwrap(),
        role
    );

    let container = FaultProxy::start("127.0.0.1:9", |asked| match asked.header("authorization") {
        Some("let me in") => HttpFault::Answer(200, KEYS.to_owned()),
        _ => HttpFault::Status(401),
    });
    let address = format!("http://{}/v1/keys", container.host());
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", address.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let me in"),
    ];
    assert_eq!(
        signed_with(&[], &surroundings(&variables)).await.unwrap(),
        role
    );
    let refused = signed_with(&[], &surroundings(&variables[..1]))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unauthenticated);
    assert!(refused.message.contains("401"), "{refused}");
}

/// As in Kubernetes: a token in a file, for which AWS (here moto) gives keys.
#[tokio::test]
async fn a_token_of_somebody_else_is_exchanged_for_keys() {
    let server = Moto::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "a.b.c").unwrap();
    let sts = format!("http://{}", server.host());
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/backup"),
        ("AWS_ENDPOINT_URL_STS", &sts),
    ];
    let (id, token) = signed_with(&[], &surroundings(&variables)).await.unwrap();
    assert!(id.starts_with("ASIA") && token.is_some(), "{id}");
    std::fs::remove_file(&file).unwrap();
    let error = signed_with(&[], &surroundings(&variables))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated, "{error}");
}

/// STO-07: keys that expire in the middle are replaced, where there is somewhere to get others.
#[tokio::test]
async fn keys_that_expire_are_fetched_anew_once() {
    let folder = tempfile::tempdir().unwrap();
    let count_file = folder.path().join("count");
    let script = format!("echo x >>{0}; wc -l <{0}", count_file.display());
    let command = format!("s3.secret-key-command=sh -c '{script}'");
    let options = ["s3.access-key=A", command.as_str()];
    let fetched = || {
        std::fs::read_to_string(&count_file)
            .unwrap()
            .lines()
            .count()
    };

    let server = Moto::start(&[]);
    let proxy = FaultProxy::nth(server.host(), 1, |_| true, refusal(400, "ExpiredToken"));
    let storage = opened(&format!("s3:http://{}/bucket", proxy.host()), &options);
    directly(server.host(), "PUT", "/bucket");
    for _ in 0..3 {
        storage.list(None).await.unwrap();
    }
    assert_eq!(fetched(), 2);

    // Where fresh ones do no better, that is the end of it.
    let proxy = FaultProxy::start(server.host(), |asked| match asked.number {
        0 => HttpFault::None,
        _ => refusal(400, "ExpiredToken"),
    });
    let storage = opened(&format!("s3:http://{}/bucket", proxy.host()), &options);
    storage.list(None).await.unwrap();
    let error = storage.list(None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(error.message.contains("accepted before"), "{error}");
    assert_eq!((fetched(), proxy.asked().len()), (4, 3));

    // And where there are no others, the same ones are not sent again.
    let proxy = FaultProxy::start("127.0.0.1:9", |_| refusal(403, "InvalidAccessKeyId"));
    let storage = opened(&format!("s3:http://{}/bucket", proxy.host()), &[]);
    let error = storage.stat(&path("config")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert_eq!(count(&proxy, |asked| asked.method == "GET"), 1);
}
