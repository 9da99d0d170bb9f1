//! Every fault, seen from the client's end and from behind the service.

use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use s3lab::{Action, Backend, Fault, Lab, Operation, Outcome};

use crate::client::{body, client, code, get, put, start, status};
use crate::multipart::two_parts;
use crate::raw::{Request, exchange};

async fn lab() -> (Lab, Client) {
    let lab = start(Backend::Memory).await;
    let client = client(&lab);
    (lab, client)
}

async fn put_code(client: &Client, key: &str) -> String {
    code(&client.put_object().bucket("bucket").key(key).body(body("hello")).send().await)
}

#[tokio::test]
async fn answers_instead_of_the_operation() {
    for (action, expected) in [
        (Action::slow_down_early(), (503, "SlowDown")),
        (Action::slow_down_late(), (503, "SlowDown")),
        (Action::internal_error(), (500, "InternalError")),
        (Action::expired_token(), (400, "ExpiredToken")),
        (Action::answer(403, "AccessDenied"), (403, "AccessDenied")),
        (Action::answer(404, "NoSuchUpload"), (404, "NoSuchUpload")),
        (Action::answer(400, "BadDigest"), (400, "BadDigest")),
        (Action::answer(409, "ConditionalRequestConflict"), (409, "ConditionalRequestConflict")),
    ] {
        let (lab, client) = lab().await;
        let id = lab.faults().add(Fault::on(Operation::PutObject, action.clone()));
        let refused =
            client.put_object().bucket("bucket").key("k").body(body("hello")).send().await;
        assert_eq!((status(&refused), code(&refused).as_str()), expected, "{action:?}");
        assert!(lab.keys("bucket").is_empty(), "{action:?}");
        assert_eq!(put_code(&client, "k").await, "ok", "the fault acts once");
        assert_eq!(lab.faults().acted(id), 1);
        let log = lab.log();
        assert_eq!(
            (log[0].faulted, log[0].status, log[0].code.as_deref()),
            (true, expected.0, Some(expected.1))
        );
        assert!(!log[1].faulted);
    }
}

#[tokio::test]
async fn early_and_late_answers_differ_in_what_was_read() {
    let (lab, client) = lab().await;
    let large = vec![b'x'; 3_000_000];
    let upload = || {
        client.put_object().bucket("bucket").key("k").body(ByteStream::from(large.clone())).send()
    };
    lab.faults().add(Fault::on_any(Action::slow_down_late()));
    assert_eq!(code(&upload().await), "SlowDown");
    assert_eq!(lab.log()[0].bytes_in, 3_000_000);
    lab.faults().add(Fault::on_any(Action::slow_down_early()));
    let early = code(&upload().await);
    // The answer may be lost behind the client's own broken pipe: that is what the early form is for.
    assert!(["SlowDown", "no answer", "broken answer"].contains(&early.as_str()), "{early}");
    assert_eq!(lab.log()[1].bytes_in, 0);
}

