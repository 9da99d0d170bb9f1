//! The S3 store on the lab, a strict service that was written from Amazon's documents: the contracts
//! in every dialect, what faults come to, and what errors say.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use delivery::error::{Error, Kind};
use delivery::store::{
    AtKey, Completion, Evidence, Listing as Uploads, NewUpload, Part, UploadState,
};
use delivery::{Store, s3};
use plan::staged::{Condition, StagedObject};
use s3lab::{
    Action, BucketSpec, Clock, Dialect, Fault, Lab, Listing, Operation, Options, Outcome, Policy,
    SecondComplete,
};

use crate::bench::{BUCKET, Bench, account, lab_account};
use crate::conformance::{Expect, every_case};

async fn every_case_in(dialect: Dialect, expect: Expect) {
    let (_lab, bench) = Bench::lab(Options { dialect, ..Options::default() }).await;
    every_case(&bench, expect).await;
}

#[tokio::test]
async fn amazon_is_a_store() {
    every_case_in(Dialect::default(), Expect::ALL).await;
}

#[tokio::test]
async fn a_service_that_forgets_completed_uploads_is_a_store() {
    for second_complete in [SecondComplete::NotFound, SecondComplete::Denied] {
        every_case_in(Dialect { second_complete, ..Dialect::default() }, Expect::ALL).await;
    }
}

#[tokio::test]
async fn a_service_with_opaque_etags_is_a_store() {
    every_case_in(Dialect { opaque_etags: true, ..Dialect::default() }, Expect::ALL).await;
}

#[tokio::test]
async fn a_service_that_leaves_out_etags_and_uploads_is_a_store() {
    // Who wins a race is told by looking, and not by the answer.
    let expect = Expect { atomic: false, ..Expect::ALL };
    every_case_in(Dialect { bare_completions: true, ..Dialect::default() }, expect).await;
}

#[tokio::test]
async fn a_service_without_checksums_is_a_store() {
    every_case_in(Dialect { no_checksums: true, ..Dialect::default() }, Expect::ALL).await;
}

#[tokio::test]
async fn a_service_without_lists_is_a_store() {
    for listing in [Listing::Denied, Listing::NotImplemented] {
        let expect = Expect { listing: false, ..Expect::ALL };
        every_case_in(Dialect { listing, ..Dialect::default() }, expect).await;
        let dialect = Dialect { listing, ..Dialect::default() };
        let (_lab, bench) = Bench::lab(Options { dialect, ..Options::default() }).await;
        assert_eq!(bench.store.list_uploads("").await.unwrap(), Uploads::NotPermitted);
    }
}

#[tokio::test]
async fn a_service_that_trusts_etags_is_a_store() {
    let expect = Expect { part_etags: false, ..Expect::ALL };
    every_case_in(Dialect { part_etags_unchecked: true, ..Dialect::default() }, expect).await;
}

#[tokio::test]
async fn a_bucket_with_versions_is_a_store() {
    let buckets = vec![BucketSpec { versioned: true, ..BUCKET.into() }];
    let (_lab, bench) = Bench::lab(Options { buckets, ..Options::default() }).await;
    every_case(&bench, Expect::ALL).await;
    let object = bench.stage("versioned", "t", &bench.body(1, 1), Condition::Absent).await;
    let done = bench.store.complete(&object).await;
    assert!(matches!(&done, Completion::Done { version_id: Some(_), .. }), "{done:?}");
    let seen = bench.store.inspect(&object).await.unwrap();
    assert!(matches!(&seen.at_key, AtKey::Ours { version_id: Some(_), .. }), "{seen:?}");
}

#[tokio::test]
async fn the_service_is_made_to_check_everything() {
    let (lab, bench) = Bench::lab(Options::default()).await;
    let body = bench.body(2, 1);
    let object = bench.stage("checked", "t.1", &body, Condition::Absent).await;
    assert!(object.parts.iter().all(|part| part.crc64nvme.is_some()));
    bench.complete(&object).await;
    let found = lab.object(BUCKET, "day/checked").unwrap();
    let expected =
        ("CRC64NVME".to_owned(), "FULL_OBJECT".to_owned(), object.crc64nvme.clone().unwrap());
    assert_eq!(found.checksum, Some(expected));
    assert_eq!(found.metadata.get("segue-token").map(String::as_str), Some("t.1"));
    assert_eq!(found.content_type.as_deref(), Some("text/csv"));
    assert_eq!(found.content_encoding, None);
    let seen = bench.store.inspect(&object).await.unwrap();
    assert!(matches!(seen.at_key, AtKey::Ours { evidence: Evidence::Checksum, .. }), "{seen:?}");
}

