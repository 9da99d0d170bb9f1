//! Instants stay what they are, whatever zone they are shown in and whether they say one.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, TimestampMicrosecondArray};
use plan::project::DatasetFormat;

use crate::support::Case;

/// 2026-07-01T10:00:00Z, in microseconds since 1970.
const TEN: i64 = 1_782_900_000_000_000;

/// One record that has the same time in three types, and its day. `now()` is 2026-01-31T02:00:00Z.
fn case() -> Case {
    let time = |zone: Option<&str>| -> ArrayRef {
        let times = TimestampMicrosecondArray::from_value(TEN, 1);
        Arc::new(times.with_timezone_opt(zone))
    };
    let day: ArrayRef = Arc::new(Date32Array::from_value(20_635, 1));
    Case::new(DatasetFormat::Parquet).parquet(
        "a.parquet",
        vec![
            ("utc", time(Some("UTC"))),
            ("paris", time(Some("Europe/Paris"))),
            ("plain", time(None)),
            ("day", day),
        ],
    )
}

async fn check(cases: &[(&str, &str)]) {
    case().gives(cases).await;
}

#[tokio::test]
async fn now_is_an_instant() {
    check(&[
        ("now()", "2026-01-31T02:00:00Z"),
        ("current_timestamp", "2026-01-31T02:00:00Z"),
        ("now() AT TIME ZONE 'Europe/Paris'", "2026-01-31T03:00:00+01:00"),
        ("zone_date_to_zone(now(), 'Europe/Paris')", "2026-01-31T03:00:00+01:00"),
        ("zone_date_to_utc(now())", "2026-01-31T02:00:00Z"),
        ("now() AT TIME ZONE 'Europe/Paris' = now()", "true"),
        ("date_part('hour', now() AT TIME ZONE 'Europe/Paris')", "3"),
        ("CAST(now() AT TIME ZONE 'America/Los_Angeles' AS DATE)", "2026-01-30"),
        ("current_date", "2026-01-31"),
        ("to_unixtime(now() AT TIME ZONE 'Europe/Paris')", "1769824800"),
    ])
    .await;
}