#[tokio::test]
async fn reset_in_the_middle_of_a_body() {
    let (lab, client) = lab().await;
    lab.faults()
        .add(Fault::on(Operation::PutObject, Action::ResetRequest { after_bytes: 100_000 }));
    let large = ByteStream::from(vec![b'x'; 3_000_000]);
    let broken = client.put_object().bucket("bucket").key("k").body(large).send().await;
    assert_eq!(code(&broken), "no answer");
    assert!(lab.keys("bucket").is_empty());
    let entry = &lab.log()[0];
    assert_eq!(
        (entry.status, entry.bytes_in < 3_000_000, entry.bytes_in >= 100_000),
        (0, true, true)
    );
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let (lab, _) = lab().await;
    lab.faults().add(Fault::on_any(Action::LoseReply));
    let request = Request::new("PUT", "/bucket/k", b"hello").signed(&lab).text;
    let error = exchange(&lab, &request).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_lost_reply_leaves_the_work_done() {
    let (lab, client) = lab().await;
    lab.faults().add(Fault::on(Operation::PutObject, Action::LoseReply));
    assert_eq!(put_code(&client, "k").await, "no answer");
    assert_eq!(get(&client, "bucket", "k").await, "hello");

    lab.faults().add(Fault::on(Operation::CompleteMultipartUpload, Action::LoseReply));
    let upload = two_parts(&client, "m").await;
    assert_eq!(code(&upload.finish().await), "no answer");
    assert_eq!(code(&upload.finish().await), "ok");
    assert_eq!(lab.history().len(), 2);
}

#[tokio::test]
async fn a_cut_reply_is_noticed() {
    let (lab, client) = lab().await;
    put(&client, "bucket", "k", &"0123456789".repeat(1000)).await;
    lab.faults().add(Fault::on(Operation::GetObject, Action::CutReply { after_bytes: 500 }));
    let got = client.get_object().bucket("bucket").key("k").send().await.unwrap();
    assert_eq!(got.content_length(), Some(10_000));
    assert!(got.body.collect().await.is_err());

    lab.faults().add(Fault::on(Operation::GetObject, Action::CutReply { after_bytes: 500 }));
    let request = Request::new("GET", "/bucket/k", b"").send(&lab).await;
    assert_eq!((request.status, request.body.len()), (200, 500));

    lab.faults()
        .add(Fault::on(Operation::CompleteMultipartUpload, Action::CutReply { after_bytes: 20 }));
    let upload = two_parts(&client, "m").await;
    assert_eq!(code(&upload.finish().await), "broken answer");
    assert!(lab.object("bucket", "m").is_some());
}

#[tokio::test]
async fn a_truncated_reply_is_whole_for_http() {
    let (lab, client) = lab().await;
    let upload = two_parts(&client, "m").await;
    lab.faults().add(Fault::on(
        Operation::CompleteMultipartUpload,
        Action::TruncateReply { after_bytes: 90 },
    ));
    let outcome = upload.finish().await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert!(lab.object("bucket", "m").is_some());
    lab.faults().add(Fault::on(Operation::ListBuckets, Action::TruncateReply { after_bytes: 9 }));
    let listed = Request::new("GET", "/", b"").send(&lab).await;
    assert_eq!((listed.status, listed.headers["content-length"].as_str()), (200, "9"));
}

#[tokio::test]
async fn hanging_requests_go_on_when_released() {
    for outcome in [Outcome::NotDone, Outcome::Done] {
        let (lab, client) = lab().await;
        lab.faults().add(Fault::on(Operation::PutObject, Action::Hang(outcome)));
        let request = tokio::spawn(async move { put_code(&client, "k").await });
        for _ in 0..100 {
            if lab.object("bucket", "k").is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(lab.object("bucket", "k").is_some(), outcome == Outcome::Done);
        assert!(!request.is_finished());
        lab.faults().release();
        assert_eq!(request.await.unwrap(), "ok");
        assert!(lab.object("bucket", "k").is_some());
    }
}

#[tokio::test]
async fn a_lab_stops_over_hanging_requests() {
    let (lab, client) = lab().await;
    lab.faults().add(Fault::on_any(Action::Hang(Outcome::NotDone)));
    let request = tokio::spawn(async move { put_code(&client, "k").await });
    tokio::time::sleep(Duration::from_millis(30)).await;
    lab.stop().await;
    assert_eq!(request.await.unwrap(), "no answer");
}

#[tokio::test]
async fn a_dropped_lab_stops_listening() {
    let (lab, _) = lab().await;
    let address = lab.address();
    drop(lab);
    for _ in 0..100 {
        if tokio::net::TcpStream::connect(address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the port is still open");
}

#[tokio::test]
async fn a_slow_body_takes_its_time() {
    let (lab, client) = lab().await;
    lab.faults().add(Fault::on_any(Action::SlowBody { bytes_per_second: 1_000_000 }));
    let began = Instant::now();
    let large = ByteStream::from(vec![b'x'; 300_000]);
    client.put_object().bucket("bucket").key("k").body(large).send().await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(250), "{:?}", began.elapsed());
    assert_eq!(lab.object("bucket", "k").unwrap().size, 300_000);
}

#[tokio::test]
async fn success_that_is_an_error() {
    for outcome in [Outcome::NotDone, Outcome::Done] {
        let (lab, client) = lab().await;
        let upload = two_parts(&client, "m").await;
        let action = Action::OkWithError { code: "InternalError".into(), outcome };
        lab.faults().add(Fault::on(Operation::CompleteMultipartUpload, action.clone()));
        assert_eq!(
            code(&upload.finish().await),
            "InternalError",
            "the SDK reads the body of a 200"
        );
        assert_eq!(lab.object("bucket", "m").is_some(), outcome == Outcome::Done);
        assert_eq!(lab.log().last().unwrap().status, 200);
        assert_eq!(code(&upload.finish().await), "ok");
        assert_eq!(lab.history().len(), 1);
    }
}

#[tokio::test]
async fn a_duplicate_that_comes_late_changes_nothing() {
    let (lab, client) = lab().await;
    let upload = two_parts(&client, "m").await;
    lab.faults().add(Fault::on(Operation::CompleteMultipartUpload, Action::HoldDuplicate));
    assert_eq!(code(&upload.finish().await), "ok");
    assert_eq!(lab.faults().held(), 1);
    put(&client, "bucket", "m", "the next run").await;
    assert_eq!(lab.deliver_held().await, [(200, None)]);
    assert_eq!(get(&client, "bucket", "m").await, "the next run");
    assert_eq!((lab.history().len(), lab.faults().held()), (2, 0));
}

#[tokio::test]
async fn a_late_duplicate_of_a_put_does_harm_unless_it_has_a_condition() {
    let (lab, client) = lab().await;
    let first = put(&client, "bucket", "pointer", "run 0").await;
    for conditional in [false, true] {
        lab.faults().add(Fault::on(Operation::PutObject, Action::HoldDuplicate));
        let etag = lab.object("bucket", "pointer").unwrap().etag;
        let update = client.put_object().bucket("bucket").key("pointer").body(body("run 1"));
        let update = if conditional { update.if_match(&etag) } else { update };
        update.send().await.unwrap();
        put(&client, "bucket", "pointer", "run 2").await;
        let answers = lab.deliver_held().await;
        let seen = get(&client, "bucket", "pointer").await;
        if conditional {
            assert_eq!(answers, [(412, Some("PreconditionFailed".to_owned()))]);
            assert_eq!(seen, "run 2");
        } else {
            assert_eq!((answers, seen.as_str()), (vec![(200, None)], "run 1"));
        }
    }
    assert_ne!(lab.object("bucket", "pointer").unwrap().etag, first);
}

#[tokio::test]
async fn faults_are_chosen_by_key_and_number() {
    let (lab, client) = lab().await;
    lab.faults()
        .add(Fault::on_any(Action::internal_error()).key_contains("part-").skip(1).times(2));
    let mut seen = Vec::new();
    for key in ["part-1", "other", "part-2", "part-3", "part-4"] {
        seen.push(put_code(&client, key).await);
    }
    assert_eq!(seen, ["ok", "ok", "InternalError", "InternalError", "ok"]);
    lab.faults().add(Fault::on_any(Action::internal_error()).always());
    assert_eq!(
        [put_code(&client, "a").await, put_code(&client, "b").await],
        ["InternalError", "InternalError"]
    );
    lab.faults().clear();
    assert_eq!(put_code(&client, "a").await, "ok");
}

/// Three parts fail in turn: the loop that tests of crashes and retries are made of.
#[tokio::test]
async fn every_call_of_an_upload_can_fail_in_turn() {
    for failing in 0..5 {
        let (lab, client) = lab().await;
        lab.faults().add(Fault::on_any(Action::internal_error()).skip(failing));
        let mut outcome = Vec::new();
        let begun = client.create_multipart_upload().bucket("bucket").key("k").send().await;
        outcome.push(code(&begun));
        let id = begun.ok().and_then(|begun| begun.upload_id).unwrap_or_default();
        let parts = (1..=2).map(|number| {
            client
                .upload_part()
                .bucket("bucket")
                .key("k")
                .upload_id(&id)
                .part_number(number)
                .body(body("x"))
                .send()
        });
        for part in parts {
            outcome.push(code(&part.await));
        }
        outcome
            .push(code(&client.list_parts().bucket("bucket").key("k").upload_id(&id).send().await));
        outcome.push(code(
            &client.abort_multipart_upload().bucket("bucket").key("k").upload_id(&id).send().await,
        ));
        let index = usize::try_from(failing).unwrap();
        assert_eq!(outcome[index], "InternalError", "{outcome:?}");
    }
}
