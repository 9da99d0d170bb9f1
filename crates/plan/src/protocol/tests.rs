//! The table of answers, row by row, and the rules around it.

use super::*;

const COMPLETE: Effect =
    Effect::Complete { object: 0, attempt: 1, credentials: Credentials::AtHand };
const AGAIN: Effect = Effect::Complete { object: 0, attempt: 2, credentials: Credentials::AtHand };
const REFRESHED: Effect =
    Effect::Complete { object: 0, attempt: 2, credentials: Credentials::Refreshed };
const INSPECT: Effect = Effect::Inspect { object: 0, attempt: 1 };
const INSPECT_AGAIN: Effect = Effect::Inspect { object: 0, attempt: 2 };
const REPAIR: Effect = Effect::Repair { object: 0, attempt: 1 };
const CHECKED: Effect = Effect::RecordPublished { object: 0, verification: Verification::Checked };
const UNSEEN: Effect = Effect::RecordPublished { object: 0, verification: Verification::Unseen };

fn blocked(object: usize, reason: Reason) -> Effect {
    Effect::RecordClose(Close::Blocked(Blocked { object, reason }))
}

fn completed(answer: Answer) -> Event {
    Event::Completed { object: 0, answer }
}

fn inspected(seen: Seen, upload: Upload) -> Event {
    Event::Inspected { object: 0, seen, upload }
}

/// Feeds events in and returns what the last one led to.
fn run(mut state: State, events: &[Event]) -> (State, Vec<Effect>) {
    let mut effects = Vec::new();
    for event in events {
        (state, effects) = step(state, *event);
    }
    (state, effects)
}

/// A run whose commit record has just been written.
fn committed(data_files: usize, manifest: bool, limits: Limits) -> State {
    let (state, _) = begin(Entry::Fresh, limits);
    run(state, &[Event::Staged { data_files, manifest }, Event::CommitRecorded]).0
}

/// Feeds events to a run of one committed object whose completion was sent.
#[track_caller]
fn check(events: &[Event], expected: Effect) {
    let (_, effects) = run(committed(1, false, Limits::default()), events);
    assert_eq!(effects, [expected], "{events:?}");
}

#[test]
fn every_answer_but_a_plain_refusal_is_settled_by_looking() {
    let settled = [
        Answer::Done,
        Answer::Unclear,
        Answer::Gone,
        Answer::ConditionFailed,
        Answer::Conflict,
        Answer::Denied,
    ];
    for answer in settled {
        check(&[completed(answer)], INSPECT);
    }
    check(&[completed(Answer::Refused)], blocked(0, Reason::Refused));
    check(&[completed(Answer::Misdirected)], blocked(0, Reason::Misdirected));
}

#[test]
fn what_is_seen_decides() {
    use Answer::{ConditionFailed, Conflict, Denied, Done, Gone, Unclear};
    use Seen::{AsBefore, CannotSee, Foreign, Ours, OursButDifferent, Unanswered};
    use Upload::{Alive, Gone as NoUpload, Unknown};
    let rows = [
        // Ours is ours, whatever the answer was.
        (Done, Ours, NoUpload, CHECKED),
        (Unclear, Ours, NoUpload, CHECKED),
        (Gone, Ours, NoUpload, CHECKED),
        (ConditionFailed, Ours, NoUpload, CHECKED),
        (Conflict, Ours, Unknown, CHECKED),
        (Denied, Ours, NoUpload, CHECKED),
        // Damage and other writers stop the run.
        (Done, OursButDifferent, NoUpload, blocked(0, Reason::Quarantined)),
        (Unclear, OursButDifferent, Unknown, blocked(0, Reason::Quarantined)),
        (ConditionFailed, Foreign, Alive, blocked(0, Reason::TargetChanged)),
        (Gone, Foreign, NoUpload, blocked(0, Reason::TargetChanged)),
        (Done, Foreign, NoUpload, blocked(0, Reason::TargetChanged)),
        // Not there, and the upload is open: the same request again.
        (Unclear, AsBefore, Alive, AGAIN),
        (Conflict, AsBefore, Alive, AGAIN),
        (ConditionFailed, AsBefore, Alive, AGAIN),
        (Unclear, AsBefore, Unknown, AGAIN),
        (Done, AsBefore, Alive, AGAIN),
        // Not there, and no upload either: the same bytes again.
        (Gone, AsBefore, NoUpload, REPAIR),
        (Unclear, AsBefore, NoUpload, REPAIR),
        (Conflict, AsBefore, NoUpload, REPAIR),
        (Denied, AsBefore, NoUpload, REPAIR),
        // Denied, and not there: with fresh credentials.
        (Denied, AsBefore, Alive, REFRESHED),
        (Denied, AsBefore, Unknown, REFRESHED),
        (Denied, CannotSee, Unknown, REFRESHED),
        // Not to be seen: only a plain success is believed.
        (Done, CannotSee, NoUpload, UNSEEN),
        (Done, CannotSee, Unknown, UNSEEN),
        (Unclear, CannotSee, Alive, AGAIN),
        (Unclear, CannotSee, NoUpload, AGAIN),
        (Gone, CannotSee, NoUpload, AGAIN),
        (ConditionFailed, CannotSee, Unknown, AGAIN),
        // No answer to the question.
        (Done, Unanswered, Unknown, INSPECT_AGAIN),
        (Unclear, Unanswered, Alive, INSPECT_AGAIN),
    ];
    for (answer, seen, upload, expected) in rows {
        check(&[completed(answer), inspected(seen, upload)], expected);
    }
}

