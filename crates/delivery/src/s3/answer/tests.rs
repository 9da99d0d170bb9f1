use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadError;
use aws_sdk_s3::primitives::SdkBody;

use super::*;

type Answer = SdkError<CompleteMultipartUploadError, HttpResponse>;

/// An answer as the SDK hands it over.
fn answer(
    status: u16,
    code: Option<&str>,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
) -> Answer {
    let status = status.try_into().unwrap();
    let mut raw = HttpResponse::new(status, SdkBody::from(body));
    for (name, value) in headers {
        raw.headers_mut().insert(*name, *value);
    }
    let meta = aws_sdk_s3::error::ErrorMetadata::builder();
    let meta = match code {
        Some(code) => meta.code(code).message("a message").build(),
        None => meta.build(),
    };
    SdkError::service_error(CompleteMultipartUploadError::generic(meta), raw)
}

fn fault(answer: &Answer) -> Fault {
    failure(Act::Complete, "https://s3.example.com", "exports", Some("a.csv"), answer).fault
}

#[test]
fn answers_are_sorted_by_code_and_else_by_status() {
    for (status, code, expected) in [
        (403, Some("SignatureDoesNotMatch"), Fault::WrongSecret),
        (403, Some("InvalidAccessKeyId"), Fault::UnknownKey),
        (400, Some("InvalidToken"), Fault::WrongToken),
        (400, Some("KMS.DisabledException"), Fault::KeyUnusable),
        (403, Some("AccessDenied"), Fault::Denied),
        (403, None, Fault::Denied),
        (400, Some("ExpiredToken"), Fault::ExpiredToken),
        (403, Some("RequestTimeTooSkewed"), Fault::ClockSkew),
        (404, Some("NoSuchBucket"), Fault::NoBucket),
        (404, Some("NoSuchUpload"), Fault::NoUpload),
        (412, Some("PreconditionFailed"), Fault::ConditionFailed),
        (412, None, Fault::ConditionFailed),
        (409, Some("ConditionalRequestConflict"), Fault::Conflict),
        (400, Some("BadDigest"), Fault::Damaged),
        (400, Some("InvalidPart"), Fault::Refused),
        (400, Some("EntityTooSmall"), Fault::Refused),
        (501, Some("NotImplemented"), Fault::Unsupported),
        (503, Some("SlowDown"), Fault::Throttled),
        (500, Some("InternalError"), Fault::Unavailable),
        (502, None, Fault::Unavailable),
        (200, Some("InternalError"), Fault::Unavailable),
        (200, Some("SomethingNew"), Fault::Unavailable),
        (200, None, Fault::Broken),
        (404, None, Fault::NotS3),
        (418, None, Fault::NotS3),
    ] {
        assert_eq!(fault(&answer(status, code, &[], "")), expected, "{status} {code:?}");
    }
}

#[test]
fn a_web_page_is_no_answer_of_s3() {
    for (status, code) in [(200, None), (403, None), (403, Some("AccessDenied")), (503, None)] {
        let page = [("content-type", "text/html; charset=utf-8")];
        assert_eq!(fault(&answer(status, code, &page, "<html>")), Fault::NotS3, "{status}");
    }
}

#[test]
fn what_sts_says_is_kept() {
    let refused = |status, code: &str| Refused {
        role_arn: "arn:aws:iam::111122223333:role/segue".to_owned(),
        status: Some(status),
        code: Some(code.to_owned()),
        message: None,
        request_id: Some("R1".to_owned()),
    };
    for (status, code, expected) in [
        (403, "SignatureDoesNotMatch", Fault::WrongSecret),
        (403, "InvalidClientTokenId", Fault::UnknownKey),
        (403, "ExpiredToken", Fault::ExpiredToken),
        (503, "ServiceUnavailable", Fault::Unavailable),
        (
            403,
            "AccessDenied",
            Fault::RoleRefused("arn:aws:iam::111122223333:role/segue".to_owned()),
        ),
    ] {
        let error = CredentialsError::provider_error(refused(status, code));
        let lost: Answer = SdkError::construction_failure(error);
        let failure = failure(Act::PutPart, "e", "exports", Some("a.csv"), &lost);
        assert_eq!(failure.fault, expected, "{code}");
        assert_eq!(failure.act, Act::SignIn);
        assert_eq!((failure.status, failure.request_id.as_deref()), (Some(status), Some("R1")));
    }
    let nothing: Answer =
        SdkError::construction_failure(CredentialsError::not_loaded("nothing was found"));
    let failure = failure(Act::PutPart, "e", "exports", Some("a.csv"), &nothing);
    assert_eq!(failure.fault, Fault::NoCredentials);
}