#[tokio::test]
async fn a_service_that_refuses_the_checksum_gets_another() {
    let (lab, bench) = Bench::lab(Options::default()).await;
    for (status, code) in
        [(501, "NotImplemented"), (400, "InvalidArgument"), (400, "InvalidRequest")]
    {
        let (lab, bench) = Bench::lab(Options::default()).await;
        let refuse = Action::answer(status, code);
        lab.faults().add(Fault::on(Operation::CreateMultipartUpload, refuse));
        let object = bench.stage("plain", "t", &bench.body(1, 1), Condition::Absent).await;
        assert_eq!(object.crc64nvme, None);
        bench.complete(&object).await;
        let seen = bench.store.inspect(&object).await.unwrap();
        assert!(
            matches!(seen.at_key, AtKey::Ours { evidence: Evidence::ETag, .. }),
            "{code}: {seen:?}"
        );
        // It is remembered: the next upload asks only once.
        lab.clear_log();
        bench.stage("next", "t", &bench.body(1, 1), Condition::Absent).await;
        assert_eq!(count(&lab, Operation::CreateMultipartUpload), 1, "{code}");
    }
    // Another reason for the same answer is reported, and not taken for a missing checksum.
    lab.faults().add(
        Fault::on(Operation::CreateMultipartUpload, Action::answer(400, "InvalidArgument"))
            .times(2),
    );
    let error = create(&bench, "refused").await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidArgument"));
    bench.complete(&bench.stage("after", "t", &bench.body(1, 1), Condition::Absent).await).await;
    assert!(lab.object(BUCKET, "day/after").unwrap().checksum.is_some());
}

#[tokio::test]
async fn a_service_that_ignores_the_checksum_is_given_md5() {
    let dialect = Dialect { no_checksums: true, ..Dialect::default() };
    let (lab, bench) = Bench::lab(Options { dialect, ..Options::default() }).await;
    let object = bench.stage("ignored", "t", &bench.body(2, 1), Condition::Absent).await;
    assert_eq!(object.crc64nvme, None);
    // The first part that was not confirmed was sent once more; those after it were not.
    assert_eq!(count(&lab, Operation::UploadPart), object.parts.len() + 1);
}

/// How often an operation was asked for.
fn count(lab: &Lab, operation: Operation) -> usize {
    lab.log().iter().filter(|entry| entry.operation == operation).count()
}

async fn create(bench: &Bench, name: &str) -> Result<String, Error> {
    create_in(&*bench.store, &bench.key(name)).await
}

async fn create_in(store: &dyn Store, key: &str) -> Result<String, Error> {
    let new = NewUpload {
        key: key.to_owned(),
        token: "t".to_owned(),
        content_type: "text/csv".to_owned(),
        part_bytes: 5,
    };
    store.create_upload(&new).await
}

#[tokio::test]
async fn an_unclear_answer_is_settled_by_looking() {
    let error_body = |outcome| Action::OkWithError { code: "InternalError".to_owned(), outcome };
    for (action, is_done) in [
        (Action::LoseReply, true),
        (Action::CutReply { after_bytes: 20 }, true),
        (Action::TruncateReply { after_bytes: 60 }, true),
        (error_body(Outcome::Done), true),
        (error_body(Outcome::NotDone), false),
        (Action::internal_error(), false),
        (Action::slow_down_late(), false),
        (Action::answer(500, "InternalError"), false),
    ] {
        let (lab, bench) = Bench::lab(Options::default()).await;
        let object = bench.stage("unclear", "t", &bench.body(1, 1), Condition::Absent).await;
        lab.faults().add(Fault::on(Operation::CompleteMultipartUpload, action.clone()));
        let ended = bench.store.complete(&object).await;
        assert!(matches!(ended, Completion::Unclear(_)), "{action:?}: {ended:?}");
        assert_eq!(count(&lab, Operation::CompleteMultipartUpload), 1, "{action:?} was sent again");
        let seen = bench.store.inspect(&object).await.unwrap();
        if is_done {
            assert!(matches!(seen.at_key, AtKey::Ours { .. }), "{action:?}: {seen:?}");
            assert_ne!(seen.upload, UploadState::Alive, "{action:?}");
        } else {
            assert_eq!(
                (seen.at_key, seen.upload),
                (AtKey::Absent, UploadState::Alive),
                "{action:?}"
            );
            bench.complete(&object).await;
        }
    }
}

