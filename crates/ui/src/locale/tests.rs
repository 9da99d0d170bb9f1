use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Locale;
use crate::words::Lang;

fn locale(lang: Lang) -> Locale {
    Locale {
        lang,
        zone: TimeZone::get("Europe/Paris").expect("a zone"),
        now: at("2026-11-23T09:00:00Z"),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// English and French, with `~` and `_` for the two spaces that do not break.
fn both(write: impl Fn(&Locale) -> String) -> [String; 2] {
    Lang::ALL.map(|lang| write(&locale(lang)).replace('\u{a0}', "~").replace('\u{202f}', "_"))
}

#[test]
fn numbers_are_written_as_the_language_does() {
    assert_eq!(both(|l| l.number(0)), ["0", "0"]);
    assert_eq!(both(|l| l.number(999)), ["999", "999"]);
    assert_eq!(both(|l| l.number(3_104_882)), ["3,104,882", "3_104_882"]);
    assert_eq!(both(|l| l.short_number(9_990)), ["9,990", "9_990"]);
    assert_eq!(both(|l| l.short_number(12_340)), ["12.3~k", "12,3~k"]);
    assert_eq!(both(|l| l.short_number(999_499)), ["999~k", "999~k"]);
    assert_eq!(both(|l| l.short_number(999_500)), ["1~M", "1~M"]);
    assert_eq!(both(|l| l.short_number(2_400_000_000)), ["2.4~B", "2,4~Md"]);
}

#[test]
fn sizes_and_shares_carry_their_unit() {
    assert_eq!(both(|l| l.size(0)), ["0~B", "0~o"]);
    assert_eq!(both(|l| l.size(88_400_000)), ["88.4~MB", "88,4~Mo"]);
    assert_eq!(both(|l| l.size(1_234_567_890)), ["1.2~GB", "1,2~Go"]);
    assert_eq!(both(|l| l.size(999_999)), ["1.0~MB", "1,0~Mo"]);
    assert_eq!(both(|l| l.percent(0.9934)), ["99.3%", "99,3_%"]);
    assert_eq!(both(|l| l.percent(1.0)), ["100%", "100_%"]);
    assert_eq!(both(|l| l.change(-0.034)), ["−3.4%", "−3,4_%"]);
    assert_eq!(both(|l| l.change(0.0)), ["0%", "0_%"]);
}

#[test]
fn durations_have_two_units() {
    let said = |ms: i64| both(|l| l.duration(SignedDuration::from_millis(ms)))[0].clone();
    assert_eq!(said(87), "87~ms");
    assert_eq!(said(3_240), "3.2~s");
    assert_eq!(said(21_400), "21~s");
    assert_eq!(said(130_000), "2~min 10~s");
    assert_eq!(said(3_600_000), "1~h");
    assert_eq!(said(93_600_000), "1~d 2~h");
    assert_eq!(both(|l| l.duration(SignedDuration::from_hours(50)))[1], "2~j 2~h");
}

#[test]
fn times_are_said_in_the_zone_of_the_reader() {
    let soon = at("2026-11-23T12:12:00Z");
    assert_eq!(both(|l| l.moment(soon)), ["Today, 13:12", "Aujourd’hui, 13:12"]);
    assert_eq!(both(|l| l.relative(soon)), ["in 3~h 12~min", "dans 3~h 12~min"]);
    let last = at("2026-11-22T23:30:00Z");
    assert_eq!(both(|l| l.moment(last)), ["Today, 00:30", "Aujourd’hui, 00:30"]);
    assert_eq!(both(|l| l.relative(last)), ["9~h 30~min ago", "il y a 9~h 30~min"]);
    assert_eq!(both(|l| l.relative(at("2026-11-23T08:59:30Z"))), ["just now", "à l’instant"]);
    let far = at("2027-05-01T04:00:00Z");
    assert_eq!(both(|l| l.date_time(far)), ["Sat 1~May 2027, 06:00", "sam. 1er~mai 2027, 06:00"]);
}

#[test]
fn several_of_a_day_are_told_apart_by_their_times() {
    let all = [
        "2026-11-22T05:00:00Z",
        "2026-11-23T05:00:00Z",
        "2026-11-23T17:00:00Z",
        "2026-11-24T05:00:01Z",
        "2026-11-24T05:00:09Z",
    ];
    assert_eq!(
        both(|l| l.days_apart(&all.map(at)).join(" | ")),
        [
            "22~Nov | 23~Nov, 06:00 | 23~Nov, 18:00 | 24~Nov, 06:00:01 | 24~Nov, 06:00:09",
            "22~nov. | 23~nov., 06:00 | 23~nov., 18:00 | 24~nov., 06:00:01 | 24~nov., 06:00:09",
        ]
    );
}
