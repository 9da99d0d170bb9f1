use proptest::prelude::*;

use super::*;

fn schedule(frequency: Frequency, zone: &str, start: Option<&str>, end: Option<&str>) -> Schedule {
    let date = |text: &str| text.parse().expect("a date");
    Schedule {
        frequency,
        zone: zones().get(zone).expect("a zone"),
        start: start.map(date),
        end: end.map(date),
        lateness: crate::planner::Lateness::default(),
    }
}

fn at(text: &str) -> Time {
    text.parse().expect("a time of day")
}

fn daily(time: &str, zone: &str) -> Schedule {
    schedule(Frequency::Daily { at: at(time) }, zone, None, None)
}

fn cron(expression: &str, zone: &str) -> Schedule {
    schedule(Frequency::Cron { expression: expression.to_owned() }, zone, None, None)
}

/// The slots after a time, in UTC, and that `latest_slot` agrees with each of them.
fn slots(schedule: &Schedule, after: &str, limit: usize) -> Vec<String> {
    let after: Timestamp = after.parse().expect("a time");
    let slots = schedule.slots_after(after, limit);
    let mut last = schedule.latest_slot(after);
    for slot in &slots {
        let before = slot.checked_sub(SignedDuration::from_nanos(1)).expect("in range");
        assert_eq!(schedule.latest_slot(before), last, "just before {slot}");
        assert_eq!(schedule.latest_slot(*slot), Some(*slot), "at {slot}");
        last = Some(*slot);
    }
    slots.iter().map(|slot| slot.to_string().replace(":00Z", "")).collect()
}

#[test]
fn a_time_in_a_gap_is_due_once_behind_it() {
    // Paris: 2026-03-29 02:00 +01:00 becomes 03:00 +02:00.
    assert_eq!(
        slots(&daily("02:30", "Europe/Paris"), "2026-03-27T12:00:00Z", 3),
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]
    );
    assert_eq!(
        slots(&cron("30 2 * * *", "Europe/Paris"), "2026-03-27T12:00:00Z", 3),
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]
    );
    // Two times in one gap, and one at its end, are one slot.
    assert_eq!(
        slots(&cron("0,30 2,3 * * *", "Europe/Paris"), "2026-03-28T12:00:00Z", 3),
        ["2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30T00:00"]
    );
    // Lord Howe moves by half an hour: 2026-10-04 02:00 +10:30 becomes 02:30 +11:00.
    assert_eq!(
        slots(&daily("02:15", "Australia/Lord_Howe"), "2026-10-02T20:00:00Z", 2),
        ["2026-10-03T15:30", "2026-10-04T15:15"]
    );
}

#[test]
fn a_whole_day_that_is_missing_is_made_up_for() {
    // Apia skipped 2011-12-30: 2011-12-29 24:00 -10:00 is 2011-12-31 00:00 +14:00.
    assert_eq!(
        slots(&daily("02:00", "Pacific/Apia"), "2011-12-29T00:00:00Z", 4),
        ["2011-12-29T12:00", "2011-12-30T10:00", "2011-12-30T12:00", "2011-12-31T12:00"]
    );
    assert_eq!(
        slots(&daily("00:00", "Pacific/Apia"), "2011-12-29T09:00:00Z", 3),
        ["2011-12-29T10:00", "2011-12-30T10:00", "2011-12-31T10:00"]
    );
}

#[test]
fn a_time_that_comes_twice_is_due_once() {
    // Paris: 2026-10-25 03:00 +02:00 becomes 02:00 +01:00.
    assert_eq!(
        slots(&daily("02:30", "Europe/Paris"), "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30", "2026-10-26T01:30"]
    );
    // Lord Howe: 2026-04-05 02:00 +11:00 becomes 01:30 +10:30.
    assert_eq!(
        slots(&daily("01:45", "Australia/Lord_Howe"), "2026-04-03T20:00:00Z", 2),
        ["2026-04-04T14:45", "2026-04-05T15:15"]
    );
}