#[tokio::test]
async fn times_made_of_seconds_are_instants() {
    check(&[
        ("to_timestamp(0) AT TIME ZONE 'Europe/Paris'", "1970-01-01T01:00:00+01:00"),
        ("to_timestamp_seconds(0) AT TIME ZONE 'Europe/Paris'", "1970-01-01T01:00:00+01:00"),
        ("to_timestamp_millis(0) AT TIME ZONE 'Europe/Paris'", "1970-01-01T01:00:00+01:00"),
        ("to_timestamp_micros(0) AT TIME ZONE 'Europe/Paris'", "1970-01-01T01:00:00+01:00"),
        ("from_unixtime(0) AT TIME ZONE 'Europe/Paris'", "1970-01-01T01:00:00+01:00"),
        ("from_unixtime(0, 'Europe/Paris')", "1970-01-01T01:00:00+01:00"),
        ("to_timestamp('2026-07-01 12:00:00+02:00') = utc", "true"),
        ("to_timestamp(CAST(plain AS VARCHAR)) = utc", "true"),
        ("to_timestamp(CAST(utc AS VARCHAR)) = utc", "true"),
        ("to_timestamp_millis('01.07.2026 10:00', '%d.%m.%Y %H:%M') = utc", "true"),
        ("to_timestamp(utc) = utc AND to_timestamp(plain) = utc", "true"),
        ("to_timestamp(NULL) IS NULL", "true"),
        (
            "TIMESTAMP '2026-07-01 12:00:00+02:00' AT TIME ZONE 'Asia/Tokyo'",
            "2026-07-01T19:00:00+09:00",
        ),
        ("TIMESTAMP '2026-07-01T10:00:00Z' = utc", "true"),
        (
            "date('2026-07-01', 'yyyy-MM-dd') AT TIME ZONE 'Europe/Paris'",
            "2026-07-01T02:00:00+02:00",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_time_without_a_zone_is_one_of_utc_but_for_the_operator() {
    check(&[
        ("zone_date_to_zone(utc, 'Europe/Paris')", "2026-07-01T12:00:00+02:00"),
        ("zone_date_to_zone(paris, 'Europe/Paris')", "2026-07-01T12:00:00+02:00"),
        ("zone_date_to_zone(plain, 'Europe/Paris')", "2026-07-01T12:00:00+02:00"),
        ("zone_date_to_zone(day, 'Europe/Paris')", "2026-07-01T02:00:00+02:00"),
        ("zone_date_to_utc(plain)", "2026-07-01T10:00:00Z"),
        // SQL: the operator moves an instant, and says of a time without a zone whose clocks it is of.
        ("utc AT TIME ZONE 'Europe/Paris'", "2026-07-01T12:00:00+02:00"),
        ("plain AT TIME ZONE 'Europe/Paris'", "2026-07-01T10:00:00+02:00"),
        ("utc = paris AND utc = plain AND paris = plain", "true"),
        ("paris > TIMESTAMP '2026-07-01 09:59:59'", "true"),
        ("paris < TIMESTAMP '2026-07-01 10:00:01'", "true"),
        ("coalesce(paris, plain)", "2026-07-01T10:00:00Z"),
        ("now() - utc < INTERVAL '0 days'", "true"),
        ("now() - paris = now() - plain", "true"),
        ("greatest(now(), plain) = greatest(now(), paris)", "true"),
        ("date_part('hour', paris)", "10"),
        ("to_unixtime(plain) = to_unixtime(paris)", "true"),
    ])
    .await;
}

#[tokio::test]
async fn parts_and_texts_are_those_of_the_zone_that_a_time_was_moved_to() {
    let paris = "zone_date_to_zone(utc, 'Europe/Paris')";
    let cases = [
        (format!("date_part('hour', {paris})"), "12"),
        (format!("date_trunc('day', {paris})"), "2026-07-01T00:00:00+02:00"),
        (format!("format({paris}, 'yyyy-MM-dd HH:mm')"), "2026-07-01 12:00"),
        (format!("format({paris}, 'HH X XX XXX Z z')"), "12 +02 +0200 +02:00 +0200 CEST"),
        (format!("format({paris}, 'EEE d MMM')"), "Wed 1 Jul"),
        ("format(utc, 'HH X XX XXX Z z')".to_owned(), "10 Z Z Z +0000 UTC"),
        ("format(plain AT TIME ZONE '-03:30', 'HH XXX')".to_owned(), "10 -03:30"),
        (format!("set_date_part('hour', {paris}, 0)"), "2026-07-01T00:00:00+02:00"),
        ("set_date_part('hour', plain, 0)".to_owned(), "2026-07-01T00:00:00Z"),
        (format!("to_char({paris}, '%H:%M')"), "12:00"),
        (format!("CAST({paris} AS VARCHAR)"), "2026-07-01T12:00:00+02:00"),
        (format!("to_unixtime({paris}) = to_unixtime(utc)"), "true"),
    ];
    let cases: Vec<(&str, &str)> =
        cases.iter().map(|(expression, expected)| (expression.as_str(), *expected)).collect();
    check(&cases).await;
}

#[tokio::test]
async fn rules_compare_instants() {
    for rule in [
        "now() AT TIME ZONE 'Europe/Paris' < now() + INTERVAL '1 minute'",
        "paris > now() AND plain > now() AND utc > now()",
        "utc BETWEEN now() AND now() + INTERVAL '200 days'",
        "date_trunc('day', now()) = TIMESTAMP '2026-01-31 00:00:00'",
        "now() >= '2026-01-31T02:00:00Z' AND now() < '2026-01-31 02:00:01'",
    ] {
        let case = case().rule(rule).columns(&["day"]);
        assert_eq!(case.rows().await, ["2026-07-01"], "{rule}");
    }
}