#[test]
fn a_success_is_not_forgotten_while_the_look_is_repeated() {
    let events = [
        completed(Answer::Done),
        inspected(Seen::Unanswered, Upload::Unknown),
        inspected(Seen::CannotSee, Upload::Gone),
    ];
    check(&events, UNSEEN);
}

#[test]
fn patience_ends() {
    let limits = Limits { completions: 3, inspections: 3, repairs: 1, denials: 2, in_flight: 1 };
    let patience = |answer, seen, upload, reason, completions: usize| {
        let mut state = committed(1, false, limits);
        let mut seen_completions = 1;
        let mut event = completed(answer);
        loop {
            let (next, effects) = step(state, event);
            state = next;
            event = match effects[..] {
                [Effect::Inspect { .. }] => inspected(seen, upload),
                [Effect::Complete { .. }] => {
                    seen_completions += 1;
                    completed(answer)
                }
                [Effect::Repair { .. }] => Event::Repaired { object: 0 },
                [Effect::RecordReplacement { .. }] => Event::ReplacementRecorded { object: 0 },
                [effect] => {
                    assert_eq!(effect, blocked(0, reason));
                    break;
                }
                _ => panic!("{effects:?}"),
            };
        }
        assert_eq!(seen_completions, completions, "{answer:?} {seen:?} {upload:?}");
    };
    patience(Answer::Unclear, Seen::AsBefore, Upload::Alive, Reason::Unsettled, 3);
    patience(Answer::Unclear, Seen::Unanswered, Upload::Unknown, Reason::Unsettled, 1);
    patience(Answer::Gone, Seen::CannotSee, Upload::Gone, Reason::CannotSee, 3);
    patience(Answer::Denied, Seen::CannotSee, Upload::Unknown, Reason::Denied, 2);
    patience(Answer::Gone, Seen::AsBefore, Upload::Gone, Reason::UploadLost, 2);
}

#[test]
fn a_repair_is_recorded_before_it_is_completed() {
    let lost = [completed(Answer::Gone), inspected(Seen::AsBefore, Upload::Gone)];
    let repaired = Event::Repaired { object: 0 };
    let recorded = Event::ReplacementRecorded { object: 0 };
    check(&[lost[0], lost[1], repaired], Effect::RecordReplacement { object: 0 });
    check(&[lost[0], lost[1], repaired, recorded], COMPLETE);
    check(&[lost[0], lost[1], repaired, Event::Fenced], Effect::Stop(End::Fenced));
}

#[test]
fn a_repair_may_fail() {
    let failed = |failure| {
        let failed = Event::RepairFailed { object: 0, failure };
        [completed(Answer::Gone), inspected(Seen::AsBefore, Upload::Gone), failed]
    };
    check(&failed(RepairFailure::Temporary), Effect::Repair { object: 0, attempt: 2 });
    check(&failed(RepairFailure::BytesDiffer), blocked(0, Reason::NotReproducible));
    check(&failed(RepairFailure::Impossible), blocked(0, Reason::UploadLost));
    let mut events = failed(RepairFailure::Temporary).to_vec();
    events.extend([events[2]; REPAIRS_MAX as usize - 1]);
    check(&events, blocked(0, Reason::UploadLost));
}