#[tokio::test]
async fn clear_answers_are_told_apart() {
    type Test = fn(&Completion) -> bool;
    let cases: [(u16, &str, Test); 6] = [
        (404, "NoSuchUpload", |ended| matches!(ended, Completion::Gone(_))),
        (412, "PreconditionFailed", |ended| matches!(ended, Completion::ConditionFailed(_))),
        (409, "ConditionalRequestConflict", |ended| matches!(ended, Completion::Conflict(_))),
        (400, "InvalidPart", |ended| matches!(ended, Completion::Refused(_))),
        (403, "AccessDenied", |ended| matches!(ended, Completion::Denied(_))),
        (400, "ExpiredToken", |ended| matches!(ended, Completion::Denied(_))),
    ];
    for (status, code, is_expected) in cases {
        let (lab, bench) = Bench::lab(Options::default()).await;
        let object = bench.stage("clear", "t", &bench.body(1, 1), Condition::Absent).await;
        lab.faults()
            .add(Fault::on(Operation::CompleteMultipartUpload, Action::answer(status, code)));
        let ended = bench.store.complete(&object).await;
        assert!(is_expected(&ended), "{code}: {ended:?}");
        assert_eq!(count(&lab, Operation::CompleteMultipartUpload), 1, "{code} was sent again");
    }
}

#[tokio::test]
async fn a_part_survives_what_a_network_does() {
    for action in [
        Action::slow_down_early(),
        Action::slow_down_late(),
        Action::internal_error(),
        Action::ResetRequest { after_bytes: 3 },
        Action::LoseReply,
        Action::answer(400, "BadDigest"),
    ] {
        let (lab, bench) = Bench::lab(Options::default()).await;
        let fault = lab.faults().add(Fault::on(Operation::UploadPart, action.clone()).skip(1));
        let body = bench.body(2, 1);
        let object = bench.stage("robust", "t", &body, Condition::Absent).await;
        assert_eq!(lab.faults().acted(fault), 1, "{action:?}");
        bench.complete(&object).await;
        assert_eq!(bench.read("robust").await, Some(body), "{action:?}");
    }
}

#[tokio::test]
async fn a_part_that_always_arrives_damaged_is_given_up() {
    let (lab, bench) = Bench::lab(Options::default()).await;
    lab.faults().add(Fault::on(Operation::UploadPart, Action::answer(400, "BadDigest")).always());
    let upload_id = create(&bench, "damaged").await.unwrap();
    let part = Part::new(1, Bytes::from_static(b"x"));
    let error = bench.store.put_part(&bench.key("damaged"), &upload_id, &part).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert_eq!(count(&lab, Operation::UploadPart), s3::DAMAGED_ATTEMPTS_MAX as usize);
}

#[tokio::test]
async fn a_part_in_flight_that_survives_an_abort_is_aborted_again() {
    let (lab, bench) = Bench::lab(Options::default()).await;
    let upload_id = create(&bench, "raced").await.unwrap();
    // The service says yes to the first abort and keeps the upload.
    let lie = Action::answer(204, "");
    let fault = lab.faults().add(Fault::on(Operation::AbortMultipartUpload, lie));
    bench.store.abort(&bench.key("raced"), &upload_id).await.unwrap();
    assert_eq!(lab.faults().acted(fault), 1);
    assert_eq!(count(&lab, Operation::AbortMultipartUpload), 2);
    assert_eq!(lab.open_uploads(BUCKET), []);
}