#[test]
fn intervals_follow_elapsed_time() {
    let hourly = Frequency::Hourly { every: 6, at: at("01:30") };
    // From the beginning of time on, which is how it is found out whether anything is due at all.
    let bounded = schedule(hourly.clone(), "UTC", Some("2026-01-04"), Some("2026-01-05"));
    let all = bounded.slots_after(Timestamp::MIN, 100);
    assert_eq!((all.len(), all[0].to_string()), (8, "2026-01-04T01:30:00Z".to_owned()));
    let endless = schedule(hourly.clone(), "UTC", None, Some("2026-01-05"));
    assert_eq!(endless.slots_after(Timestamp::MIN, 1).len(), 1);
    let hourly = schedule(hourly, "Europe/Paris", Some("2026-03-28"), Some("2026-03-29"));
    assert_eq!(
        slots(&hourly, "2026-01-01T00:00:00Z", 10),
        [
            "2026-03-28T00:30",
            "2026-03-28T06:30",
            "2026-03-28T12:30",
            "2026-03-28T18:30",
            "2026-03-29T00:30",
            "2026-03-29T06:30",
            "2026-03-29T12:30",
            "2026-03-29T18:30",
        ]
    );
    assert_eq!(hourly.latest_slot("2026-03-28T00:29:59.9Z".parse().expect("a time")), None);
    let later = "2027-01-01T00:00:00Z".parse().expect("a time");
    assert_eq!(
        hourly.latest_slot(later).map(|t| t.to_string()).as_deref(),
        Some("2026-03-29T18:30:00Z")
    );
    // Nothing in a gap, both passes of a repeated hour.
    let quarter = cron("*/30 2 * * *", "Europe/Paris");
    assert_eq!(
        slots(&quarter, "2026-03-28T12:00:00Z", 2),
        ["2026-03-30T00:00", "2026-03-30T00:30"]
    );
    assert_eq!(
        slots(&quarter, "2026-10-24T12:00:00Z", 5),
        [
            "2026-10-25T00:00",
            "2026-10-25T00:30",
            "2026-10-25T01:00",
            "2026-10-25T01:30",
            "2026-10-26T01:00"
        ]
    );
    let utc = schedule(Frequency::Hourly { every: 5, at: at("00:00") }, "UTC", None, None);
    assert_eq!(
        slots(&utc, "1999-12-31T18:00:00Z", 3),
        ["1999-12-31T19:00", "2000-01-01T00:00", "2000-01-01T05:00"]
    );
}

#[test]
fn weeks_and_months_follow_the_start_day() {
    let weekly = |start| schedule(Frequency::Weekly { at: at("06:00") }, "UTC", start, None);
    assert_eq!(
        slots(&weekly(Some("2026-01-01")), "2026-01-01T07:00:00Z", 2),
        ["2026-01-08T06:00", "2026-01-15T06:00"]
    );
    assert_eq!(slots(&weekly(None), "2026-01-01T07:00:00Z", 1), ["2026-01-05T06:00"]);
    let monthly = |start| schedule(Frequency::Monthly { at: at("06:00") }, "UTC", start, None);
    assert_eq!(
        slots(&monthly(Some("2026-01-31")), "2026-01-01T00:00:00Z", 4),
        ["2026-01-31T06:00", "2026-02-28T06:00", "2026-03-31T06:00", "2026-04-30T06:00"]
    );
    assert_eq!(slots(&monthly(None), "2026-01-02T00:00:00Z", 1), ["2026-02-01T06:00"]);
}

#[test]
fn start_and_end_days_are_included() {
    let daily = schedule(
        Frequency::Daily { at: at("02:00") },
        "Europe/Paris",
        Some("2026-01-04"),
        Some("2026-01-06"),
    );
    assert_eq!(
        slots(&daily, "2020-01-01T00:00:00Z", 10),
        ["2026-01-04T01:00", "2026-01-05T01:00", "2026-01-06T01:00"]
    );
    assert_eq!(daily.latest_slot("2026-01-04T00:59:59Z".parse().expect("a time")), None);
    let once = schedule(Frequency::Once { at: at("02:00") }, "UTC", Some("2026-01-04"), None);
    assert_eq!(slots(&once, "2020-01-01T00:00:00Z", 10), ["2026-01-04T02:00"]);
    assert!(!once.repeats());
    let far = once.latest_slot(Timestamp::MAX).map(|slot| slot.to_string());
    assert_eq!(far.as_deref(), Some("2026-01-04T02:00:00Z"));
}