#[test]
fn a_run_ends_with_one_stop() {
    let publish = [
        completed(Answer::Done),
        inspected(Seen::Ours, Upload::Gone),
        Event::PublishedRecorded { object: 0 },
        Event::DeliveryRecorded,
    ];
    check(&publish[..3], Effect::RecordDelivery);
    check(&publish, Effect::Stop(End::Delivered));
    let blocked_run = [completed(Answer::Refused), Event::CloseRecorded];
    let end = End::Blocked(Blocked { object: 0, reason: Reason::Refused });
    check(&blocked_run, Effect::Stop(end));
    let (state, _) = run(committed(1, false, Limits::default()), &publish);
    assert_eq!(step(state, completed(Answer::Done)).1, [], "what comes late changes nothing");
}

#[test]
fn nothing_is_kept_of_a_run_that_is_not_sent() {
    for (event, close) in [
        (Event::NothingToSend, Close::Skipped),
        (Event::StagingFailed(Failure::Guard), Close::Held),
        (Event::StagingFailed(Failure::Other), Close::Failed(Failure::Other)),
    ] {
        let (state, effects) = begin(Entry::Fresh, Limits::default());
        assert_eq!(effects, [Effect::Stage]);
        let (state, effects) = step(state, event);
        assert_eq!(effects, [Effect::AbortUploads]);
        let (state, effects) = step(state, Event::Aborted);
        assert_eq!(effects, [Effect::RecordClose(close)]);
        assert!(!state.is_committed());
        assert_eq!(step(state, Event::CloseRecorded).1, [Effect::Stop(close.into())]);
    }
}

#[test]
fn a_crash_before_the_commit_record_rolls_back_and_stages_again() {
    let (state, effects) = begin(Entry::RollBack, Limits::default());
    assert_eq!(effects, [Effect::AbortUploads]);
    let (state, effects) = step(state, Event::Aborted);
    assert_eq!(effects, [Effect::Stage]);
    assert_eq!(
        step(state, Event::Staged { data_files: 1, manifest: false }).1,
        [Effect::RecordCommit]
    );
}

#[test]
fn a_crash_behind_the_commit_record_looks_before_it_completes() {
    let entry = Entry::RollForward { published: vec![true, false, false], manifest: true };
    let (state, effects) = begin(entry, Limits::default());
    assert!(state.is_committed());
    assert_eq!(effects, [Effect::Inspect { object: 1, attempt: 1 }]);
    let looked = Event::Inspected { object: 1, seen: Seen::AsBefore, upload: Upload::Alive };
    let complete = Effect::Complete { object: 1, attempt: 1, credentials: Credentials::AtHand };
    let (state, effects) = step(state, looked);
    assert_eq!(effects, [complete]);
    let events = [
        Event::Completed { object: 1, answer: Answer::Done },
        Event::Inspected { object: 1, seen: Seen::Ours, upload: Upload::Gone },
        Event::PublishedRecorded { object: 1 },
    ];
    let (state, effects) = run(state, &events);
    assert_eq!(
        effects,
        [Effect::Inspect { object: 2, attempt: 1 }],
        "the manifest, now that its files are there"
    );
    let events = [
        Event::Inspected { object: 2, seen: Seen::Ours, upload: Upload::Gone },
        Event::PublishedRecorded { object: 2 },
    ];
    assert_eq!(run(state, &events).1, [Effect::RecordDelivery]);
}

#[test]
fn a_crash_before_delivery_was_recorded_only_records_it() {
    let entry = Entry::RollForward { published: vec![true, true], manifest: true };
    assert_eq!(begin(entry, Limits::default()).1, [Effect::RecordDelivery]);
}

#[test]
fn so_many_objects_are_in_flight_and_the_manifest_comes_last() {
    let limits = Limits { in_flight: 2, ..Limits::default() };
    let (state, _) = begin(Entry::Fresh, limits);
    let (mut state, effects) =
        run(state, &[Event::Staged { data_files: 3, manifest: true }, Event::CommitRecorded]);
    let started = |effects: &[Effect]| {
        let object = |effect: &Effect| match effect {
            Effect::Complete { object, attempt: 1, .. } => *object,
            _ => panic!("{effect:?}"),
        };
        effects.iter().map(object).collect::<Vec<_>>()
    };
    assert_eq!(started(&effects), [0, 1]);
    for (object, next) in [(1, vec![2]), (2, vec![]), (0, vec![3])] {
        let events = [
            Event::Completed { object, answer: Answer::Done },
            Event::Inspected { object, seen: Seen::Ours, upload: Upload::Gone },
            Event::PublishedRecorded { object },
        ];
        let (after, effects) = run(state, &events);
        assert_eq!(started(&effects), next, "after object {object}");
        state = after;
    }
}