#[tokio::test]
async fn an_upload_whose_opening_was_answered_too_late_is_not_left_open() {
    for action in [Action::LoseReply, Action::CutReply { after_bytes: 20 }] {
        let (lab, bench) = Bench::lab(Options::default()).await;
        let other = create(&bench, "other").await.unwrap();
        lab.faults().add(Fault::on(Operation::CreateMultipartUpload, action.clone()).times(2));
        let upload_id = create(&bench, "repeated").await.unwrap();
        let open = lab.open_uploads(BUCKET);
        let mut open: Vec<&str> = open.iter().map(|upload| upload.upload_id.as_str()).collect();
        open.sort_unstable();
        let mut expected = [other.as_str(), upload_id.as_str()];
        expected.sort_unstable();
        assert_eq!(open, expected, "{action:?}");
    }
}

#[tokio::test]
async fn the_region_is_learnt_once() {
    let buckets = vec![BucketSpec { region: Some("eu-west-3".to_owned()), ..BUCKET.into() }];
    let (lab, bench) = Bench::lab(Options { buckets, ..Options::default() }).await;
    let object = bench.stage("region", "t", &bench.body(1, 1), Condition::Absent).await;
    bench.complete(&object).await;
    let redirected =
        lab.log().iter().filter(|entry| entry.status == 301 || entry.status == 400).count();
    assert_eq!(redirected, 1, "{:?}", lab.log());
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_corrected_or_named() {
    let clock = Clock::new(|| {
        #[expect(
            clippy::disallowed_methods,
            reason = "the lab's clock runs ahead of the machine's"
        )]
        let now = SystemTime::now();
        now + Duration::from_secs(20 * 60)
    });
    let (_lab, bench) = Bench::lab(Options { clock, ..Options::default() }).await;
    // The client corrects its signing time by the `Date` of the answer, if that shows the difference.
    if let Err(error) = create(&bench, "skewed").await {
        assert_eq!(error.kind(), Kind::Connection);
        insta::assert_snapshot!(error.hint().unwrap(), @"Set the clock of this machine (NTP): signatures hold for 15 minutes.");
    }
}

/// A secret that must be seen nowhere.
const CANARY: &str = "canary-secret-that-no-text-may-hold";

/// An error as it is drawn, with what differs from run to run cut out.
fn drawn(error: &Error, lab: &Lab) -> String {
    let text = format!("{error}\nhint: {}", error.hint().unwrap_or_default());
    for shown in [&text, &format!("{error:?}")] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
    let text = text.replace(&lab.endpoint(), "http://lab");
    match text.split_once("request id ") {
        Some((before, after)) => {
            let (_id, after) = after.split_at(after.find([')', ',']).unwrap_or(0));
            format!("{before}request id R{after}")
        }
        None => text,
    }
}

