//! Columns, mandatory columns and errors of rules and mappings.

use plan::project::DatasetFormat;

use crate::formats::{numbers, texts};
use crate::support::Case;

fn people() -> Case {
    Case::new(DatasetFormat::Parquet).parquet(
        "a.parquet",
        vec![
            ("id", texts(&[Some("1"), Some("2"), Some("3"), Some("4"), None])),
            ("mail", texts(&[Some("a@x"), Some(""), None, Some("d@x"), None])),
            ("points", numbers(&[Some(5), Some(0), None, Some(7), Some(9)])),
        ],
    )
}

#[tokio::test]
async fn columns_are_fields_expressions_and_membership() {
    let case = people().rule("points >= 5").columns(&[
        "upper=upper(id)",
        "$status",
        "mail",
        "double=points * 2",
        "$time",
        "year=date_part('year', now())",
        "cased=CASE WHEN points > 6 THEN 'high' ELSE 'low' END",
    ]);
    assert_eq!(
        case.rows().await,
        [
            "1|active|a@x|10|2026-01-31T02:00:00Z|2026|low",
            "4|active|d@x|14|2026-01-31T02:00:00Z|2026|high",
            "∅|active|∅|18|2026-01-31T02:00:00Z|2026|high",
        ]
    );
}

#[tokio::test]
async fn a_rule_that_is_null_makes_no_member() {
    for (rule, members) in [
        ("points > 1", 3),
        ("NOT points > 1", 1),
        ("points > 1 OR points IS NULL", 4),
        ("points = NULL", 0),
        ("TRUE", 5),
        ("FALSE", 0),
        ("now() = TIMESTAMP '2026-01-31 02:00:00'", 5),
        ("current_date = DATE '2026-01-31'", 5),
        ("now() - INTERVAL '31 days' < TIMESTAMP '2026-01-01 00:00:00'", 5),
    ] {
        let counts = people().rule(rule).columns(&["id"]).counts().await;
        assert_eq!((counts.received, counts.scanned), (members, 5), "{rule}");
    }
}

#[tokio::test]
async fn members_without_a_mandatory_value_are_counted_at_the_first() {
    let case = people().columns(&["!id", "!mail", "!points", "x=1"]);
    let (rows, counts) = case.run().await.expect("the run succeeds");
    assert_eq!(rows, ["1|a@x|5|1", "4|d@x|7|1"]);
    let excluded: Vec<_> =
        counts.excluded.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(excluded, [("missing:id", 1), ("missing:mail", 2), ("missing:points", 0)]);
    assert_eq!((counts.received, counts.activated), (5, 2));
}

#[tokio::test]
async fn calculated_columns_can_be_mandatory() {
    let case = people().columns(&["!mail=upper(coalesce(mail, ''))", "id"]);
    assert_eq!(case.rows().await, ["A@X|1", "D@X|4"]);
}

#[tokio::test]
async fn wrong_rules_and_mappings_name_the_nearest() {
    insta::assert_snapshot!(people().columns(&["mial"]).error().await, @r#"
    unknown_field: the dataset has no field `mial` (field `mial`)
      Did you mean `mail`?
    "#);
    insta::assert_snapshot!(people().rule("pionts > 1").columns(&["id"]).error().await, @r#"
    unknown_field: the dataset has no field `pionts` at character 1 (field `rule`)
      Did you mean `points`?
    "#);
    insta::assert_snapshot!(people().columns(&["x=uper(id)"]).error().await, @r#"
    unknown_function: unknown function `uper` at character 1 (field `x`)
      Did you mean `upper`?
    "#);
    insta::assert_snapshot!(people().rule("points + 1").columns(&["id"]).error().await, @r"
    not_boolean: a rule has to be true or false, this is of type integer at character 1 (field `rule`)
      Compare the value with another: `points > 0`.
    ");
    insta::assert_snapshot!(people().timestamp("at").columns(&["#id"]).error().await, @r#"unknown_field: the dataset has no field `at` (field `timestamp`)"#);
}

#[tokio::test]
async fn values_that_an_expression_cannot_take_are_not_quoted() {
    let secret = Case::new(DatasetFormat::Parquet).parquet(
        "a.parquet",
        vec![("mail", texts(&[Some("canary@example.com")])), ("n", numbers(&[Some(i64::MAX)]))],
    );
    let mut secret = secret.columns(&["mail"]);
    insta::assert_snapshot!(secret.error_of_rule("CAST(mail AS BIGINT) > 1").await, @r#"
    expression_error: a value could not be converted (FOLDER/a.parquet, row 1, field `rule`)
      Use `TRY_CAST`, `nullif(divisor, 0)` or `CASE` so that such values give null.
    "#);
    insta::assert_snapshot!(secret.error_of_rule("1 / (n - n) > 0").await, @r#"
    expression_error: a division by zero (FOLDER/a.parquet, row 1, field `rule`)
      Use `TRY_CAST`, `nullif(divisor, 0)` or `CASE` so that such values give null.
    "#);
    insta::assert_snapshot!(secret.error_of_rule("to_timestamp(mail) > now()").await, @r#"
    expression_error: a value could not be converted (FOLDER/a.parquet, row 1, field `rule`)
      Use `TRY_CAST`, `nullif(divisor, 0)` or `CASE` so that such values give null.
    "#);
    insta::assert_snapshot!(secret.error_of_rule("regexp_like('a', mail || '(')").await, @r#"
    expression_error: the expression failed for a value (FOLDER/a.parquet, row 1, field `rule`)
      Use `TRY_CAST`, `nullif(divisor, 0)` or `CASE` so that such values give null.
    "#);
    insta::assert_snapshot!(secret.error_of_rule("CAST(n * 1.0 AS SMALLINT) > 1").await, @r#"
    expression_error: a value could not be converted (FOLDER/a.parquet, row 1, field `rule`)
      Use `TRY_CAST`, `nullif(divisor, 0)` or `CASE` so that such values give null.
    "#);
}
