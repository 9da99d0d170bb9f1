use std::time::{Duration, Instant};

use plan::schema::{Field, FieldType, Schema};

use super::*;

fn field(name: &str, field_type: FieldType) -> Field {
    Field { name: name.to_owned(), field_type }
}

fn schema() -> Schema {
    let email = FieldType::Struct(vec![field("address", FieldType::String)]);
    Schema {
        fields: vec![
            field("crmId", FieldType::String),
            field("loyalty", FieldType::Struct(vec![field("points", FieldType::Integer)])),
            field("country", FieldType::String),
            field("score", FieldType::Float),
            field("amount", FieldType::Decimal),
            field("active", FieldType::Boolean),
            field("birth", FieldType::Date),
            field("seen", FieldType::Timestamp),
            field("tags", FieldType::List(Box::new(FieldType::String))),
            field("emails", FieldType::List(Box::new(email))),
            field("attributes", FieldType::Map(Box::new(FieldType::String))),
            field("odd name", FieldType::Integer),
            field("Case", FieldType::Integer),
            field("order", FieldType::Integer),
            field("timestamp", FieldType::Timestamp),
            field("a.b", FieldType::Boolean),
        ],
    }
}

fn check(text: &str, expect: Expect) -> Result<FieldType, ExpressionError> {
    check_expression(text, &schema(), expect)
}

#[test]
fn rules_of_every_kind_pass() {
    let rules = [
        "active",
        "loyalty.points >= 1000 AND country IN ('FR', 'BE')",
        "loyalty['points'] > 1",
        "LOWER(country) LIKE 'f%' OR country ILIKE '%x'",
        "country NOT LIKE 'a_b'",
        "country ~ '^[A-Z]{2}$' AND country !~* 'x'",
        "crmId IS NOT NULL AND active IS NOT TRUE",
        "score BETWEEN 0.5 AND 1e3",
        "country IS DISTINCT FROM 'FR'",
        "NOT (active AND -loyalty.points < +3)",
        "CASE country WHEN 'FR' THEN TRUE ELSE FALSE END",
        "CASE WHEN active THEN score > 1 WHEN score IS NULL THEN FALSE END",
        "birth < DATE '2000-01-01' AND seen > now() - INTERVAL '30 days'",
        "birth > '1999-12-31'",
        "date_part('year', birth) = 1999 AND EXTRACT(month FROM birth) = 2",
        "date_trunc('month', seen) = TIMESTAMP '2026-01-01 00:00:00'",
        "tags[1] = 'x' AND tags[-1] = 'y' AND 'vip' = ANY(tags)",
        "array_has(tags, 'vip') AND array_length(tags) > 2 AND cardinality(tags) > 0",
        "array_to_string(tags, '|') = 'a|b' AND tags[1:2] IS NOT NULL",
        "emails[1].address LIKE '%@example.com'",
        "attributes['lang'] = 'fr'",
        "\"odd name\" = 1 AND \"Case\" = 2 AND Case = 3",
        "loyalty.\"points\" = 1 AND \"order\" = 1 AND \"timestamp\" < now()",
        "\"a.b\"",
        "TRY_CAST(crmId AS BIGINT) % 2 = 0 AND crmId::int > 3",
        "coalesce(country, 'FR') = 'FR' AND nullif(score, 0) > 1",
        "substring(country FROM 1 FOR 1) = 'F' AND trim(BOTH ' ' FROM country) = 'x'",
        "position('a' IN country) > 0 AND country || 'x' = 'FRx'",
        "lpad(crmId, 10, '0') = '0000000001'",
        "amount > 10 AND amount * 2 <= 100.5 AND round(amount, 1) = 1.5 AND floor(score) = 1",
        "seen AT TIME ZONE 'Europe/Paris' > '2026-01-01'",
        "country = 'FR' -- the home market\n AND /* and */ active",
        "sha256(crmId) IS NOT NULL AND encode(digest(crmId, 'md5'), 'hex') = 'x'",
        "(country, active) IS NULL OR active",
    ];
    for rule in &rules[..rules.len() - 1] {
        assert_eq!(check(rule, Expect::Boolean), Ok(FieldType::Boolean), "{rule}");
    }
    assert!(check(rules[rules.len() - 1], Expect::Boolean).is_err());
}

