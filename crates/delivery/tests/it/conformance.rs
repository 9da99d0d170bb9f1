//! What every store must do, as the documentation of [`delivery::Store`] says it. The same cases run
//! on a folder, on the lab in all its dialects, and on a real server.

use bytes::Bytes;
use delivery::store::{AtKey, Completion, Listing, Part, UploadState};
use plan::staged::Condition;

use crate::bench::Bench;

/// What a service may do differently, so that a case expects less.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expect {
    /// The ETags of parts are compared when an upload is completed.
    pub(crate) part_etags: bool,
    /// Uploads and parts can be listed.
    pub(crate) listing: bool,
    /// `If-None-Match` is honoured when an upload is completed.
    pub(crate) if_none_match: bool,
    /// `If-Match` is honoured when an upload is completed.
    pub(crate) if_match: bool,
    /// Completing an upload that was aborted is answered with `NoSuchUpload`.
    pub(crate) gone: bool,
    /// A part may be empty.
    pub(crate) empty_parts: bool,
    /// Keys are opaque strings.
    pub(crate) odd_keys: bool,
    /// Of two completions of one name at the same moment, one sees the other.
    pub(crate) atomic: bool,
}

impl Expect {
    pub(crate) const ALL: Self = Self {
        part_etags: true,
        listing: true,
        if_none_match: true,
        if_match: true,
        gone: true,
        empty_parts: true,
        odd_keys: true,
        atomic: true,
    };
}

pub(crate) async fn every_case(bench: &Bench, expect: Expect) {
    what_is_staged_is_invisible_until_it_is_complete(bench, expect).await;
    if expect.empty_parts {
        an_empty_object_can_be_published(bench).await;
    }
    a_part_may_be_sent_again(bench).await;
    if expect.if_none_match {
        a_name_that_is_taken_is_never_overwritten(bench).await;
    }
    if expect.if_none_match && expect.atomic {
        of_two_writers_one_wins(bench).await;
    }
    a_completed_upload_cannot_do_harm_again(bench).await;
    what_is_aborted_is_dead(bench, expect).await;
    if expect.if_match {
        a_static_name_is_replaced_only_when_it_is_unchanged(bench).await;
    }
    if expect.part_etags {
        parts_that_were_not_staged_are_refused(bench).await;
    }
    if expect.listing {
        open_uploads_are_listed(bench).await;
    }
    if expect.odd_keys {
        keys_are_kept_as_they_are(bench).await;
    }
}

async fn what_is_staged_is_invisible_until_it_is_complete(bench: &Bench, expect: Expect) {
    let body = bench.body(2, 1);
    let object = bench.stage("plain", "t.plain", &body, Condition::Absent).await;
    assert_eq!(bench.store.head(&object.key).await.unwrap(), None);
    assert_eq!(bench.read("plain").await, None);
    let alive = if expect.listing { UploadState::Alive } else { UploadState::CannotSee };
    let seen = bench.store.inspect(&object).await.unwrap();
    assert_eq!((seen.at_key, seen.upload), (AtKey::Absent, alive));

    let etag = bench.complete(&object).await;
    assert_eq!(bench.read("plain").await, Some(body));
    let head = bench.store.head(&object.key).await.unwrap().unwrap();
    assert_eq!(head.token.as_deref(), Some("t.plain"));
    assert_eq!((head.bytes, head.etag.trim_matches('"')), (object.bytes, etag.trim_matches('"')));
    let seen = bench.store.inspect(&object).await.unwrap();
    assert!(matches!(seen.at_key, AtKey::Ours { .. }), "{seen:?}");
    assert_ne!(seen.upload, UploadState::Alive);
}

async fn an_empty_object_can_be_published(bench: &Bench) {
    let upload_id = bench.create("empty", "t.empty").await;
    let key = bench.key("empty");
    let part = bench.store.put_part(&key, &upload_id, &Part::new(1, Bytes::new())).await.unwrap();
    let mut object = bench.put("empty", "t.empty", upload_id, &Bytes::new()).await;
    object.parts = vec![part];
    bench.complete(&object).await;
    assert_eq!(bench.read("empty").await, Some(Bytes::new()));
    let seen = bench.store.inspect(&object).await.unwrap();
    assert!(matches!(seen.at_key, AtKey::Ours { .. }), "{seen:?}");
}

