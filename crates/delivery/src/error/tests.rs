use super::*;

fn request(act: Act, fault: Fault, status: Option<u16>, code: Option<&str>) -> Error {
    Error::from(Box::new(RequestError {
        act,
        endpoint: "https://s3.example.com".to_owned(),
        bucket: "exports".to_owned(),
        key: (!act.is_about_bucket()).then(|| "day/a.csv".to_owned()),
        fault,
        status,
        code: code.map(str::to_owned),
        message: None,
        request_id: status.map(|_| "R1".to_owned()),
    }))
}

/// An error as it is drawn: message, source, hint.
fn drawn(error: &Error) -> String {
    let source = std::error::Error::source(error).map(|source| format!("\ncaused by: {source}"));
    let hint = error.hint().map(|hint| format!("\nhint: {hint}"));
    format!("{error}{}{}", source.unwrap_or_default(), hint.unwrap_or_default())
}

#[test]
fn bad_connections_say_what_to_mend() {
    insta::assert_snapshot!(drawn(&request(Act::CreateUpload, Fault::WrongSecret, Some(403), Some("SignatureDoesNotMatch"))), @r"
    failed to start an upload to s3://exports/day/a.csv: the secret access key does not match the access key id (HTTP 403, SignatureDoesNotMatch, request id R1)
    hint: Check the secret access key: it belongs to another key id, or has a stray character.
    ");
    insta::assert_snapshot!(drawn(&request(Act::CreateUpload, Fault::UnknownKey, Some(403), Some("InvalidAccessKeyId"))), @r"
    failed to start an upload to s3://exports/day/a.csv: the service does not know the access key id (HTTP 403, InvalidAccessKeyId, request id R1)
    hint: Check the access key id: is it active, and of the service at https://s3.example.com?
    ");
    insta::assert_snapshot!(drawn(&request(Act::CreateUpload, Fault::NoBucket, Some(404), Some("NoSuchBucket"))), @r"
    failed to start an upload to s3://exports/day/a.csv: the bucket does not exist (HTTP 404, NoSuchBucket, request id R1)
    hint: Create the bucket exports, or correct bucket (and endpoint_url) of the destination.
    ");
    insta::assert_snapshot!(drawn(&request(Act::CreateUpload, Fault::WrongRegion(Some("eu-west-3".to_owned())), Some(301), Some("PermanentRedirect"))), @r"
    failed to start an upload to s3://exports/day/a.csv: the bucket is in another region (HTTP 301, PermanentRedirect, request id R1)
    hint: Set region: eu-west-3 in the account.
    ");
    insta::assert_snapshot!(drawn(&request(Act::CreateUpload, Fault::ClockSkew, Some(403), Some("RequestTimeTooSkewed"))), @r"
    failed to start an upload to s3://exports/day/a.csv: the clock of this machine and that of the service differ too much (HTTP 403, RequestTimeTooSkewed, request id R1)
    hint: Set the clock of this machine (NTP): signatures hold for 15 minutes.
    ");
    insta::assert_snapshot!(drawn(&request(Act::CreateUpload, Fault::NotS3, Some(200), None)), @r"
    failed to start an upload to s3://exports/day/a.csv: what answers at the endpoint does not speak S3 (HTTP 200, request id R1)
    hint: Check endpoint_url https://s3.example.com: it must be the S3 address of the service, not its web page.
    ");
    insta::assert_snapshot!(drawn(&request(Act::CreateUpload, Fault::UnknownHost, None, None)), @r"
    failed to start an upload to s3://exports/day/a.csv: the host name of the endpoint does not resolve
    hint: Check the host name in endpoint_url https://s3.example.com, and with addressing: path if the bucket is part of it.
    ");
    insta::assert_snapshot!(drawn(&request(Act::CreateUpload, Fault::ConnectionRefused, None, None)), @r"
    failed to start an upload to s3://exports/day/a.csv: nobody listens at the endpoint
    hint: Check that the service runs at https://s3.example.com and that the port is right.
    ");
    insta::assert_snapshot!(drawn(&request(Act::CreateUpload, Fault::Tls, None, None)), @r"
    failed to start an upload to s3://exports/day/a.csv: no trusted TLS connection to the endpoint
    hint: Check that https://s3.example.com speaks https and that this machine trusts its certificate; ca_file of the account names an authority of your own.
    ");
}

#[test]
fn keys_of_kms_say_what_to_mend() {
    insta::assert_snapshot!(drawn(&request(Act::CreateUpload, Fault::KeyUnusable, Some(400), Some("KMS.DisabledException"))), @r"
    failed to start an upload to s3://exports/day/a.csv: the KMS key cannot be used (HTTP 400, KMS.DisabledException, request id R1)
    hint: Enable the KMS key, or correct kms_key_id of the destination.
    ");
}

#[test]
fn missing_permissions_are_named() {
    for (act, expected) in [
        (Act::CreateUpload, "Grant s3:PutObject on arn:aws:s3:::exports/day/a.csv to"),
        (Act::PutPart, "Grant s3:PutObject on arn:aws:s3:::exports/day/a.csv to"),
        (Act::Abort, "Grant s3:AbortMultipartUpload on arn:aws:s3:::exports/day/a.csv to"),
        (Act::ListParts, "Grant s3:ListMultipartUploadParts on arn:aws:s3:::exports/day/a.csv to"),
        (Act::ListUploads, "Grant s3:ListBucketMultipartUploads on arn:aws:s3:::exports to"),
        (
            Act::Head,
            "Grant s3:GetObject on arn:aws:s3:::exports/day/a.csv, and s3:ListBucket on arn:aws:s3:::exports.",
        ),
    ] {
        let error = request(act, Fault::Denied, Some(403), Some("AccessDenied"));
        assert!(error.hint().unwrap().starts_with(expected), "{:?}", error.hint());
        assert_eq!(error.kind(), Kind::Denied);
    }
}

/// Amazon says which action on which resource was denied: it need not be the one that was asked for.
#[test]
fn what_the_service_names_is_repeated() {
    let denied = |message: &str| {
        let mut error = RequestError {
            act: Act::CreateUpload,
            endpoint: "https://s3.example.com".to_owned(),
            bucket: "exports".to_owned(),
            key: Some("a.csv".to_owned()),
            fault: Fault::Denied,
            status: Some(403),
            code: None,
            message: None,
            request_id: None,
        };
        error.message = Some(short_message(message));
        Error::from(Box::new(error)).hint().unwrap_or_default().to_string()
    };
    insta::assert_snapshot!(denied("User: arn:aws:iam::111122223333:user/segue is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu-west-3:111122223333:key/k because no identity-based policy allows the kms:GenerateDataKey action"), @"Grant kms:GenerateDataKey on arn:aws:kms:eu-west-3:111122223333:key/k to who signs; check the key's policy too.");
    insta::assert_snapshot!(denied("User: arn:aws:iam::111122223333:user/segue is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::exports/a.csv\" because no identity-based policy allows the s3:PutObject action"), @"Grant s3:PutObject on arn:aws:s3:::exports/a.csv to the account's key; check the bucket's policy and owner too.");
    insta::assert_snapshot!(denied("User: arn:aws:iam::111122223333:user/segue is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::exports/a.csv\" with an explicit deny in a resource-based policy"), @"A policy forbids s3:PutObject on arn:aws:s3:::exports/a.csv in this way: `segue check` of the destination finds out whether it demands encryption.");
}

#[test]
fn a_full_disk_and_a_missing_right_are_told_apart() {
    let path = PathBuf::from("out/a.csv");
    let folder = |kind: io::ErrorKind| Error::Folder {
        act: "write",
        path: path.clone(),
        source: kind.into(),
    };
    insta::assert_snapshot!(drawn(&folder(io::ErrorKind::StorageFull)), @r"
    failed to write out/a.csv
    caused by: no storage space
    hint: Free space on the disk of out/a.csv, then run again: nothing of this run is visible.
    ");
    insta::assert_snapshot!(drawn(&folder(io::ErrorKind::PermissionDenied)), @r"
    failed to write out/a.csv
    caused by: permission denied
    hint: Give this user the right to write out/a.csv, or deliver to another folder.
    ");
    assert_eq!(folder(io::ErrorKind::StorageFull).kind(), Kind::Full);
    assert_eq!(folder(io::ErrorKind::PermissionDenied).kind(), Kind::Denied);
}

#[test]
fn what_a_server_wrote_is_cut() {
    for (text, expected) in [
        ("", String::new()),
        ("Access \u{7}Denied\r\n", "Access Denied".to_owned()),
        ("a\n\n  b", "a b".to_owned()),
        (&"x".repeat(MESSAGE_BYTES_MAX + 1), String::new()),
        (&"word ".repeat(100), "word ".repeat(79) + "word"),
    ] {
        assert_eq!(short_message(text), expected);
        assert!(short_message(text).len() <= MESSAGE_BYTES_MAX);
    }
}