#[test]
fn the_region_is_read_from_header_or_body() {
    let body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>";
    for (status, code, headers, body, expected) in [
        (
            301,
            Some("PermanentRedirect"),
            vec![("x-amz-bucket-region", "eu-west-3")],
            "",
            Some("eu-west-3"),
        ),
        (400, Some("AuthorizationHeaderMalformed"), vec![], body, Some("eu-west-3")),
        (400, None, vec![("x-amz-bucket-region", "eu-west-3")], "", Some("eu-west-3")),
        (301, None, vec![], "", None),
        (301, None, vec![("x-amz-bucket-region", "http://evil.example.com/")], "", None),
    ] {
        let expected = Fault::WrongRegion(expected.map(str::to_owned));
        assert_eq!(fault(&answer(status, code, &headers, body)), expected, "{status} {code:?}");
    }
}

/// Garage names its region in every error.
#[test]
fn a_region_beside_another_error_is_no_wrong_one() {
    let body = "<Error><Code>InvalidRequest</Code><Region>us-east-1</Region></Error>";
    assert_eq!(fault(&answer(400, Some("InvalidRequest"), &[], body)), Fault::Refused);
}

#[test]
fn the_parts_of_an_upload_that_is_not_there_are_none() {
    for (act, expected) in [(Act::ListParts, Fault::NoUpload), (Act::Read, Fault::Refused)] {
        let missing = answer(404, Some("NoSuchKey"), &[], "");
        let failure = failure(act, "e", "exports", Some("a.csv"), &missing);
        assert_eq!(failure.fault, expected, "{act:?}");
    }
}

#[test]
fn an_attempt_to_complete_is_clear_only_when_the_service_says_so() {
    for (status, code, expected) in [
        (404, Some("NoSuchUpload"), "Gone"),
        (412, Some("PreconditionFailed"), "ConditionFailed"),
        (404, Some("NoSuchKey"), "ConditionFailed"),
        (409, Some("ConditionalRequestConflict"), "Conflict"),
        (400, Some("InvalidPart"), "Refused"),
        (400, Some("InvalidPartOrder"), "Refused"),
        (400, Some("EntityTooSmall"), "Refused"),
        (400, Some("BadDigest"), "Refused"),
        (403, Some("AccessDenied"), "Denied"),
        (403, Some("SignatureDoesNotMatch"), "Denied"),
        (404, Some("NoSuchBucket"), "Denied"),
        (301, Some("PermanentRedirect"), "Misdirected"),
        (307, Some("TemporaryRedirect"), "Misdirected"),
        (400, Some("AuthorizationHeaderMalformed"), "Misdirected"),
        (200, Some("InternalError"), "Unclear"),
        (200, Some("InvalidPart"), "Unclear"),
        (200, None, "Unclear"),
        (500, Some("InternalError"), "Unclear"),
        (503, Some("SlowDown"), "Unclear"),
        (404, None, "Unclear"),
        (408, None, "Unclear"),
    ] {
        let failure =
            failure(Act::Complete, "e", "exports", Some("a.csv"), &answer(status, code, &[], ""));
        let sorted = format!("{:?}", completion(failure));
        assert!(sorted.starts_with(expected), "{status} {code:?}: {sorted}");
    }
    let lost: Answer = SdkError::timeout_error("no answer");
    let failure = failure(Act::Complete, "e", "exports", Some("a.csv"), &lost);
    assert!(matches!(completion(failure), Completion::Unclear(_)));
}

#[test]
fn connections_that_fail_are_told_apart() {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    assert_eq!(fault_of_connection(&refused), Fault::ConnectionRefused);
    for (text, expected) in [
        (
            "dns error: failed to lookup address information: Name or service not known",
            Fault::UnknownHost,
        ),
        (
            "dns error: the name leads to an address that no service can be at",
            Fault::ForbiddenAddress,
        ),
        ("invalid peer certificate: UnknownIssuer", Fault::Tls),
        ("received corrupt message of type InvalidContentType", Fault::Tls),
        ("connection closed before message completed", Fault::Broken),
    ] {
        assert_eq!(fault_of_connection(&io::Error::other(text)), expected, "{text}");
    }
}