#[test]
fn a_blocked_run_waits_for_what_is_in_flight_and_starts_nothing() {
    let state = committed(3, true, Limits { in_flight: 2, ..Limits::default() });
    let (state, effects) = step(state, Event::Completed { object: 0, answer: Answer::Refused });
    assert_eq!(effects, [], "object 1 is still being completed");
    let (seen_done, effects) =
        step(state.clone(), Event::Completed { object: 1, answer: Answer::Done });
    assert_eq!(effects, [blocked(0, Reason::Refused)]);
    assert!(seen_done.is_committed());
    let (_, effects) = step(state, Event::Completed { object: 1, answer: Answer::Misdirected });
    assert_eq!(effects, [blocked(0, Reason::Refused)], "the first reason stays");
}

#[test]
fn what_is_seen_to_be_visible_is_recorded_even_in_a_blocked_run() {
    let state = committed(2, false, Limits::default());
    let events = [
        Event::Completed { object: 1, answer: Answer::Done },
        Event::Completed { object: 0, answer: Answer::Refused },
    ];
    let (state, _) = run(state, &events);
    let (state, effects) =
        step(state, Event::Inspected { object: 1, seen: Seen::Ours, upload: Upload::Gone });
    assert_eq!(
        effects,
        [Effect::RecordPublished { object: 1, verification: Verification::Checked }]
    );
    let (_, effects) = step(state, Event::PublishedRecorded { object: 1 });
    assert_eq!(effects, [blocked(0, Reason::Refused)]);
}

#[test]
fn who_is_fenced_or_cannot_write_stops_at_once() {
    let staging = begin(Entry::Fresh, Limits::default()).0;
    let rolling_back = begin(Entry::RollBack, Limits::default()).0;
    let publishing = committed(3, true, Limits::default());
    for state in [staging, rolling_back, publishing] {
        assert_eq!(step(state.clone(), Event::Fenced).1, [Effect::Stop(End::Fenced)]);
        assert_eq!(step(state, Event::LedgerFailed).1, [Effect::Stop(End::LedgerFailed)]);
    }
}

#[test]
fn an_event_that_answers_nothing_stops_the_worker() {
    let staging = || begin(Entry::Fresh, Limits::default()).0;
    let publishing = || committed(2, true, Limits::default());
    let cases = [
        (staging(), Event::CommitRecorded),
        (staging(), Event::Staged { data_files: 0, manifest: true }),
        (publishing(), Event::Staged { data_files: 1, manifest: false }),
        (publishing(), inspected(Seen::Ours, Upload::Gone)),
        (publishing(), Event::PublishedRecorded { object: 0 }),
        (publishing(), Event::Completed { object: 2, answer: Answer::Done }),
        (publishing(), Event::Completed { object: 9, answer: Answer::Done }),
        (publishing(), Event::DeliveryRecorded),
    ];
    for (state, event) in cases {
        assert_eq!(step(state, event).1, [Effect::Stop(End::OutOfOrder)], "{event:?}");
    }
}

#[test]
fn another_object_at_the_key_is_told_from_the_expected_one() {
    let unchanged = Condition::Unchanged { etag: "\"a-1\"".to_owned() };
    let rows = [
        (&Condition::Absent, None, Seen::AsBefore),
        (&Condition::Absent, Some("a-1"), Seen::Foreign),
        (&unchanged, Some("\"a-1\""), Seen::AsBefore),
        (&unchanged, Some("a-1"), Seen::AsBefore),
        (&unchanged, Some("b-1"), Seen::Foreign),
        (&unchanged, None, Seen::Foreign),
    ];
    for (condition, etag, expected) in rows {
        assert_eq!(Seen::instead(condition, etag), expected, "{condition:?} {etag:?}");
    }
}

#[test]
fn pauses_double_up_to_a_bound() {
    let millis: Vec<u128> = (1..=12).map(|attempt| pause_before(attempt).as_millis()).collect();
    assert_eq!(millis, [0, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 20000, 20000, 20000]);
    assert_eq!(pause_before(u8::MAX), PAUSE_MAX);
}