async fn a_part_may_be_sent_again(bench: &Bench) {
    let (first, second) = (bench.body(1, 2), bench.body(1, 3));
    let upload_id = bench.create("again", "t.again").await;
    bench.put("again", "t.again", upload_id.clone(), &first).await;
    let object = bench.put("again", "t.again", upload_id, &second).await;
    bench.complete(&object).await;
    assert_eq!(bench.read("again").await, Some(second));
}

async fn a_name_that_is_taken_is_never_overwritten(bench: &Bench) {
    let (first, second) = (bench.body(1, 4), bench.body(1, 5));
    let one = bench.stage("taken", "t.one", &first, Condition::Absent).await;
    let other = bench.stage("taken", "t.other", &second, Condition::Absent).await;
    bench.complete(&one).await;
    let refused = bench.store.complete(&other).await;
    assert!(matches!(refused, Completion::ConditionFailed(_)), "{refused:?}");
    assert_eq!(bench.read("taken").await, Some(first));
    let seen = bench.store.inspect(&other).await.unwrap();
    assert!(matches!(seen.at_key, AtKey::Foreign { .. }), "{seen:?}");
    bench.store.abort(&other.key, &other.upload_id).await.unwrap();
}

async fn of_two_writers_one_wins(bench: &Bench) {
    for round in 0..8u8 {
        let name = format!("race{round}");
        let bodies = [bench.body(1, 10), bench.body(1, 11)];
        let one = bench.stage(&name, "t.one", &bodies[0], Condition::Absent).await;
        let other = bench.stage(&name, "t.other", &bodies[1], Condition::Absent).await;
        let (first, second) =
            tokio::join!(bench.store.complete(&one), bench.store.complete(&other));
        let winners = [&first, &second].map(|ended| matches!(ended, Completion::Done { .. }));
        assert_eq!(winners.iter().filter(|won| **won).count(), 1, "{first:?} {second:?}");
        let winner = usize::from(winners[1]);
        assert_eq!(bench.read(&name).await.as_ref(), Some(&bodies[winner]));
        let loser = if winner == 0 { &other } else { &one };
        bench.store.abort(&loser.key, &loser.upload_id).await.unwrap();
    }
}

async fn a_completed_upload_cannot_do_harm_again(bench: &Bench) {
    let body = bench.body(1, 6);
    let object = bench.stage("twice", "t.twice", &body, Condition::Absent).await;
    bench.complete(&object).await;
    // Services differ in the answer; none may change the object, and looking tells.
    let again = bench.store.complete(&object).await;
    assert!(!matches!(again, Completion::Refused(_) | Completion::Conflict(_)), "{again:?}");
    let seen = bench.store.inspect(&object).await.unwrap();
    assert!(matches!(seen.at_key, AtKey::Ours { .. }), "{seen:?}");
    assert_eq!(bench.read("twice").await, Some(body));
}

async fn what_is_aborted_is_dead(bench: &Bench, expect: Expect) {
    let object = bench.stage("aborted", "t.aborted", &bench.body(1, 7), Condition::Absent).await;
    for _ in 0..2 {
        bench.store.abort(&object.key, &object.upload_id).await.unwrap();
    }
    if expect.listing {
        assert_eq!(bench.store.parts(&object.key, &object.upload_id).await.unwrap(), None);
    }
    let refused = bench.store.complete(&object).await;
    let is_clear = matches!(refused, Completion::Gone(_));
    assert!(is_clear || (!expect.gone && matches!(refused, Completion::Unclear(_))), "{refused:?}");
    let part = Part::new(1, Bytes::from_static(b"late"));
    assert!(bench.store.put_part(&object.key, &object.upload_id, &part).await.is_err());
    assert_eq!(bench.read("aborted").await, None);
}