#[test]
fn the_ends_of_time_are_survived() {
    for schedule in [daily("02:00", "Pacific/Apia"), cron("* * * * *", "UTC")] {
        assert!(schedule.latest_slot(Timestamp::MAX).is_some());
        assert_eq!(schedule.latest_slot(Timestamp::MIN), None);
        assert!(schedule.slots_after(Timestamp::MAX, 3).is_empty());
        assert_eq!(schedule.slots_after(Timestamp::MIN, 3).len(), 3);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the zone and the time of day: no slot is repeated or out of order, and days and
    /// elapsed hours are counted without a gap.
    #[test]
    fn slots_never_repeat_or_stop(
        zone in prop::sample::select(vec![
            "UTC", "Europe/Paris", "America/New_York", "America/St_Johns", "Australia/Lord_Howe",
            "Pacific/Apia", "Africa/Casablanca", "America/Havana", "Asia/Beirut", "Asia/Kathmandu",
        ]),
        minute in 0i64..1_440,
        second in 1_000_000_000i64..1_900_000_000,
        every in 1u8..=24,
    ) {
        let at = Time::midnight().saturating_add(SignedDuration::from_mins(minute));
        let after = Timestamp::from_second(second).expect("in range");
        let day = SignedDuration::from_hours(24);
        for frequency in [Frequency::Daily { at }, Frequency::Hourly { every, at }] {
            let schedule = schedule(frequency, zone, None, None);
            let slots = schedule.slots_after(after, 200);
            prop_assert_eq!(slots.len(), 200);
            prop_assert!(slots[0].duration_since(after) <= day + day);
            for pair in slots.windows(2) {
                let distance = pair[1].duration_since(pair[0]);
                prop_assert!(distance.is_positive() && distance <= day + SignedDuration::from_hours(2));
                let between = pair[1].checked_sub(SignedDuration::from_secs(1)).expect("in range");
                prop_assert_eq!(schedule.latest_slot(between), Some(pair[0]));
            }
        }
    }
}

#[test]
fn what_follows_evaluations_has_their_slots_on_its_own_days() {
    let weekly = Frequency::Weekly { at: at("06:00") };
    // On Wednesdays, whatever the first day of the export is.
    let evaluations = schedule(weekly, "Europe/Paris", Some("2026-01-07"), None);
    let follow = |of: Option<&Schedule>| {
        let frequency = Frequency::Evaluation { of: of.cloned().map(Box::new) };
        schedule(frequency, "Europe/Paris", Some("2026-01-10"), Some("2026-01-21"))
    };
    let export = follow(Some(&evaluations));
    let expected = ["2026-01-14T05:00", "2026-01-21T05:00"];
    assert_eq!(slots(&export, "2026-01-01T00:00:00Z", 10), expected);
    let last = "2026-01-21T05:00:00Z".parse::<Timestamp>().expect("a time");
    assert_eq!(export.latest_slot(Timestamp::MAX), Some(last));
    assert_eq!(export.latest_slot("2026-01-13T00:00:00Z".parse().expect("a time")), None);
    assert_eq!(export.slots_within(last, Timestamp::MAX, 10), Vec::<Timestamp>::new());
    // Without a schedule of evaluations nothing is due by the clock, and its days still hold.
    let asked = follow(None);
    assert_eq!(asked.slots_after(Timestamp::MIN, 1), Vec::<Timestamp>::new());
    assert_eq!(asked.latest_slot(Timestamp::MAX), None);
    let day = |text: &str| asked.spans(text.parse().expect("a time"));
    let inside = ["2026-01-09T23:00:00Z", "2026-01-21T22:59:59Z"].map(day);
    assert_eq!((inside, day("2026-01-21T23:00:00Z")), ([true, true], false));
}
