//! Functions of Segue's own where their arguments are missing, odd or wrong.

use plan::project::DatasetFormat;

use crate::formats::texts;
use crate::support::Case;

/// What each expression gives over one record in which `none` is missing; `∅` is missing.
async fn check(cases: &[(&str, &str)]) {
    let case = Case::new(DatasetFormat::Parquet)
        .parquet("a.parquet", vec![("id", texts(&[Some("1")])), ("none", texts(&[None]))]);
    case.gives(cases).await;
}

#[tokio::test]
async fn what_is_missing_stays_missing() {
    check(&[
        ("sha256(none)", "∅"),
        ("crc32(none)", "∅"),
        ("crc32('')", "00000000"),
        ("hash_email(none)", "∅"),
        ("hash_phone(none, 'FR')", "∅"),
        ("hash_phone('0612345678', none)", "∅"),
        ("get_url_host(none)", "∅"),
        ("get_url_query_str(none)", "∅"),
        ("str_to_object(none, '&', '=')", "∅"),
        ("json_value(none, 'a')", "∅"),
        ("format(to_timestamp(none), 'yyyy')", "∅"),
        ("format(now(), none)", "∅"),
        ("set_date_part('m', to_timestamp(none), 4)", "∅"),
        ("array_top(string_to_array(none, ','), [1], 1)", "∅"),
        ("is_empty(none)", "true"),
        ("is_empty(string_to_array(none, ','))", "true"),
        ("is_empty(string_to_array('', ','))", "true"),
        ("is_empty(str_to_object('x', '&', '='))", "true"),
        ("is_empty('a')", "false"),
        ("equals(none, none)", "∅"),
        ("iif(none = 'a', 1, 2)", "2"),
        ("decode(none, 'a', 1, 0)", "0"),
        ("decode('b', 'a', 1)", "∅"),
        ("to_integer('1.5')", "∅"),
    ])
    .await;
}

#[tokio::test]
async fn what_is_no_address_or_number_has_no_hash() {
    check(&[
        ("hash_email('')", "∅"),
        ("hash_email('ann')", "∅"),
        ("hash_email('@example.com')", "∅"),
        ("hash_email('ann@')", "∅"),
        ("hash_email('ann smith@example.com')", "∅"),
        ("hash_email('ANN@EXAMPLE.COM') = hash_email(' ann@example.com')", "true"),
        ("normalize_phone('06 12 34 56 78')", "∅"),
        ("normalize_phone('06 12 34 56 78', coalesce(none, 'XX'))", "∅"),
        ("normalize_phone('06 12 34 56 78', 'fr')", "+33612345678"),
        ("normalize_phone('0033 6 12 34 56 78', 'DE')", "+33612345678"),
        ("normalize_phone('+44 (0)20 7946 0018')", "+442079460018"),
        ("normalize_phone('(415) 555-2671', 'US')", "+14155552671"),
        ("normalize_phone('1-415-555-2671', 'US')", "+14155552671"),
        ("normalize_phone('06 12345678', 'IT')", "+390612345678"),
        ("normalize_phone('8 (912) 345-67-89', 'RU')", "+79123456789"),
        ("normalize_phone('+33 6 12 ext. 5')", "∅"),
        ("normalize_phone('+1234')", "∅"),
        ("normalize_phone('+1234567890123456')", "∅"),
        ("normalize_phone('+0612345678')", "∅"),
        ("normalize_phone('12+34567890')", "∅"),
    ])
    .await;
}

#[tokio::test]
async fn odd_texts_are_read_as_far_as_they_can_be() {
    check(&[
        ("get_url_host('no address')", "∅"),
        ("get_url_host('mailto:ann@example.com')", "∅"),
        ("get_url_port('http://example.com')", "80"),
        ("get_url_path('http://example.com')", "/"),
        ("get_url_query_str('http://a/?x=1&x=2&y')", "{x: 1, y: }"),
        ("get_url_query_str('http://a/?x=1#n', 'append')", "{x: 1, _anchor_: n}"),
        ("get_url_query_str('http://a/?x=1', coalesce(none, 'other'))", "∅"),
        ("str_to_object('a=1&b&a=2&c=x=y', '&', '=')", "{a: 1, c: x=y}"),
        ("str_to_object('a=1', coalesce(none, ''), '=')", "∅"),
        ("json_value('{\"a\":[1,{\"b\":null}]}', 'a[0]')", "1"),
        ("json_value('{\"a\":[1,{\"b\":null}]}', 'a[1].b')", "∅"),
        ("json_value('{\"a\":[1,2]}', 'a')", "[1,2]"),
        ("json_value('{\"a\":1}', 'a.b')", "∅"),
        ("json_value('not json', 'a')", "∅"),
        ("json_value('{}', coalesce(none, '..'))", "∅"),
    ])
    .await;
}

#[tokio::test]
async fn times_are_written_and_changed() {
    let at = |pattern: &str| format!("format(TIMESTAMP '2026-01-04 15:06:07.089', '{pattern}')");
    let patterns = [
        ("yy/M/d H:m:s", "26/1/4 15:6:7"),
        ("yyyy-MM-dd''T''HH:mm:ss.SSSXXX", "2026-01-04T15:06:07.089Z"),
        ("EEE, EEEE d MMM MMMM hh a", "Sun, Sunday 4 Jan January 03 PM"),
        ("DDD Z z", "004 +0000 UTC"),
    ];
    let written: Vec<(String, &str)> =
        patterns.iter().map(|(pattern, expected)| (at(pattern), *expected)).collect();
    let mut cases: Vec<(&str, &str)> =
        written.iter().map(|(expression, expected)| (expression.as_str(), *expected)).collect();
    cases.extend([
        ("format(DATE '2026-01-04', 'dd')", "04"),
        ("format(DATE '2026-01-04', coalesce(none, 'Q'))", "∅"),
        ("dformat(9223372036854775807, 'yyyy')", "∅"),
        ("set_date_part('day', DATE '2026-02-10', 30)", "∅"),
        ("set_date_part(coalesce(none, 'century'), DATE '2026-02-10', 1)", "∅"),
        ("set_date_part('year', DATE '2024-02-29', 2028)", "2028-02-29T00:00:00Z"),
        ("make_date_time(2026, 3, 29, 2, 30, 0, 0, 'Europe/Paris')", "2026-03-29T01:30:00Z"),
        ("make_date_time(2026, 10, 25, 2, 30, 0, 0, 'Europe/Paris')", "2026-10-25T00:30:00Z"),
        ("make_date_time(2026, 13, 1, 0, 0, 0, 0, 'UTC')", "∅"),
        ("make_date_time(2026, 1, 1, 0, 0, 0, 0, coalesce(none, 'Mars/Olympus'))", "∅"),
        ("date_part('dw', DATE '2026-01-04')", "0"),
    ]);
    check(&cases).await;
}

#[tokio::test]
async fn the_best_elements_keep_their_order_where_keys_are_equal() {
    check(&[
        ("array_top(['a', 'b', 'c', 'd'], [1, 2, 2, NULL], 3)", "[b, c, a]"),
        ("array_top(['a', 'b', 'c', 'd'], [1, 2, 2, NULL], 9)", "[b, c, a, d]"),
        ("array_bottom(['a', 'b', 'c', 'd'], [2, 1, 1, NULL], 3)", "[b, c, a]"),
        ("array_top(['a', 'b'], [1, 2], 0)", "[]"),
        ("array_top(['a', 'b'], [1, 2], -1)", "[]"),
    ])
    .await;
}