async fn a_static_name_is_replaced_only_when_it_is_unchanged(bench: &Bench) {
    let bodies = [bench.body(1, 20), bench.body(1, 21), bench.body(1, 22)];
    let first = bench.stage("static", "t.first", &bodies[0], Condition::Absent).await;
    let etag = bench.complete(&first).await;
    let condition = Condition::Unchanged { etag };
    let second = bench.stage("static", "t.second", &bodies[1], condition.clone()).await;
    let stale = bench.stage("static", "t.stale", &bodies[2], condition).await;
    bench.complete(&second).await;
    let refused = bench.store.complete(&stale).await;
    assert!(matches!(refused, Completion::ConditionFailed(_)), "{refused:?}");
    assert_eq!(bench.read("static").await.as_ref(), Some(&bodies[1]));
    bench.store.abort(&stale.key, &stale.upload_id).await.unwrap();

    let condition =
        Condition::Unchanged { etag: "\"00000000000000000000000000000000\"".to_owned() };
    let missing = bench.stage("static-missing", "t.missing", &bodies[0], condition).await;
    let refused = bench.store.complete(&missing).await;
    assert!(matches!(refused, Completion::ConditionFailed(_)), "{refused:?}");
    assert_eq!(bench.read("static-missing").await, None);
    bench.store.abort(&missing.key, &missing.upload_id).await.unwrap();
}

async fn parts_that_were_not_staged_are_refused(bench: &Bench) {
    let body = bench.body(1, 8);
    let object = bench.stage("parts", "t.parts", &body, Condition::Absent).await;
    let mut wrong = object.clone();
    wrong.parts[0].etag = wrong.parts[1].etag.clone();
    let refused = bench.store.complete(&wrong).await;
    assert!(matches!(refused, Completion::Refused(_)), "{refused:?}");
    assert_eq!(bench.read("parts").await, None);
    bench.complete(&object).await;
    assert_eq!(bench.read("parts").await, Some(body));
}

async fn open_uploads_are_listed(bench: &Bench) {
    let object = bench.stage("listed/one", "t.listed", &bench.body(2, 9), Condition::Absent).await;
    let other = bench.stage("unlisted", "t.unlisted", &bench.body(1, 9), Condition::Absent).await;
    let parts = bench.store.parts(&object.key, &object.upload_id).await.unwrap().unwrap();
    let known: Vec<_> =
        parts.iter().map(|part| (part.number, part.bytes, part.etag.trim_matches('"'))).collect();
    let sent: Vec<_> = object
        .parts
        .iter()
        .map(|part| (part.number, part.bytes, part.etag.trim_matches('"')))
        .collect();
    assert_eq!(known, sent);
    let prefix = bench.key("listed/");
    let listing = bench.store.list_uploads(&prefix).await.unwrap();
    let Listing::Uploads(uploads) = listing else { panic!("{listing:?}") };
    let found: Vec<_> = uploads.iter().map(|upload| (&upload.key, &upload.upload_id)).collect();
    assert_eq!(found, [(&object.key, &object.upload_id)]);
    assert!(uploads[0].initiated.is_some());
    for object in [object, other] {
        bench.store.abort(&object.key, &object.upload_id).await.unwrap();
    }
    assert_eq!(bench.store.list_uploads(&prefix).await.unwrap(), Listing::Uploads(Vec::new()));
}

async fn keys_are_kept_as_they_are(bench: &Bench) {
    for (index, name) in
        ["a b", "a+b", "100%", "ünï/cödé", "q?x=1&y", "semi;colon", "~tilde", "#hash", "é\u{301}"]
            .into_iter()
            .enumerate()
    {
        let body = bench.body(0, index as u8);
        let object = bench.stage(name, "t.odd", &body, Condition::Absent).await;
        bench.complete(&object).await;
        assert_eq!(bench.read(name).await, Some(body), "{name}");
        let head = bench.store.head(&object.key).await.unwrap();
        assert_eq!(head.and_then(|head| head.token).as_deref(), Some("t.odd"), "{name}");
    }
}