#[test]
fn calculated_columns_have_their_type() {
    let cases = [
        ("upper(country)", "string"),
        ("loyalty.points * 2", "integer"),
        ("score / 2", "float"),
        ("amount + 1", "decimal"),
        ("birth + INTERVAL '1 day'", "date"),
        ("now()", "timestamp"),
        ("current_date", "date"),
        ("tags", "list"),
        ("emails[1]", "struct"),
        ("make_date(2026, 1, 1)", "date"),
        ("'constant'", "string"),
        ("NULL", "string"),
    ];
    for (text, expected) in cases {
        let found = check(text, Expect::Any).map(|found| found.name().to_owned());
        assert_eq!(found, Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn refusals_name_the_place_and_the_next_step() {
    let cases = [
        "",
        "-- nothing\n",
        "SELECT 1",
        "COPY (SELECT 1) TO '/etc/x'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "SET x = 1",
        "active; DROP TABLE t",
        "active AND (SELECT TRUE)",
        "EXISTS (SELECT 1)",
        "crmId IN (SELECT crmId FROM 's3://b/x.parquet')",
        "active AND",
        "active active",
        "crmId = 'never closed",
        "(active",
        "country = \"FR\"",
        "loyalty.pionts > 1",
        "é = 1 AND\n  contry = 'FR'",
        "CRMID = 'x'",
        "attributes.lang.x = 1",
        "tags[0] = 'x'",
        "tags.x = 1",
        "emails[array_length(emails)].address = 'x'",
        "uper(country) = 'X'",
        "random() < 0.5",
        "uuid() = 'x'",
        "count(*) > 1",
        "sum(score) OVER () > 1",
        "lower(country) FILTER (WHERE active) = 'x'",
        "repeat('a', 1000000000) = 'x'",
        "lpad('a', 1000000000) = 'x'",
        "lpad('a', loyalty.points) = 'x'",
        "unnest(tags) = 'x'",
        "read_csv('/etc/passwd') = 1",
        "pg_sleep(10)",
        "crmId = $1",
        "crmId = ?",
        "* = 1",
        "loyalty.points",
        "score + 1",
        "country = 1",
        "loyalty.points > '1000'",
        "loyalty.points IN ('1', '2')",
        "active AND country + 1 > 2",
        "birth > 5",
        "upper(active, country) = 'X'",
        "CAST(country AS nonsense) = 1",
        "country @> 'x'",
        "x -> x",
    ];
    let mut seen = String::new();
    for text in cases {
        let error = check(text, Expect::Boolean).expect_err(text);
        let part = &text[error.offset..error.offset + error.length];
        seen.push_str(&format!("{text:?}\n  {} at {part:?}: {}\n", error.code, error.message));
        if let Some(hint) = error.hint {
            seen.push_str(&format!("  {hint}\n"));
        }
    }
    insta::assert_snapshot!(seen, @"");
}

#[test]
fn texts_that_would_exhaust_a_stack_are_refused_within_a_second() {
    let chain = |part: &str, count: usize, end: &str| format!("{}{end}", part.repeat(count));
    let cases = [
        (chain("1+", 2_000, "1 > 0"), "too_deep"),
        (chain("active OR ", 20_000, "active"), "too_long"),
        (chain("(", 10_000, ")"), "too_deep"),
        (format!("{}active{}", "(".repeat(10_000), ")".repeat(10_000)), "too_deep"),
        (chain("NOT ", 9_000, "active"), "too_deep"),
        (chain("- ", 9_000, "1 > 0"), "too_deep"),
        (chain("CASE WHEN ", 3_000, "active"), "syntax_error"),
        (chain("country || ", 4_000, "'x' = 'y'"), "too_deep"),
        (chain("a.", 4_000, "b"), "too_deep"),
        (chain("a.", 60, "["), "syntax_error"),
        (chain("a.", 60, ""), "syntax_error"),
        (chain("tags[1]", 1, &"[1]".repeat(3_000)), "too_deep"),
        (chain("active IS NULL ", 1, &"IS NULL ".repeat(4_000)), "too_deep"),
        (format!("crmId IN ({}'x')", "'x',".repeat(1_000_000)), "too_long"),
        (" ".repeat(5 << 20), "too_long"),
        (chain("lower(", 60, "active"), "syntax_error"),
        (chain("a.b(", 60, ""), "syntax_error"),
        (chain("CAST(a.", 60, ""), "syntax_error"),
        (chain("INTERVAL ", 5_000, "'1'"), "too_deep"),
    ];
    for (text, code) in cases {
        let shown: String = text.chars().take(40).collect();
        let error = timed(&text).expect_err(&shown);
        assert_eq!(error.code, code, "{shown}");
    }
}

/// Checks a text; a debug build on a busy machine has some seconds for what takes milliseconds.
fn timed(text: &str) -> Result<FieldType, ExpressionError> {
    let begin = Instant::now();
    let outcome = check(text, Expect::Boolean);
    let shown: String = text.chars().take(40).collect();
    assert!(begin.elapsed() < Duration::from_secs(8), "{shown} took {:?}", begin.elapsed());
    outcome
}

#[test]
fn nothing_that_nests_takes_exponential_time() {
    let beginnings = [
        "(", "((a,", "a.", "a.b(", "CAST(a.", "CAST(", "a::", "lower(a.", "CASE ", "CASE WHEN a.", "(SELECT ",
        "ARRAY[", "STRUCT(", "STRUCT<", "a < ANY(", "DATE ", "DATE(", "EXTRACT(", "INTERVAL ",
        "INTERVAL (", "NOT ", "EXISTS(", "a IN (", "a BETWEEN ", "a LIKE ", "{", "{'a': ", "[",
        "a[", "x -> ", "(x) -> ", "(x, y) -> (", "MAP {", "TRIM(", "SUBSTRING(", "POSITION(",
        "CEIL(", "TRY_CAST(", "CONVERT(", "a IS ", "a AT TIME ZONE ", "COLLATE ", "OVERLAY(",
        "PRIOR ", "MATCH(", "array(", "row(", "f(a => ", "f(DISTINCT ", "f(SELECT ", "'a' ", "b'",
        "TIMESTAMP(", "timestamp.", "order.", "a.order(", "a.a[", "a.a[1].", "f(a.a).", "a[b].", "a <", "a ||", "@", "a -> ", "a #>> ",
    ];
    for beginning in beginnings {
        for end in ["", "a", "active", ")"] {
            // Whatever they are, nobody waits for them.
            eprintln!("{beginning} {end}");
            drop(timed(&format!("{}{end}", beginning.repeat(60))));
        }
    }
}

#[test]
fn long_chains_of_and_and_or_are_fine() {
    let any = vec!["crmId = 'x'"; 2_000].join(" OR ");
    assert_eq!(check(&any, Expect::Boolean), Ok(FieldType::Boolean));
    let mixed = vec!["active AND country = 'x'"; 1_200].join(" OR ");
    assert_eq!(check(&mixed, Expect::Boolean), Ok(FieldType::Boolean));
    let list = format!("crmId IN ({}'x')", "'y',".repeat(4_000));
    assert_eq!(check(&list, Expect::Boolean), Ok(FieldType::Boolean));
}