#[tokio::test]
async fn a_wrong_account_is_a_clear_error() {
    let (lab, _bench) = Bench::lab(Options::default()).await;
    let user = s3lab::User::default();

    let wrong = account(lab.endpoint(), user.access_key_id, CANARY.to_owned());
    let store = s3::connect(&wrong, BUCKET, None).await.unwrap();
    let error = create_in(&store, "a.csv").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    insta::assert_snapshot!(drawn(&error, &lab), @r"
    failed to start an upload to s3://exports/a.csv: the secret access key does not match the access key id (HTTP 403, SignatureDoesNotMatch, request id R)
    hint: Check the secret access key: it belongs to another key id, or has a stray character.
    ");

    let unknown = account(lab.endpoint(), "NOSUCHACCESSKEY00000".to_owned(), CANARY.to_owned());
    let store = s3::connect(&unknown, BUCKET, None).await.unwrap();
    let error = create_in(&store, "a.csv").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    insta::assert_snapshot!(drawn(&error, &lab), @r"
    failed to start an upload to s3://exports/a.csv: the service does not know the access key id (HTTP 403, InvalidAccessKeyId, request id R): The AWS Access Key Id you provided does not exist in our records.
    hint: Check the access key id: is it active, and of the service at http://lab?
    ");

    let store = s3::connect(&lab_account(&lab), "no-such-bucket", None).await.unwrap();
    let error = create_in(&store, "a.csv").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Connection);
    insta::assert_snapshot!(drawn(&error, &lab), @r"
    failed to start an upload to s3://no-such-bucket/a.csv: the bucket does not exist (HTTP 404, NoSuchBucket, request id R): The specified bucket does not exist
    hint: Create the bucket no-such-bucket, or correct bucket (and endpoint_url) of the destination.
    ");

    let store = s3::connect(&lab_account(&lab), BUCKET, Some("999999999999")).await.unwrap();
    let error = create_in(&store, "a.csv").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    for action in ["s3:PutObject", "s3:AbortMultipartUpload"] {
        let (lab, bench) = Bench::lab(Options::default()).await;
        let object = bench.stage("denied", "t", &bench.body(1, 1), Condition::Absent).await;
        assert!(
            lab.set_policy(&s3lab::User::default().access_key_id, Policy::all().without(&[action]))
        );
        let error = match action {
            "s3:PutObject" => create(&bench, "denied").await.unwrap_err(),
            _ => bench.store.abort(&object.key, &object.upload_id).await.unwrap_err(),
        };
        assert_eq!(error.kind(), Kind::Denied);
        let expected = format!("Grant {action} on arn:aws:s3:::exports/day/denied ");
        assert!(error.hint().unwrap().starts_with(&expected), "{:?}", error.hint());
    }
}

#[tokio::test]
async fn what_may_not_be_seen_is_told() {
    let (lab, bench) = Bench::lab(Options::default()).await;
    let object = bench.stage("unseen", "t", &bench.body(1, 1), Condition::Absent).await;
    let blind = Policy::only(&["s3:PutObject", "s3:AbortMultipartUpload"]);
    assert!(lab.set_policy(&s3lab::User::default().access_key_id, blind));
    bench.complete(&object).await;
    let seen = bench.store.inspect(&object).await.unwrap();
    assert_eq!((seen.at_key, seen.upload), (AtKey::CannotSee, UploadState::CannotSee));
}

#[tokio::test]
async fn damage_is_found_after_the_upload() {
    let (lab, bench) = Bench::lab(Options::default()).await;
    let object = bench.stage("verified", "t", &bench.body(1, 1), Condition::Absent).await;
    bench.complete(&object).await;
    let shorter = StagedObject { bytes: object.bytes + 1, ..object.clone() };
    let AtKey::OursButDifferent { difference } =
        bench.store.inspect(&shorter).await.unwrap().at_key
    else {
        panic!("the damage is not seen");
    };
    let error = delivery::publish::damaged(&shorter, &difference);
    insta::assert_snapshot!(error, @"day/verified is not what was staged: 6 bytes instead of 7");
    lab.put(BUCKET, "day/verified", "stranger").await.unwrap();
    let seen = bench.store.inspect(&object).await.unwrap();
    assert!(matches!(seen.at_key, AtKey::Foreign { .. }), "{seen:?}");
    lab.delete(BUCKET, "day/verified").unwrap();
    let seen = bench.store.inspect(&object).await.unwrap();
    assert_eq!(seen.at_key, AtKey::Absent);
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_a_clear_error() {
    let (lab, _bench) = Bench::lab(Options::default()).await;
    let user = s3lab::User::default();
    let over_tls = lab.endpoint().replace("http://", "https://");
    let tls = account(over_tls, user.access_key_id.clone(), user.secret_access_key.clone());
    let store = s3::connect(&tls, BUCKET, None).await.unwrap();
    let error = create_in(&store, "a.csv").await.unwrap_err();
    assert!(error.to_string().ends_with("no trusted TLS connection to the endpoint"), "{error:?}");

    let account = lab_account(&lab);
    lab.stop().await;
    let store = s3::connect(&account, BUCKET, None).await.unwrap();
    let error = create_in(&store, "a.csv").await.unwrap_err();
    assert!(error.to_string().ends_with("nobody listens at the endpoint"), "{error:?}");
    assert_eq!(error.kind(), Kind::Connection);
}
